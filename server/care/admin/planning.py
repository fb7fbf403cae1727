"""Admin pages of assignments and the plan."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from server.care.models import CareAssignment, Shift, Visit
from server.places.admin import ORIGIN
from server.tenancy.admin_base import TenantAdmin


@admin.register(CareAssignment)
class CareAssignmentAdmin(TenantAdmin):
    """Which team cares for which client, and when."""

    list_display = ["client", "provider", "team", "starts_at", "ends_at"]
    list_select_related = ["client", "provider", "team"]
    list_filter = [("starts_at", admin.DateFieldListFilter), "provider", "client__door__property__area"]
    search_fields = ["client__alarm_code", "provider__name", "team__name", "external_id"]
    autocomplete_fields = ["client", "provider", "team"]
    narrow_readonly = ("client", "starts_at", "ends_at")
    fieldsets = [(None, {"fields": ["client", "provider", "team", "starts_at", "ends_at"]}), ORIGIN]
    empty_hint = _(
        "Give a client to a provider's team; from then on the team's shifts open the client's door."
    )


@admin.register(Shift)
class ShiftAdmin(TenantAdmin):
    """Working time; a shift opens the doors of its team."""

    list_display = ["staff", "team", "provider", "starts_at", "ends_at", "cancelled_at"]
    list_select_related = ["staff", "team", "provider"]
    list_filter = [
        ("starts_at", admin.DateFieldListFilter),
        "provider",
        ("cancelled_at", admin.EmptyFieldListFilter),
    ]
    search_fields = ["staff__name", "team__name", "external_id"]
    autocomplete_fields = ["staff", "provider", "team"]
    fieldsets = [
        (None, {"fields": ["staff", "provider", "team", "starts_at", "ends_at", "cancelled_at"]}),
        ORIGIN,
    ]
    empty_hint = _("Add a shift: who works, in which team, from when to when.")


@admin.register(Visit)
class VisitAdmin(TenantAdmin):
    """Planned stops; they sort the list in the phone and give no rights."""

    list_display = ["client", "shift", "starts_at", "ends_at", "order"]
    list_select_related = ["client", "shift__staff"]
    list_filter = [("starts_at", admin.DateFieldListFilter)]
    ordering = ["-pk"]
    search_fields = ["client__alarm_code", "shift__staff__name", "external_id"]
    autocomplete_fields = ["client", "shift"]
    fieldsets = [(None, {"fields": ["shift", "client", "starts_at", "ends_at", "order"]}), ORIGIN]
    empty_hint = _("Visits usually come from the planning system. They sort the list and give no rights.")
