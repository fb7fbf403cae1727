"""The admin page of the audit trail: read, search, filter; nothing else."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from server.audit.actions import label_of
from server.audit.models import AuditEntry
from server.tenancy.admin_base import ReadOnlyAdmin

ROLES = {
    "server": _("the server"),
    "administrator": _("administrator"),
    "installer": _("installer"),
    "staff": _("staff"),
}


class ActionFilter(admin.SimpleListFilter):
    """Entries of one action, named in plain words."""

    title = _("what")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every action that stands in the trail."""
        found = (
            model_admin.get_queryset(request).order_by("action").values_list("action", flat=True).distinct()
        )
        return [(slug, label_of(slug)) for slug in found]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Only the chosen action."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class RoleFilter(admin.SimpleListFilter):
    """Entries of people in one role, or of the server itself."""

    title = _("as")
    parameter_name = "acting_as"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every role."""
        return list(ROLES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Only the chosen role."""
        return queryset.filter(acting_as=self.value()) if self.value() else queryset


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what, when and why."""

    list_display = ["at", "actor", "role", "what", "thing", "reason"]
    list_select_related = ["actor"]
    list_filter = [ActionFilter, RoleFilter]
    search_fields = ["action", "object_type", "object_id", "actor__username", "reason"]
    date_hierarchy = "at"
    empty_hint = _("Every change made here or by the server leaves an entry.")

    @admin.display(description=_("what"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """The action in plain words."""
        return label_of(entry.action)

    @admin.display(description=_("as"), ordering="acting_as")
    def role(self, entry: AuditEntry) -> str:
        """The role in plain words."""
        return str(ROLES.get(entry.acting_as, entry.acting_as))

    @admin.display(description=_("object"), ordering="object_type")
    def thing(self, entry: AuditEntry) -> str:
        """What it was done to, by its kind and number."""
        try:
            kind = apps.get_model(entry.object_type)._meta.verbose_name
        except (LookupError, ValueError):
            kind = entry.object_type
        return f"{capfirst(kind)} {entry.object_id}"
