"""Admin pages of issued keys and revocations."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from server.access.models import Revocation, Token
from server.tenancy.admin_base import ReadOnlyAdmin


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Every key that was issued, to whom, for which door and when."""

    revoke_target = "token"
    list_display = [
        "token_id_hex",
        "person",
        "binding",
        "not_before",
        "expires",
        "delivered_at",
        "revoked_at",
    ]
    list_select_related = ["bearer__staff", "binding__lock", "binding__door"]
    list_filter = [
        ("not_before", admin.DateFieldListFilter),
        "provider",
        ("revoked_at", admin.EmptyFieldListFilter),
        ("delivered_at", admin.EmptyFieldListFilter),
    ]
    ordering = ["-pk"]
    search_fields = ["bearer__staff__name", "binding__door__address", "binding__lock__name"]
    empty_hint = _("Keys are issued by themselves for shifts that begin within the configured hours.")

    @admin.display(description=_("staff member"), ordering="bearer__staff__name")
    def person(self, token: Token) -> str:
        """Who carries it."""
        return token.bearer.staff.name


@admin.register(Revocation)
class RevocationAdmin(ReadOnlyAdmin):
    """What may no longer open, since when and why."""

    list_display = [
        "at",
        "target",
        "token",
        "bearer",
        "phone",
        "staff",
        "provider",
        "reason",
        "by",
        "matters_until",
    ]
    list_select_related = ["token", "bearer__staff", "bearer__phone", "phone", "staff", "provider", "by"]
    list_filter = [("at", admin.DateFieldListFilter), "target", "reason"]
    ordering = ["-pk"]
    search_fields = ["staff__name", "bearer__staff__name", "provider__name", "phone__label"]
    empty_hint = _("Nothing is revoked. Revoke a phone or a person from its own page.")
