"""Deviations: what went wrong at a door and must be handled; opened by logs, sweeps or people."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from server.locks.admin.verbs import words
from server.locks.domain.orders import order_for
from server.locks.models import WorkOrder
from server.passages.admin import reporting
from server.passages.admin.reporting import actor
from server.passages.domain.handling import close, take_on
from server.passages.models import Deviation
from server.problems import Problem
from server.tenancy.admin_base import TenantAdmin
from server.tenancy.scoping import viewer_now


class StateFilter(admin.SimpleListFilter):
    """Deviations that are open, or closed."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Open and closed."""
        return [("open", _("open")), ("closed", _("closed"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Deviation]) -> QuerySet[Deviation]:
        """Only the chosen state."""
        if self.value() not in ("open", "closed"):
            return queryset
        return queryset.filter(closed_at__isnull=self.value() == "open")


@admin.register(Deviation)
class DeviationAdmin(TenantAdmin):
    """What went wrong at a door and must be handled: what is open comes first, the oldest first."""

    list_display = ["what", "door", "age", "way_in", "handled_by", "lock", "closed"]
    list_select_related = ["door", "lock", "handler"]
    list_filter = [StateFilter, "kind", "resolution"]
    search_fields = ["door__address", "lock__name"]
    ordering = [F("closed_at").desc(nulls_first=True), "opened_at"]
    fields = ["kind", "door", "lock", "opened_at", "closed_at", "resolution"]
    change_form_template = "admin/nyckelfri/locks/deviation.html"
    empty_hint = _("Nothing needs attention.")

    def get_urls(self) -> list[Any]:
        """Add reporting, closing and ordering work."""
        view = self.admin_site.admin_view
        own: list[URLPattern] = [
            path("report/", view(reporting.page), name="passages_deviation_report"),
            path("<int:pk>/close/", view(require_POST(self._close)), name="passages_deviation_close"),
            path("<int:pk>/handle/", view(require_POST(self._handle)), name="passages_deviation_handle"),
            path("<int:pk>/order/", view(require_POST(self._order)), name="passages_deviation_order"),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Deviation]:
        """Fetch the open orders of each along."""
        still = WorkOrder.objects.filter(done_at__isnull=True, cancelled_at__isnull=True)
        rows: QuerySet[Deviation] = super().get_queryset(request)
        work = Prefetch("work_orders", queryset=still.select_related("installer"), to_attr="open_work")
        return rows.prefetch_related(work)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Nothing is edited: a deviation is reported and closed."""
        return [str(name) for name in self.fields or ()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A deviation is reported on its own page."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A deviation is closed, never deleted."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what is wrong, the way in, the work, and how to close it."""
        found = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if found is not None and self.has_view_permission(request, found):
            orders = WorkOrder.objects.filter(deviation=found).select_related("installer")
            context |= {
                "title": self.what(found),
                "subtitle": str(found.door or found.lock or ""),
                "orders": list(orders.order_by("-pk")),
                "whole": viewer_now() is None,
                "may_close": self._may_close(request, found),
                "may_order": self._may_order(request, found),
                "resolutions": Deviation.Resolution.choices,
            }
        shown: HttpResponse = super().change_view(request, object_id, form_url, context)
        return shown

    def _may_close(self, request: HttpRequest, found: Deviation) -> bool:
        # An emergency right is closed by reviewing it, which asks more than what came of it.
        here = found.closed_at is None and found.kind != Deviation.Kind.BREAK_GLASS
        return here and self.has_change_permission(request, found)

    @staticmethod
    def _may_order(request: HttpRequest, found: Any) -> bool:
        here = found.closed_at is None and found.door_id is not None and not found.open_work
        may = here and found.kind != Deviation.Kind.BREAK_GLASS
        return bool(may and request.user.has_perm("locks.add_workorder"))

    def _close(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = get_object_or_404(self.get_queryset(request), pk=pk)
        resolution = request.POST.get("resolution", "")
        if not self._may_close(request, found) or resolution not in Deviation.Resolution.values:
            raise PermissionDenied
        close(deviation=found, resolution=resolution, at=timezone.now(), actor=actor(request))
        messages.success(request, gettext("The deviation is closed."))
        return redirect("admin:passages_deviation_change", pk)

    def _handle(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self._may_close(request, found):
            raise PermissionDenied
        take_on(deviation=found, actor=actor(request))
        messages.success(request, gettext("You handle it."))
        return redirect("admin:passages_deviation_change", pk)

    def _order(self, request: HttpRequest, pk: int) -> HttpResponse:
        found = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self._may_order(request, found):
            raise PermissionDenied
        try:
            order_for(deviation=found, at=timezone.now(), actor=actor(request))
            messages.success(request, gettext("The work is ordered."))
        except Problem as problem:
            messages.error(request, words(problem))
        return redirect("admin:passages_deviation_change", pk)

    @admin.display(description=_("what"), ordering="kind")
    def what(self, found: Deviation) -> str:
        """The kind."""
        return str(capfirst(found.get_kind_display()))

    @admin.display(description=_("for how long"), ordering="opened_at")
    def age(self, found: Deviation) -> str:
        """How long it was or has been open."""
        return timesince(found.opened_at, found.closed_at or timezone.now(), depth=1)

    @admin.display(description=_("way in without the phone"), ordering="door__fallback_kind")
    def way_in(self, found: Deviation) -> str:
        """The door's fallback in one line."""
        if found.door is None:
            return "–"
        place = found.door.fallback_place
        return f"{found.door.get_fallback_kind_display()}{', ' + place if place else ''}"

    @admin.display(description=_("handled by"))
    def handled_by(self, found: Any) -> str:
        """Who took it on, or has the work; a coordinator learns only that somebody outside has."""
        person = found.handler or (found.open_work[0].installer if found.open_work else None)
        if person is None:
            return gettext("ordered, nobody yet") if found.open_work else "–"
        viewer = viewer_now()
        if viewer is not None and person.provider_id != viewer.provider:
            return gettext("assigned")
        return str(person.get_full_name() or person.get_username())

    @admin.display(description=_("state"), ordering="closed_at")
    def closed(self, found: Deviation) -> str:
        """Open, or what came of it."""
        return str(found.get_resolution_display()) if found.closed_at else gettext("open")
