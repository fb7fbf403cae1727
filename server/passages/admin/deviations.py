"""The admin page of deviations: what went wrong at a door and must be handled."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from server.passages.models import Deviation
from server.tenancy.admin_base import TenantAdmin


@admin.register(Deviation)
class DeviationAdmin(TenantAdmin):
    """What went wrong at a door and must be handled."""

    list_display = ["kind", "door", "lock", "opened_at", "closed_at", "resolution"]
    list_select_related = ["door", "lock"]
    list_filter = ["kind", ("closed_at", admin.EmptyFieldListFilter), "resolution"]
    search_fields = ["door__address", "lock__name"]
    autocomplete_fields = ["door", "lock"]
    fields = ["kind", "door", "lock", "opened_at", "closed_at", "resolution"]
    date_hierarchy = "opened_at"
    empty_hint = _("Nothing needs attention.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A deviation is closed, never deleted."""
        return False
