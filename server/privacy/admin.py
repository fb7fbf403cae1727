"""What personal data is held, what has had its time, and what is held of one person."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.people.models import StaffMember, User
from server.privacy.domain.register import extract, extract_file
from server.privacy.domain.shredding import StillNeededError, preview, pseudonymise, sweep
from server.privacy.models import PrivacyPolicy, Shredding
from server.privacy.rules import unfinished
from server.tenancy.admin_base import ReadOnlyAdmin, TenantAdmin

MOST_HITS = 30
ROWS_SHOWN = 20


@admin.register(PrivacyPolicy)
class PrivacyPolicyAdmin(TenantAdmin):
    """How long personal data is kept."""

    list_display = ["months_after_leaving", "months_consent_documents"]
    search_fields = ["municipality__name"]
    empty_hint = gettext_lazy("The server's own times hold: 24 months. Add a row to set others.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Times are changed, not taken away."""
        return False


@admin.register(Shredding)
class ShreddingAdmin(ReadOnlyAdmin):
    """What was shredded; and the pages about personal data."""

    list_display = ["at", "data_class", "object_type", "object_id", "by"]
    list_select_related = ["by"]
    list_filter = ["data_class"]
    search_fields = ["object_id", "data_class"]
    date_hierarchy = "at"
    empty_hint = gettext_lazy("Nothing has been shredded yet. See Personal data for what is due, and when.")

    def get_urls(self) -> list[URLPattern]:
        """Add the overview, one person's extract, and pseudonymising."""
        view = self.admin_site.admin_view
        own = [
            path("overview/", view(self.overview), name="privacy_overview"),
            path("person/<int:pk>/", view(self.person), name="privacy_person"),
            path("person/<int:pk>/extract/", view(self.extract), name="privacy_extract"),
        ]
        return [*own, *super().get_urls()]

    def overview(self, request: HttpRequest) -> HttpResponse:
        """Show every class and what is due (GET), or shred what is due now (POST)."""
        user = _allowed(request, "privacy.shred_personal_data")
        context = {**self.admin_site.each_context(request), "title": _("Personal data")}
        if user.municipality is None:
            return TemplateResponse(request, "admin/nyckelfri/no_municipality.html", context)
        now = timezone.now()
        if request.method == "POST":
            count = sweep(user.municipality, at=now, actor=user)
            messages.success(request, _("Shredded: %(count)s rows.") % {"count": count})
            return redirect("admin:privacy_overview")
        query = request.GET.get("q", "").strip()
        people = StaffMember.objects.filter(name__icontains=query) if query else StaffMember.objects.none()
        context |= {
            "classes": preview(user.municipality, at=now),
            "query": query,
            "people": people.select_related("provider")[:MOST_HITS],
            "done": Shredding.objects.select_related("by")[:ROWS_SHOWN],
        }
        return TemplateResponse(request, "admin/nyckelfri/privacy/overview.html", context)

    def person(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what is held of one person (GET), or pseudonymise (POST)."""
        user = _allowed(request, "privacy.extract_register")
        staff = _staff(pk)
        now = timezone.now()
        if request.method == "POST":
            _allowed(request, "privacy.shred_personal_data")
            try:
                pseudonymise(staff=staff, at=now, actor=user)
                messages.success(request, _("Pseudonymised."))
            except StillNeededError:
                messages.error(request, _("Not now: the person has not left, or something is unfinished."))
            return redirect("admin:privacy_person", pk=pk)
        found = extract(staff, at=now)
        for one in found["classes"]:
            one["count"], one["rows"] = len(one["rows"]), one["rows"][:ROWS_SHOWN]
        context = {
            **self.admin_site.each_context(request),
            "title": _("What is held of one person"),
            "staff": staff,
            "found": found,
            "unfinished": unfinished(staff, at=now),
            "has_left": staff.employed_to is not None and staff.employed_to < timezone.localdate(now),
            "may_shred": request.user.has_perm("privacy.shred_personal_data"),
        }
        return TemplateResponse(request, "admin/nyckelfri/privacy/person.html", context)

    def extract(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Hand out the register extract; that it was made is on record."""
        user = _allowed(request, "privacy.extract_register")
        file = extract_file(_staff(pk), at=timezone.now(), actor=user)
        headers = {
            "Content-Disposition": f'attachment; filename="registerutdrag-{pk}.zip"',
            "Cache-Control": "no-store",
        }
        return HttpResponse(file, content_type="application/zip", headers=headers)


def _allowed(request: HttpRequest, permission: str) -> User:
    if not isinstance(request.user, User) or not request.user.has_perm(permission):
        raise PermissionDenied
    return request.user


def _staff(pk: int) -> StaffMember:
    people = StaffMember.objects.select_related("provider", "user", "municipality")
    found: StaffMember = get_object_or_404(people, pk=pk)
    return found
