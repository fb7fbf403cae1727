"""Who responds to alarms, and by which rules."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from server.alarms.models import AlarmPolicy, AlarmTeam
from server.tenancy.admin_base import TenantAdmin


@admin.register(AlarmTeam)
class AlarmTeamAdmin(TenantAdmin):
    """Teams whose people are asked while they are on duty."""

    list_display = ["team", "provider", "reach"]
    list_filter = ["reach", "team__provider"]
    list_select_related = ["team__provider"]
    search_fields = ["team__name", "team__provider__name"]
    autocomplete_fields = ["team"]
    fields = ["team", "reach"]
    empty_hint = _("Add the teams that respond to alarms. Without them nobody is asked.")

    @admin.display(description=_("care provider"), ordering="team__provider__name")
    def provider(self, responder: AlarmTeam) -> str:
        """Whose team it is."""
        return responder.team.provider.name


@admin.register(AlarmPolicy)
class AlarmPolicyAdmin(TenantAdmin):
    """The municipality's rules for alarms: one set of them."""

    list_display = ["__str__", "right_minutes", "offer_to", "widen_after_s", "close_after_hours"]
    search_fields = ["municipality__name"]
    fields = ["right_minutes", "offer_to", "widen_after_s", "close_after_hours"]
    empty_hint = _("30 minutes, 3 people at a time, 45 seconds to answer: add rules to change that.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """One set of rules is enough."""
        own = getattr(request.user, "municipality_id", None)
        none_yet = own is not None and not AlarmPolicy.unscoped.filter(municipality=own).exists()
        return none_yet and super().has_add_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rules are changed, not deleted."""
        return False
