"""The admin pages of work orders."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from server.locks.models import WorkOrder
from server.tenancy.admin_base import TenantAdmin


@admin.register(WorkOrder)
class WorkOrderAdmin(TenantAdmin):
    """What installers are to do, door by door."""

    list_display = ["kind", "door", "lock", "planned_for", "installer", "created_at", "done_at"]
    list_select_related = ["door", "lock", "installer"]
    list_filter = ["kind", ("done_at", admin.EmptyFieldListFilter)]
    search_fields = ["door__address", "door__number", "lock__name"]
    autocomplete_fields = ["door", "lock"]
    fields = ["kind", "door", "lock", "planned_for", "installer"]
    empty_hint = _("Plan installations for a property or an area, or make an order from a deviation.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An order is cancelled, never deleted."""
        return False
