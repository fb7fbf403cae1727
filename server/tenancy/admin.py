"""Admin pages of municipalities and their keys."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import changes, record, snapshot
from server.tenancy.admin_base import ReadOnlyAdmin
from server.tenancy.admin_narrow import OneTrail
from server.tenancy.models import Manifest, Municipality, RoleKey


@admin.register(Municipality)
class MunicipalityAdmin(OneTrail):
    """The tenant's own settings; only an operator adds another."""

    list_display = ["name", "support_phone", "grace_minutes", "issue_horizon_hours", "retention_months"]
    search_fields = ["name", "slug"]
    readonly_fields = ["root_public_keys", "root_threshold", "tokens_not_before", "created_at"]
    fieldsets = [
        (None, {"fields": ["name", "slug", "support_phone", "minimum_app_version"]}),
        (
            _("When a door will not open"),
            {"fields": ["deviation_routine_sv", "deviation_routine_en"]},
        ),
        (
            _("How long keys live"),
            {
                "fields": ["shift_lead_minutes", "grace_minutes", "issue_horizon_hours", "retention_months"],
                "description": _("Empty fields follow the server's own settings."),
            },
        ),
        (
            _("Root keys"),
            {
                "fields": [
                    "root_public_keys",
                    "root_threshold",
                    "advert_key_days",
                    "tokens_not_before",
                    "created_at",
                ]
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Municipality]:
        """Show people their own municipality only."""
        own = getattr(request.user, "municipality_id", None)
        queryset = super().get_queryset(request)
        return queryset if own is None else queryset.filter(pk=own)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The short name is fixed once there: manifests and roots are bound to it."""
        return [*self.readonly_fields, "slug"] if obj else self.readonly_fields

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only an operator, who belongs to no municipality, adds one."""
        own = getattr(request.user, "municipality_id", None)
        return own is None and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A municipality is never deleted here."""
        return False

    def save_model(self, request: HttpRequest, obj: Municipality, form: Any, change: bool) -> None:
        """Save, and record what changed."""
        before = snapshot(Municipality.objects.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        earlier, later = changes(before, snapshot(obj))
        action = actions.CHANGED if change else actions.ADDED
        record(action=action, target=obj, actor=request.user, before=earlier, after=later)  # type: ignore[arg-type]


@admin.register(Manifest)
class ManifestAdmin(ReadOnlyAdmin):
    """Signed lists of role keys."""

    list_display = ["version", "created_at"]
    search_fields = ["version"]
    empty_hint = _("The first manifest is made with the municipality's keys: manage.py create_municipality.")


@admin.register(RoleKey)
class RoleKeyAdmin(ReadOnlyAdmin):
    """Public halves of the role keys; the private ones stay with their keeper and are never shown."""

    list_display = ["role", "kid_hex", "keeper", "active_from", "superseded_at", "retired_at", "erased_at"]
    list_filter = ["role"]
    search_fields = ["role"]
    empty_hint = _("Role keys are made with the municipality: manage.py create_municipality.")
