"""Phones and who carries a key on them. Phones come by enrolment; here they are found and named."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from server.people.models import Bearer, EnrolmentCode, Phone, PhoneContact
from server.tenancy.admin_base import ReadOnlyAdmin, TenantAdmin

BY_ENROLMENT = _("Make an enrolment code on a staff member's page and enter it in the phone.")


@admin.register(Phone)
class PhoneAdmin(TenantAdmin):
    """Work phones; only the label is changed by hand."""

    revoke_target = "phone"
    list_display = ["__str__", "model", "app_version", "is_pool", "enrolled_at", "last_seen", "revoked_at"]
    list_filter = ["is_pool", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["contact"]
    search_fields = ["label", "model", "bearers__staff__name"]
    fields = ["label", "is_pool", "model", "app_version", "enrolled_at", "revoked_at"]
    readonly_fields = ["model", "app_version", "enrolled_at", "revoked_at"]
    empty_hint = BY_ENROLMENT

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Enrolment adds phones."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A phone is revoked, never deleted."""
        return False

    @admin.display(description=_("last seen"), ordering="contact__last_seen_at")
    def last_seen(self, phone: Phone) -> Any:
        """When it last reached the server."""
        contact: PhoneContact | None = getattr(phone, "contact", None)
        return contact.last_seen_at if contact else None


@admin.register(PhoneContact)
class PhoneContactAdmin(ReadOnlyAdmin):
    """When phones were last heard from."""

    list_display = ["phone", "last_seen_at", "last_sync_at", "last_logs_at"]
    list_select_related = ["phone"]
    search_fields = ["phone__label", "phone__model"]
    empty_hint = BY_ENROLMENT


@admin.register(Bearer)
class BearerAdmin(ReadOnlyAdmin):
    """A person on a phone."""

    revoke_target = "bearer"
    list_display = ["staff", "phone", "fingerprint_hex", "created_at", "revoked_at"]
    list_select_related = ["staff", "phone"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["staff__name", "phone__label"]
    empty_hint = BY_ENROLMENT


@admin.register(EnrolmentCode)
class EnrolmentCodeAdmin(ReadOnlyAdmin):
    """Which codes were made, by whom, and whether they were used; never the codes."""

    list_display = ["staff", "created_at", "created_by", "expires_at", "used_at", "for_pool_phone"]
    list_select_related = ["staff", "created_by"]
    list_filter = [("used_at", admin.EmptyFieldListFilter)]
    search_fields = ["staff__name"]
    empty_hint = BY_ENROLMENT
