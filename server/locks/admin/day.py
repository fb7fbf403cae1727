"""The installer's day: today's orders in the order of work, building by building, for a small screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.locks.models import Binding, WorkOrder
from server.locks.order_queries import Block, blocks_of, day_orders, in_order_of_work
from server.people.models import User
from server.people.roles import Role

MOST = 120
"""Orders on one page; nobody does more in a day, and what is overdue comes first in the next."""

_NEXT: dict[str, str | Promise] = {
    "mount": _("Mount the lock, commission it for this door and let it confirm."),
    "move": _("Take the lock here, commission it for this door and let it confirm."),
    "repair": _("See what is wrong with the lock. Open it with the phone when it works again."),
    "battery": _("Change the batteries, then say so here. Open once with a phone that has coverage."),
    "retire": _("Take the lock down, then retire it on its page."),
}


@dataclass(frozen=True)
class Job:
    """One order as the day shows it."""

    order: WorkOrder
    blocks: list[Block]
    binding: Binding | None

    @property
    def state(self) -> str:
        """`blocked` or `ready`."""
        return "blocked" if self.blocks else "ready"

    @property
    def next_step(self) -> str | Promise:
        """What to do."""
        if self.order.kind in ("mount", "move") and self.binding is not None:
            return _("Commissioned: let the lock take its package in, then confirm on the lock's page.")
        return _NEXT[self.order.kind]


def page(request: HttpRequest) -> HttpResponse:
    """Show a day's orders; an installer's own and those nobody has, others see everybody's."""
    if not request.user.has_perm("locks.view_workorder"):
        raise PermissionDenied
    user = request.user
    assert isinstance(user, User)  # noqa: S101  admin_view lets nobody else in
    now = timezone.now()
    day = _day(request.GET.get("date", ""), now)
    mine = user.role == Role.INSTALLER and "all" not in request.GET
    orders = list(day_orders(day=day, installer_id=user.pk if mine else None)[: MOST + 1])
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("The day's work"),
        "day": day,
        "mine": mine,
        "more": len(orders) > MOST,
        "stops": _stops(orders[:MOST], now),
        "may_change": user.has_perm("locks.change_workorder"),
    }
    return TemplateResponse(request, "admin/nyckelfri/locks/day.html", context)


def _day(text: str, now: datetime) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return timezone.localdate(now)


def _stops(orders: list[WorkOrder], now: datetime) -> list[tuple[str, list[Job]]]:
    blocks = blocks_of(orders, at=now)
    rows = Binding.objects.filter(door__in={order.door_id for order in orders}, ends_at__isnull=True)
    pending = {row.door_id: row for row in rows.filter(commissioned_at__isnull=True).select_related("lock")}
    return [
        (stop.address, [Job(one, blocks.get(one.pk, []), pending.get(one.door_id)) for one in stop.orders])
        for stop in in_order_of_work(orders)
    ]
