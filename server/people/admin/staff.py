"""Care providers, teams and staff; a staff member's page makes the code that enrols a phone."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _

from server.people.domain.enrolment import make_enrolment_code
from server.people.enrolment_link import offer
from server.people.models import CareProvider, StaffMember, Team, User
from server.places.admin import ORIGIN
from server.tenancy.admin_base import TenantAdmin


@admin.register(CareProvider)
class CareProviderAdmin(TenantAdmin):
    """Municipal and private home-care companies."""

    revoke_target = "provider"
    list_display = ["name", "kind", "active"]
    list_filter = ["kind", "active"]
    search_fields = ["name", "external_id"]
    fieldsets = [(None, {"fields": ["name", "kind", "active"]}), ORIGIN]
    empty_hint = _("Start here: add the care providers, then their teams and staff.")


@admin.register(Team)
class TeamAdmin(TenantAdmin):
    """Working groups; a shift in a team opens the doors of the team's clients."""

    list_display = ["name", "provider"]
    list_filter = ["provider"]
    list_select_related = ["provider"]
    search_fields = ["name", "provider__name", "external_id"]
    autocomplete_fields = ["provider"]
    fieldsets = [(None, {"fields": ["provider", "name"]}), ORIGIN]
    empty_hint = _("Add the provider's working groups or areas.")


@admin.register(StaffMember)
class StaffMemberAdmin(TenantAdmin):
    """People who work with the phone."""

    revoke_target = "staff"
    list_display = ["name", "provider", "user", "employed_from", "employed_to"]
    list_filter = ["provider"]
    list_select_related = ["provider", "user"]
    search_fields = ["name", "external_id", "user__username"]
    autocomplete_fields = ["provider", "user"]
    narrow_readonly = ("user",)
    change_form_template = "admin/nyckelfri/staff_change_form.html"
    fieldsets = [(None, {"fields": ["name", "provider", "user", "employed_from", "employed_to"]}), ORIGIN]
    empty_hint = _(
        "Add the people who work with the phone, then make an enrolment code on each person's page."
    )

    def get_urls(self) -> list[URLPattern]:
        """Add the page that makes an enrolment code."""
        view = self.admin_site.admin_view(self.enrol_view)
        return [path("<int:staff_id>/enrol/", view, name="people_staffmember_enrol"), *super().get_urls()]

    def enrol_view(self, request: HttpRequest, staff_id: int) -> HttpResponse:
        """Ask (GET), or make a code and show it this once (POST)."""
        staff = get_object_or_404(StaffMember.objects.select_related("provider"), pk=staff_id)
        if not self.has_change_permission(request, staff):
            raise PermissionDenied
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Enrol a phone"),
            "staff": staff,
            "opts": self.model._meta,
        }
        if request.method == "POST":
            context |= self._make_code(request, staff)
        response = TemplateResponse(request, "admin/nyckelfri/enrol.html", context)
        add_never_cache_headers(response)
        return response

    @staticmethod
    def _make_code(request: HttpRequest, staff: StaffMember) -> dict[str, Any]:
        assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
        pool = request.POST.get("for_pool_phone") == "on"
        code, plain = make_enrolment_code(
            staff=staff, actor=request.user, at=timezone.now(), for_pool_phone=pool
        )
        shown = offer(request=request, municipality=staff.municipality, code=plain)
        return {"code": code, "plain": plain, "offer": shown}
