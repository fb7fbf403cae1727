"""The admin pages of work orders: the list, one order, the installer's day, planning of installations."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from server.locks import list_queries
from server.locks.admin import day, planning
from server.locks.admin.verbs import words
from server.locks.domain.orders import cancel_order, finish_order, make_order
from server.locks.models import WorkOrder
from server.locks.order_queries import blocks_of, open_orders
from server.people.models import User
from server.people.queries import visible_users
from server.people.roles import Role
from server.problems import Problem
from server.tenancy.admin_base import TenantAdmin
from server.tenancy.scoping import viewer_now


class StateFilter(admin.SimpleListFilter):
    """Orders in one state; blocked and ready are worked out as the list is asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """The states."""
        return [
            ("open", _("to be done")),
            ("blocked", _("blocked")),
            ("unplanned", _("not planned yet")),
            ("done", _("done")),
            ("cancelled", _("cancelled")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WorkOrder]) -> QuerySet[WorkOrder]:
        """Only the chosen state."""
        still = queryset.filter(pk__in=open_orders().values("pk"))
        chosen = {
            "open": still,
            "blocked": list_queries.blocked(still, at=timezone.now()),
            "unplanned": still.filter(planned_for__isnull=True),
            "done": queryset.filter(done_at__isnull=False),
            "cancelled": queryset.filter(cancelled_at__isnull=False),
        }
        return chosen.get(self.value() or "", queryset)


class OrderList(ChangeList):
    """A page of orders, each with what stands in its way: a handful of queries for the whole page."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page, and the obstacles of everything on it."""
        super().get_results(request)
        rows: list[Any] = list(self.result_list)
        blocks = blocks_of(rows, at=timezone.now())
        for row in rows:
            row.blocks = blocks.get(row.pk, [])
        self.result_list = rows


@admin.register(WorkOrder)
class WorkOrderAdmin(TenantAdmin):
    """What installers are to do, door by door."""

    list_display = ["what", "door", "state", "lock", "planned_for", "who", "created_at"]
    list_select_related = ["door__property__owner", "lock", "installer"]
    list_filter = [StateFilter, "kind", "planned_for"]
    search_fields = ["door__address", "door__number", "lock__name"]
    autocomplete_fields = ["door", "lock"]
    ordering = [F("planned_for").asc(nulls_last=True), "pk"]
    fields = ["kind", "door", "lock", "planned_for", "installer"]
    change_form_template = "admin/nyckelfri/locks/order.html"
    empty_hint = _("Plan installations for a property or an area, or make an order from a deviation.")

    def get_urls(self) -> list[Any]:
        """Add the day, the planning, and what is done with one order."""
        view = self.admin_site.admin_view
        own: list[URLPattern] = [
            path("day/", view(day.page), name="locks_workorder_day"),
            path("plan/", view(planning.page), name="locks_workorder_plan"),
            path("<int:pk>/done/", view(require_POST(_done)), name="locks_workorder_done"),
            path("<int:pk>/cancel/", view(require_POST(_cancel)), name="locks_workorder_cancel"),
        ]
        return [*own, *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list that knows what blocks what."""
        return OrderList

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What an order is about is settled when it is made; when and who is planned later."""
        return [] if obj is None else [name for name in self.fields or () if name in ("kind", "door", "lock")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Coordinators order repairs from deviations; the rest is planned by others."""
        return viewer_now() is None and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A closed order is history."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_open)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """An order is cancelled, never deleted."""
        return False

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Only installers can be given work."""
        if db_field.name == "installer":
            seen = visible_users(User.objects.all(), request.user)
            kwargs["queryset"] = seen.filter(role=Role.INSTALLER, is_active=True)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Make a new order through its verb, which knows the one that is open already."""
        if change:
            super().save_model(request, obj, form, change)
            return
        assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
        made = make_order(
            kind=obj.kind,
            door=obj.door,
            lock=obj.lock,
            planned_for=obj.planned_for,
            installer=obj.installer,
            at=timezone.now(),
            actor=request.user,
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what stands in the way, and the way in without the phone, above the form."""
        order = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if order is not None and self.has_view_permission(request, order):
            context["blocks"] = blocks_of([order], at=timezone.now()).get(order.pk, [])
            context |= {"title": self.what(order), "subtitle": str(order.door)}
            context["placing"] = order.kind in ("mount", "move")
        shown: HttpResponse = super().change_view(request, object_id, form_url, context)
        return shown

    @admin.display(description=_("what"), ordering="kind")
    def what(self, order: WorkOrder) -> str:
        """The work."""
        return str(capfirst(order.get_kind_display()))

    @admin.display(description=_("state"))
    def state(self, order: Any) -> str:
        """Whether it can be done, worked out now."""
        return state_of(order, order.blocks)

    @admin.display(description=_("installer"), ordering="installer__username")
    def who(self, order: WorkOrder) -> str:
        """Who has it; a coordinator learns only that somebody has."""
        if order.installer is None:
            return "–"
        return str(_("assigned")) if viewer_now() is not None else name_of(order.installer)


def name_of(user: User) -> str:
    """Return how a user is called on pages."""
    return user.get_full_name() or user.get_username()


def state_of(order: WorkOrder, blocks: Any) -> str:
    """Return the state in words, with the first obstacle."""
    if order.done_at is not None:
        return gettext("done")
    if order.cancelled_at is not None:
        return gettext("cancelled")
    if not blocks:
        return gettext("ready")
    return gettext("blocked: %(why)s") % {"why": blocks[0].what.label}


def _done(request: HttpRequest, pk: int) -> HttpResponse:
    return _close(request, pk, finish_order, gettext("Done."))


def _cancel(request: HttpRequest, pk: int) -> HttpResponse:
    return _close(request, pk, cancel_order, gettext("The order is taken back."))


def _close(request: HttpRequest, pk: int, verb: Any, said: str) -> HttpResponse:
    if not request.user.has_perm("locks.change_workorder"):
        raise PermissionDenied
    order = get_object_or_404(WorkOrder.objects.all(), pk=pk)
    try:
        verb(order=order, at=timezone.now(), actor=request.user)
        messages.success(request, said)
    except Problem as problem:
        messages.error(request, words(problem))
    back = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("admin:locks_workorder_change", pk)
