"""What arrivals and departures are read from: a day's visits, and what doors told of a provider's staff."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Q, QuerySet

from server.care.models import Visit
from server.locks.models import LockStatus
from server.passages.models import Passage
from server.people.models import CareProvider, StaffMember
from server.places.models import Door
from server.tenancy.scoping import whole_municipality

HAPPENED = ("moved", "already")
"""Outcomes after which the door is as it was asked to be; a jam or a lost answer is no arrival."""


@dataclass(frozen=True)
class DoorEvent:
    """A door that was opened or locked with somebody's key, and truly was."""

    door: int
    staff: int
    staff_name: str
    command: str
    at: datetime
    uncertain: bool


def staff_of_day(provider: CareProvider, start: datetime, end: datetime) -> QuerySet[StaffMember]:
    """Return the provider's staff with visits that begin in [start, end), in the order of names."""
    visits = Visit.objects.filter(
        shift__provider=provider, shift__cancelled_at__isnull=True, starts_at__gte=start, starts_at__lt=end
    )
    staff: QuerySet[StaffMember] = StaffMember.objects.filter(pk__in=visits.values("shift__staff"))
    return staff.order_by("name", "pk")


def visits_of(staff: Collection[int], start: datetime, end: datetime) -> list[Visit]:
    """Return the visits of these people that begin in [start, end), in order."""
    rows = Visit.objects.filter(
        shift__staff__in=staff, shift__cancelled_at__isnull=True, starts_at__gte=start, starts_at__lt=end
    ).select_related("client__door", "shift__staff", "shift__team")
    return list(rows.order_by("starts_at", "order", "pk"))


def beside(visits: Collection[Visit], start: datetime, end: datetime) -> list[Visit]:
    """Return colleagues' visits at the same clients: double-staffed ones are among them."""
    rows = Visit.objects.filter(
        client__in={visit.client_id for visit in visits},
        shift__provider__in={visit.shift.provider_id for visit in visits},
        shift__cancelled_at__isnull=True,
        starts_at__gte=start,
        starts_at__lt=end,
    ).exclude(pk__in=[visit.pk for visit in visits])
    return list(rows.select_related("shift__staff"))


def door_events(
    provider: int, *, staff: Collection[int], doors: Collection[int], start: datetime, end: datetime
) -> list[DoorEvent]:
    """Return what the provider's keys did: these people's at any apartment, and anybody's at these doors."""
    whose = Q(bearer__staff__in=staff, binding__door__kind=Door.Kind.APARTMENT) | Q(binding__door__in=doors)
    rows = Passage.objects.filter(
        whose, provider=provider, kind__in=("granted", "outcome"), happened_at__gte=start, happened_at__lt=end
    ).values_list(
        "lock",
        "epoch",
        "seq",
        "kind",
        "reason",
        "detail",
        "happened_at",
        "time_uncertain",
        "binding__door",
        "bearer__staff",
        "bearer__staff__name",
    )
    commands: dict[tuple[int, int, int], tuple[str, bool]] = {}
    outcomes = []
    for lock, epoch, seq, kind, reason, detail, at, uncertain, door, person, name in rows.order_by("seq"):
        if kind == "granted":
            commands[lock, epoch, seq] = (str(detail.get("command", "")), uncertain)
        elif reason in HAPPENED and person is not None and door is not None:
            key = (lock, epoch, int(detail.get("granted_seq", 0)))
            outcomes.append((key, door, person, name, at, uncertain))
    return [
        DoorEvent(door, person, name, commands[key][0], at, uncertain or commands[key][1])
        for key, door, person, name, at, uncertain in outcomes
        if key in commands
    ]


@whole_municipality()
def home_until(doors: Collection[int]) -> dict[int, datetime]:
    """Return until when each door's events have come home; doors without a lock are left out."""
    rows = LockStatus.objects.filter(
        lock__bindings__door__in=doors, lock__bindings__ends_at__isnull=True, last_passage_at__isnull=False
    )
    return dict(rows.values_list("lock__bindings__door").annotate(last=Max("last_passage_at")))
