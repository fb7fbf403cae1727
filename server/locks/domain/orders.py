"""Work orders: made by a person or by the server, assigned, done, cancelled; most are done by themselves.

What blocks an order is never stored (`server.locks.order_queries`): a signature or a gate can change it any
moment.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.locks.models import Binding, Lock, WorkOrder
from server.locks.order_queries import PLACING, doors_to_mount, open_orders
from server.passages.models import Deviation
from server.people.models import User
from server.places.models import Door
from server.problems import Problem
from server.tenancy.scoping import whole_municipality

MADE = actions.register("workorder.made", _("work order made"))
PLANNED = actions.register("workorder.planned", _("work order planned"))
DONE = actions.register("workorder.done", _("work order done"))
CANCELLED = actions.register("workorder.cancelled", _("work order cancelled"))

MOST_AT_ONCE = 200
"""Doors ordered in one go: a large area is planned in several."""

_KIND_FOR = {Deviation.Kind.LOW_BATTERY: WorkOrder.Kind.BATTERY}
"""Which work a deviation asks for; everything else is a repair."""


@transaction.atomic
@whole_municipality()
def make_order(
    *,
    kind: str,
    door: Door,
    at: datetime,
    lock: Lock | None = None,
    deviation: Deviation | None = None,
    planned_for: date | None = None,
    installer: User | None = None,
    actor: User | None = None,
) -> WorkOrder:
    """Return the door's open order of this kind, made now unless there is one already."""
    try:
        with transaction.atomic():
            order: WorkOrder = WorkOrder.objects.create(
                municipality_id=door.municipality_id,
                kind=kind,
                door=door,
                lock=lock,
                deviation=deviation,
                planned_for=planned_for,
                installer=installer,
                created_at=at,
                created_by=actor,
            )
    except IntegrityError:
        known: WorkOrder = open_orders().get(door=door, kind=kind)
        return known
    after = {"kind": kind, "door": door.pk, "deviation": deviation.pk if deviation else None}
    record(action=MADE, target=order, actor=actor, after=after)
    return order


def order_for(*, deviation: Deviation, at: datetime, actor: User | None = None) -> WorkOrder:
    """Return the order that settles a deviation, made now unless the door has one; raises `Problem`."""
    if deviation.closed_at is not None:
        raise Problem("deviation_closed")
    if deviation.door is None:
        raise Problem("deviation_without_door")
    kind = _KIND_FOR.get(Deviation.Kind(deviation.kind), WorkOrder.Kind.REPAIR)
    return make_order(
        kind=kind, door=deviation.door, lock=deviation.lock, deviation=deviation, at=at, actor=actor
    )


@transaction.atomic
def plan_order(
    *, order: WorkOrder, planned_for: date | None, installer: User | None, actor: User | None = None
) -> None:
    """Say when the work is to be done, and by whom."""
    if not order.is_open:
        raise Problem("order_closed")
    before = _plan_of(order)
    order.planned_for, order.installer = planned_for, installer
    order.save(update_fields=["planned_for", "installer"])
    if _plan_of(order) != before:
        record(action=PLANNED, target=order, actor=actor, before=before, after=_plan_of(order))


def _plan_of(order: WorkOrder) -> dict[str, object]:
    day = order.planned_for.isoformat() if order.planned_for else None
    return {"planned_for": day, "installer": order.installer_id}


@transaction.atomic
@whole_municipality()
def plan_mountings(
    *,
    property_id: int | None = None,
    area: str = "",
    at: datetime,
    planned_for: date | None = None,
    installer: User | None = None,
    actor: User | None = None,
) -> list[WorkOrder]:
    """Order locks for every door of a property or an area that lacks one; doors ordered already are left out.

    Blocked ones are ordered too: they turn ready by themselves when the signature or the gate is there.
    """
    doors = list(doors_to_mount(property_id=property_id, area=area)[:MOST_AT_ONCE])
    return [
        make_order(
            kind=WorkOrder.Kind.MOUNT,
            door=door,
            at=at,
            planned_for=planned_for,
            installer=installer,
            actor=actor,
        )
        for door in doors
    ]


@transaction.atomic
@whole_municipality()
def finish_order(*, order: WorkOrder, at: datetime, actor: User | None = None) -> None:
    """Note that the work is done. Twice is harmless.

    A mounting is not done before the lock on the door has confirmed: raises `Problem` lock_not_confirmed.
    """
    held = _held(order)
    if held.done_at is not None:
        return
    if held.cancelled_at is not None:
        raise Problem("order_closed")
    confirmed = Binding.objects.filter(door=held.door_id, ends_at=None, commissioned_at__isnull=False)
    if held.kind in PLACING and not confirmed.exists():
        raise Problem("lock_not_confirmed")
    _close(held, DONE, at=at, actor=actor)


@transaction.atomic
@whole_municipality()
def cancel_order(*, order: WorkOrder, at: datetime, actor: User | None = None, reason: str = "") -> None:
    """Take an order back. Twice is harmless; what is done stays done."""
    held = _held(order)
    if held.is_open:
        _close(held, CANCELLED, at=at, actor=actor, reason=reason)


def _held(order: WorkOrder) -> WorkOrder:
    held: WorkOrder = WorkOrder.objects.select_for_update(no_key=True).get(pk=order.pk)
    return held


def _close(
    order: WorkOrder, action: str, *, at: datetime, actor: User | None = None, reason: str = ""
) -> None:
    if action == DONE:
        order.done_at = at
    else:
        order.cancelled_at = at
    order.closed_by = actor
    order.save(update_fields=["done_at", "cancelled_at", "closed_by"])
    record(action=action, target=order, actor=actor, reason=reason)


@whole_municipality()
def finish_orders_at(
    *, door_id: int, kinds: Collection[str], at: datetime, actor: User | None = None
) -> None:
    """Note as done what a change of the lock itself has shown to be done."""
    for order in open_orders().filter(door=door_id, kind__in=kinds):
        _close(order, DONE, at=at, actor=actor)


@whole_municipality()
def drop_orders_of(*, lock: Lock, at: datetime, actor: User | None = None, but: Collection[str] = ()) -> None:
    """Take back what was to be done to a lock where it no longer sits."""
    kinds = {WorkOrder.Kind.REPAIR, WorkOrder.Kind.BATTERY, WorkOrder.Kind.RETIRE} - set(but)
    for order in open_orders().filter(lock=lock, kind__in=kinds):
        _close(order, CANCELLED, at=at, actor=actor, reason="lock_left")


@transaction.atomic
def settle_placings(*, at: datetime) -> int:
    """Finish the mountings and moves whose lock has confirmed, perhaps only in its own log; returns how many.

    Must run in the municipality's scope.
    """
    there = Q(door__bindings__ends_at__isnull=True, door__bindings__commissioned_at__isnull=False)
    mine = Q(kind=WorkOrder.Kind.MOUNT) | Q(lock__isnull=True) | Q(door__bindings__lock=F("lock"))
    settled = list(open_orders().filter(there, mine, kind__in=PLACING).distinct())
    for order in settled:
        _close(order, DONE, at=at)
    return len(settled)
