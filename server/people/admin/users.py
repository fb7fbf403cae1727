"""Sign-ins: people see and make users of their own municipality, and nobody raises their own rank."""

from __future__ import annotations

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import changes, record, snapshot
from server.people.models import User
from server.people.queries import visible_users
from server.tenancy.admin_narrow import NarrowAdmin

PASSWORD_SET = actions.register("people.password_set", _("set a new password"), needs_actor=True)

RANKS = ("role", "provider", "owner", "is_superuser")

# They know no municipality; second factors are managed by each person at /accounts/2fa/; what a role may do
# stands in code, so there are no groups.
for _model in (EmailAddress, Authenticator, Group, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(_model)


@admin.register(User)
class UserAdmin(NarrowAdmin, StockUserAdmin):
    """Users of the own municipality."""

    list_display = ["username", "first_name", "last_name", "role", "provider", "is_active", "last_login"]
    list_select_related = ["provider"]
    list_filter = ["role", "is_superuser", "is_active"]
    filter_horizontal = ()
    autocomplete_fields = ["provider", "owner"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("May do"), {"fields": ["is_active", "role", "provider", "owner", "is_superuser"]}),
        (_("Important dates"), {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """Show the own municipality's users, a coordinator those of own staff; an operator sees all."""
        return visible_users(super().get_queryset(request), request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only an administrator hands out roles."""
        return [*self.readonly_fields, *(() if _is_administrator(request) else RANKS)]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever changes a user can sign in as that user, so those with a role are for an administrator.

        One's own name and password are one's own to change.
        """
        if not super().has_change_permission(request, obj):
            return False
        return obj is None or obj == request.user or _is_administrator(request) or not _has_rank(obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let an operator choose the municipality; a password is for those who may set it."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is not None and not self.has_change_permission(request, obj):
            fieldsets = [(None, {"fields": ["username"]}), *fieldsets[1:]]
        if getattr(request.user, "municipality_id", None) is None:
            return [*fieldsets, (_("Municipality"), {"fields": ["municipality"]})]
        return fieldsets

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form; it knows the municipality of a new user although it does not ask for it."""
        form = super().get_form(request, obj, change=change, **kwargs)
        own = getattr(request.user, "municipality_id", None)
        return type(form.__name__, (WithinMunicipality, form), {"tenant_id": own})

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A user is made inactive, never deleted: the audit trail points at it."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keep a new user within the municipality of whoever made it, and record what changed."""
        own = getattr(request.user, "municipality_id", None)
        if own is not None:
            obj.municipality_id = own
        obj.is_staff = bool(obj.role) or obj.is_superuser
        before = _snapshot(User.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        _record(request, actions.CHANGED if change else actions.ADDED, obj, before, _snapshot(obj))

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Set somebody's password, and record that it was done (never the password)."""
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            _record(request, PASSWORD_SET, User.objects.get(pk=id), {}, {})
        return response


class WithinMunicipality:
    """Mixed into user forms: a role is checked against the municipality, which no form asks for."""

    tenant_id: ClassVar[int | None] = None
    instance: User

    def _post_clean(self) -> None:
        if self.tenant_id is not None:
            self.instance.municipality_id = self.tenant_id
        super()._post_clean()  # type: ignore[misc]


def _is_administrator(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))


def _has_rank(user: User) -> bool:
    return bool(user.role) or user.is_superuser or user.is_staff


def _snapshot(user: User) -> dict[str, Any]:
    return {name: value for name, value in snapshot(user).items() if name != "last_login"}


def _record(
    request: HttpRequest, action: str, user: User, before: dict[str, Any], after: dict[str, Any]
) -> None:
    # An operator's own account belongs to no municipality, and so to none of their audit trails.
    if user.municipality_id is not None:
        assert isinstance(request.user, User)  # noqa: S101  the admin lets nobody else in
        earlier, later = changes(before, after) if before and after else (before, after)
        record(action=action, target=user, actor=request.user, before=earlier, after=later)
