"""The admin page of the audit trail: read, search, filter; nothing else."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from server.audit.actions import label_of
from server.audit.models import AuditEntry
from server.tenancy.admin_base import ReadOnlyAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what, when and why."""

    list_display = ["at", "actor", "acting_as", "what", "object_type", "object_id", "reason"]
    list_select_related = ["actor"]
    list_filter = ["action", "acting_as"]
    search_fields = ["action", "object_type", "object_id", "actor__username", "reason"]
    date_hierarchy = "at"
    empty_hint = _("Every change made here or by the server leaves an entry.")

    @admin.display(description=_("what"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """The action in plain words."""
        return label_of(entry.action)
