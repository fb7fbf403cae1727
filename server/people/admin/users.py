"""Sign-ins: people see and make users of their own municipality, and nobody raises their own rank."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as StockUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from server.people.models import User

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
        rank = [] if getattr(request.user, "is_superuser", False) else ["is_superuser", "user_permissions"]
        return [*self.readonly_fields, *rank]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let an operator choose the municipality."""
        fieldsets = super().get_fieldsets(request, obj)
        if getattr(request.user, "municipality_id", None) is None:
            return [*fieldsets, (_("Municipality"), {"fields": ["municipality"]})]
        return fieldsets

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Keep a new user within the municipality of whoever made it."""
        own = getattr(request.user, "municipality_id", None)
        if own is not None:
            obj.municipality_id = own
        super().save_model(request, obj, form, change)
