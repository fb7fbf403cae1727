"""Handling deviations: reported by a person, closed by a person, or settled by what the lock itself tells."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.locks.domain.orders import cancel_order, finish_order, order_for
from server.locks.models import Binding, Lock
from server.locks.order_queries import open_orders
from server.passages.models import Deviation, Passage
from server.people.models import User
from server.places.models import Door
from server.problems import Problem
from server.tenancy.scoping import whole_municipality

OPENED = actions.register("deviation.opened", _("deviation opened"))
TAKEN_ON = actions.register("deviation.taken_on", _("deviation taken on"))
CLOSED = actions.register("deviation.closed", _("deviation closed"))

REPORTABLE = (Deviation.Kind.DEAD_LOCK, Deviation.Kind.JAM, Deviation.Kind.LOW_BATTERY, Deviation.Kind.TAMPER)
"""What a person at the door can tell; the rest only a log or the server knows."""

CHARGED_PERCENT = 50
"""New batteries read far above this; worn ones that recover a little in the warmth do not."""

_ANSWERED = Q(kind="outcome", reason__in=("moved", "already", "by_hand")) | (
    Q(kind="refused") & ~Q(reason="lock_fault")
)
"""Entries of a lock that works: it moved its bolt, or refused for a reason other than a fault of its own."""


@transaction.atomic
@whole_municipality()
def report(*, kind: str, door: Door, at: datetime, actor: User | None = None, source: str = "") -> Deviation:
    """Open a deviation at `door`, or return the one that is open; a dead lock gets its work order at once.

    `kind` is one of `REPORTABLE`; `source` says in the audit trail what it rests on.
    """
    if kind not in REPORTABLE:
        raise Problem("invalid")
    list(Door.objects.select_for_update(no_key=True).filter(pk=door.pk))
    binding = Binding.objects.filter(door=door, ends_at=None).select_related("lock").first()
    known: Deviation | None = Deviation.objects.filter(
        kind=kind, door=door, closed_at=None, passage=None
    ).first()
    if known is not None:
        return known
    found: Deviation = Deviation.objects.create(
        municipality_id=door.municipality_id,
        kind=kind,
        door=door,
        lock=binding.lock if binding else None,
        opened_at=at,
    )
    record(action=OPENED, target=found, actor=actor, after={"kind": kind, "door": door.pk}, reason=source)
    if kind == Deviation.Kind.DEAD_LOCK:
        order_for(deviation=found, at=at, actor=actor)
    return found


@transaction.atomic
@whole_municipality()
def take_on(*, deviation: Deviation, actor: User) -> None:
    """Note who handles a deviation; it can go over to somebody else any time. Raises `Problem`."""
    held = Deviation.objects.select_for_update(no_key=True).get(pk=deviation.pk)
    if held.closed_at is not None:
        raise Problem("deviation_closed")
    if held.handler_id == actor.pk:
        return
    before = {"handler": held.handler_id}
    held.handler = actor
    held.save(update_fields=["handler"])
    record(action=TAKEN_ON, target=held, actor=actor, before=before, after={"handler": actor.pk})


@transaction.atomic
@whole_municipality()
def close(*, deviation: Deviation, resolution: str, at: datetime, actor: User | None = None) -> None:
    """Close a deviation with what came of it. Twice is harmless.

    Its work orders are done with it when something was repaired or replaced. When it settled by itself, only
    orders that the server made are taken back: what a person ordered, a person takes back.
    """
    held = Deviation.objects.select_for_update(no_key=True).get(pk=deviation.pk)
    if held.closed_at is not None:
        return
    held.closed_at, held.closed_by, held.resolution = at, actor, resolution
    held.save(update_fields=["closed_at", "closed_by", "resolution"])
    record(action=CLOSED, target=held, actor=actor, after={"resolution": resolution})
    for order in open_orders().filter(deviation=held):
        if resolution in (Deviation.Resolution.REPAIRED, Deviation.Resolution.REPLACED):
            finish_order(order=order, at=at, actor=actor)
        elif resolution == Deviation.Resolution.EXPLAINED or order.created_by_id is None:
            cancel_order(order=order, at=at, actor=actor, reason=resolution)


@whole_municipality()
def close_all(
    *, lock: Lock, kinds: Collection[str], resolution: str, at: datetime, actor: User | None = None
) -> None:
    """Close every open deviation of these kinds at a lock."""
    for found in Deviation.objects.filter(lock=lock, kind__in=kinds, closed_at=None):
        close(deviation=found, resolution=resolution, at=at, actor=actor)


def settle_by_themselves(*, at: datetime) -> int:
    """Close what the locks' own words have settled; returns how many. Must run in the municipality's scope.

    A dead lock is not dead once it has worked after the report, a battery is not low once it reads high, a
    clock is not uncertain once the log says so.
    """
    settled = 0
    for found in [*_heard_again(), *_charged_again(), *_certain_again()]:
        close(deviation=found, resolution=Deviation.Resolution.BY_ITSELF, at=at)
        settled += 1
    return settled


def _open(kind: str) -> QuerySet[Deviation]:
    rows: QuerySet[Deviation] = Deviation.objects.filter(kind=kind, closed_at__isnull=True)
    return rows


def _heard_again() -> list[Deviation]:
    """Return dead locks that worked again after the report, by their own clock; old logs may arrive late."""
    since = Passage.objects.filter(_ANSWERED, lock=OuterRef("lock"), happened_at__gt=OuterRef("opened_at"))
    waiting = _open(Deviation.Kind.DEAD_LOCK).filter(lock__status__last_passage_at__gt=F("opened_at"))
    return list(waiting.filter(Exists(since)))


def _charged_again() -> list[Deviation]:
    charged = Q(
        lock__status__battery_percent__gte=CHARGED_PERCENT, lock__status__battery_at__gt=F("opened_at")
    )
    changed = Q(
        lock__status__battery_percent__gte=CHARGED_PERCENT,
        lock__status__battery_at__gt=F("lock__status__battery_changed_at"),
    )
    return list(_open(Deviation.Kind.LOW_BATTERY).filter(charged | changed))


def _certain_again() -> list[Deviation]:
    certain = Q(lock__status__clock_uncertain=False, lock__status__last_contact_at__gt=F("opened_at"))
    return list(_open(Deviation.Kind.CLOCK_UNCERTAIN).filter(certain))
