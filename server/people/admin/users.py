"""Sign-ins: people see and make users of their own municipality, and nobody raises their own rank."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import changes, record, snapshot
from server.people.models import User

PASSWORD_SET = actions.register("people.password_set", _("set a new password"), needs_actor=True)

RANKS = ("is_staff", "is_installer", "is_superuser")

# They know no municipality; second factors are managed by each person at /accounts/2fa/.
for _model in (EmailAddress, Authenticator, Group):
    admin.site.unregister(_model)


@admin.register(User)
class UserAdmin(StockUserAdmin):
    """Users of the own municipality."""

    list_display = [
        "username",
        "first_name",
        "last_name",
        "is_staff",
        "is_installer",
        "is_active",
        "last_login",
    ]
    list_filter = ["is_staff", "is_installer", "is_superuser", "is_active"]
    filter_horizontal = ["user_permissions"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (
            _("May do"),
            {"fields": ["is_active", "is_staff", "is_installer", "is_superuser", "user_permissions"]},
        ),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Show the own municipality's users; an operator sees all."""
        own = getattr(request.user, "municipality_id", None)
        queryset = super().get_queryset(request)
        return queryset if own is None else queryset.filter(municipality_id=own)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only an administrator hands out rank and permissions."""
        return [*self.readonly_fields, *(() if _is_administrator(request) else (*RANKS, "user_permissions"))]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever changes a user can sign in as that user, so those with a rank are for an administrator.

        One's own name and password are one's own to change.
        """
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or obj == request.user or _is_administrator(request) or not _has_rank(obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let an operator choose the municipality."""
        fieldsets = super().get_fieldsets(request, obj)
        if getattr(request.user, "municipality_id", None) is None:
            return [*fieldsets, (_("Municipality"), {"fields": ["municipality"]})]
        return fieldsets

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A user is made inactive, never deleted: the audit trail points at it."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keep a new user within the municipality of whoever made it, and record what changed."""
        own = getattr(request.user, "municipality_id", None)
        if own is not None:
            obj.municipality_id = own
        before = _snapshot(User.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        _record(request, actions.CHANGED if change else actions.ADDED, obj, before, _snapshot(obj))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Record permissions that were given or taken; they are saved after the user itself."""
        before = {"permissions": _permissions(form.instance)}
        super().save_related(request, form, formsets, change)
        after = {"permissions": _permissions(form.instance)}
        if before != after:
            _record(request, actions.CHANGED, form.instance, before, after)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Set somebody's password, and record that it was done (never the password)."""
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            _record(request, PASSWORD_SET, User.objects.get(pk=id), {}, {})
        return response


def _is_administrator(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _has_rank(user: User) -> bool:
    return any(getattr(user, rank) for rank in RANKS)


def _snapshot(user: User) -> dict[str, Any]:
    return {name: value for name, value in snapshot(user).items() if name != "last_login"}


def _permissions(user: User) -> list[str]:
    return sorted(user.user_permissions.values_list("codename", flat=True))


def _record(
    request: HttpRequest, action: str, user: User, before: dict[str, Any], after: dict[str, Any]
) -> None:
    # An operator's own account belongs to no municipality, and so to none of their audit trails.
    if user.municipality_id is not None:
        assert isinstance(request.user, User)  # noqa: S101  the admin lets nobody else in
        earlier, later = changes(before, after) if before and after else (before, after)
        record(action=action, target=user, actor=request.user, before=earlier, after=later)
