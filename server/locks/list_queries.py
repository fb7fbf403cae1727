"""The lists that somebody works from: silent locks, low batteries, uncertain clocks, gaps, unheard bulletins.

Each narrows a query on locks by indexed columns and sub-queries that never multiply rows. What decides is the
whole truth; which locks there are to narrow is the caller's, and so a coordinator's own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from server.care.missing import lacking_properties, own_consents
from server.care.models import Client
from server.locks.models import Binding, Bulletin, Lock, WorkOrder
from server.locks.order_queries import PLACING
from server.passages.models import Deviation, LogGap
from server.places.models import Door, DoorPath
from server.tenancy.scoping import whole_municipality


def mounted() -> QuerySet[Lock]:
    """Return locks in scope that sit on doors; a practice lock is nobody's way in."""
    rows: QuerySet[Lock] = Lock.objects.filter(state=Lock.State.MOUNTED, is_practice=False)
    return rows


def _confirmed(before: datetime) -> Exists:
    rows = Binding.unscoped.filter(lock=OuterRef("pk"), ends_at__isnull=True, commissioned_at__lt=before)
    return Exists(rows)


def silent(rows: QuerySet[Lock], *, at: datetime, days: int) -> QuerySet[Lock]:
    """Return locks confirmed longer ago than `days`, from which no phone has brought anything since.

    This list and those below leave practice locks out: nobody waits outside one.
    """
    limit = at - timedelta(days=days)
    unheard = Q(status__last_contact_at__lt=limit) | Q(status__last_contact_at__isnull=True)
    return rows.filter(unheard, _confirmed(limit), state=Lock.State.MOUNTED, is_practice=False)


def low_battery(rows: QuerySet[Lock], *, percent: int) -> QuerySet[Lock]:
    """Return mounted locks that last told a level below `percent`."""
    return rows.filter(status__battery_percent__lt=percent, state=Lock.State.MOUNTED, is_practice=False)


def clock_uncertain(rows: QuerySet[Lock]) -> QuerySet[Lock]:
    """Return mounted locks that do not know the time."""
    return rows.filter(status__clock_uncertain=True, state=Lock.State.MOUNTED, is_practice=False)


def with_gap(rows: QuerySet[Lock]) -> QuerySet[Lock]:
    """Return locks with numbers missing in their logs, signed or not."""
    missing = LogGap.unscoped.filter(lock=OuterRef("pk"), closed_at__isnull=True)
    return rows.filter(Exists(missing), is_practice=False)


def bulletin_unknown(rows: QuerySet[Lock], *, at: datetime, hours: int) -> QuerySet[Lock]:
    """Return mounted locks that have not told that they know a bulletin made longer ago than `hours`."""
    waiting = Bulletin.unscoped.filter(
        binding__lock=OuterRef("pk"),
        binding__ends_at__isnull=True,
        binding__commissioned_at__isnull=False,
        known_at__isnull=True,
        created_at__lt=at - timedelta(hours=hours),
    )
    return rows.filter(Exists(waiting), state=Lock.State.MOUNTED, is_practice=False)


def unconfirmed(rows: QuerySet[Lock]) -> QuerySet[Lock]:
    """Return locks whose commissioning waits for their confirmation."""
    waiting = Binding.unscoped.filter(lock=OuterRef("pk"), ends_at__isnull=True, commissioned_at__isnull=True)
    return rows.filter(Exists(waiting))


def reported_dead(rows: QuerySet[Lock]) -> QuerySet[Lock]:
    """Return locks with an open deviation that says they are dead."""
    dead = Deviation.unscoped.filter(
        lock=OuterRef("pk"), kind=Deviation.Kind.DEAD_LOCK, closed_at__isnull=True
    )
    return rows.filter(Exists(dead))


def suspects(*, at: datetime, days: int) -> QuerySet[Binding]:
    """Return open bindings of locks silent for `days` that nobody has called dead yet."""
    locks = silent(mounted(), at=at, days=days)
    dead = Deviation.objects.filter(
        lock=OuterRef("lock"), kind=Deviation.Kind.DEAD_LOCK, closed_at__isnull=True
    )
    rows: QuerySet[Binding] = Binding.objects.filter(
        ~Exists(dead), lock__in=locks.values("pk"), ends_at__isnull=True
    )
    return rows.annotate(heard=F("lock__status__last_contact_at")).order_by("pk")


def blocked(rows: QuerySet[WorkOrder], *, at: datetime) -> QuerySet[WorkOrder]:
    """Return the open mountings and moves among `rows` that a signature or a gate stands in the way of.

    The same as `server.locks.order_queries.blocks_of` says of single orders, in SQL for lists and counts.
    """
    return rows.filter(
        _gate_first() | _owner_unsigned(at) | _client_unsigned(at) | _occupied(),
        kind__in=PLACING,
        done_at__isnull=True,
        cancelled_at__isnull=True,
    )


def _gate_first() -> Exists:
    there = Binding.unscoped.filter(door=OuterRef("via"), ends_at__isnull=True, commissioned_at__isnull=False)
    return Exists(DoorPath.unscoped.filter(~Exists(there), apartment=OuterRef("door")))


def _owner_unsigned(at: datetime) -> Q:
    return Q(door__must_sign=Door.Signatory.OWNER, door__property__in=lacking_properties(at).values("pk"))


@whole_municipality()
def _client_unsigned(at: datetime) -> Q:
    living = Client.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), door=OuterRef("door"))
    unsigned = living.filter(~Exists(own_consents(at)))
    residents = Q(door__must_sign__in=(Door.Signatory.RESIDENT, Door.Signatory.REPRESENTATIVE))
    return residents & (Q(Exists(unsigned)) | ~Q(Exists(living)))


def _occupied() -> Exists:
    there = Binding.unscoped.filter(
        door=OuterRef("door"), ends_at__isnull=True, commissioned_at__isnull=False
    )
    return Exists(there.filter(~Q(lock=Coalesce(OuterRef("lock"), 0))))
