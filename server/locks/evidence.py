"""Whether somebody was at a silent door: planned visits during which a neighbouring door was opened by phone.

A lock is a suspect when no phone has brought anything from it for days. That alone proves nothing: perhaps
nobody came. What the data can show is a planned visit during which the very same person opened, with the
phone, a door beside it: the gate on the way to an apartment, or an apartment behind a gate. Where no
neighbouring door has a lock, any other door that the person opened within an hour of the visit will do. It is
still no proof that the person tried this door, so it takes several visits on several days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from server.care.models import Visit
from server.locks.models import Binding
from server.passages.models import Passage
from server.places.models import DoorPath

VISITS_NEEDED = 3
DAYS_NEEDED = 2
LEEWAY = timedelta(hours=1)
"""Visits are early or late: a door opened this long before or after the planned time counts."""


@dataclass(frozen=True)
class Planned:
    """One planned visit, by ids."""

    door: int
    staff: int
    starts_at: datetime
    ends_at: datetime


@dataclass
class Surroundings:
    """Which doors lie beside a door, by door id."""

    on_the_way: dict[int, set[int]]
    behind: dict[int, set[int]]
    with_lock: set[int]

    def beside(self, door: int) -> set[int]:
        """Return the neighbouring doors that have a confirmed lock."""
        return (self.on_the_way.get(door, set()) | self.behind.get(door, set())) & self.with_lock

    def visited_for(self, door: int) -> set[int]:
        """Return the doors whose visits pass this one: itself, and what lies behind it."""
        return {door} | self.behind.get(door, set())


def visits_that_passed(
    doors: Collection[int], *, since: datetime, until: datetime
) -> dict[int, list[datetime]]:
    """Return by door when somebody demonstrably was there in [since, until); five queries for all of them."""
    around = _surroundings(doors)
    visited = {one for door in doors for one in around.visited_for(door)}
    planned: dict[int, list[Planned]] = defaultdict(list)
    for visit in _planned(visited, since, until):
        planned[visit.door].append(visit)
    opened = _opened({visit.staff for visits in planned.values() for visit in visits}, since, until)
    found: dict[int, list[datetime]] = {}
    for door in doors:
        beside = around.beside(door)
        visits = [visit for one in around.visited_for(door) for visit in planned.get(one, [])]
        found[door] = [v.starts_at for v in visits if _was_there(v, opened.get(v.staff, []), door, beside)]
    return found


def is_enough(visits: Collection[datetime]) -> bool:
    """Say whether so many visits on so many days make a silent lock a dead one."""
    return len(visits) >= VISITS_NEEDED and len({one.date() for one in visits}) >= DAYS_NEEDED


def _was_there(visit: Planned, opened: list[tuple[datetime, int]], door: int, beside: set[int]) -> bool:
    first, last = visit.starts_at - LEEWAY, visit.ends_at + LEEWAY
    times = [one for moment, one in opened if first <= moment <= last]
    return any(one in beside if beside else one != door for one in times)


def _surroundings(doors: Collection[int]) -> Surroundings:
    ways: dict[int, set[int]] = defaultdict(set)
    behind: dict[int, set[int]] = defaultdict(set)
    rows = DoorPath.objects.filter(Q(apartment__in=doors) | Q(via__in=doors))
    for apartment, via in rows.values_list("apartment_id", "via_id"):
        ways[apartment].add(via)
        behind[via].add(apartment)
    near = set(ways) | set(behind)
    locked = Binding.objects.filter(door__in=near, ends_at__isnull=True, commissioned_at__isnull=False)
    return Surroundings(ways, behind, set(locked.values_list("door_id", flat=True)))


def _planned(doors: Collection[int], since: datetime, until: datetime) -> Iterator[Planned]:
    rows = Visit.objects.filter(
        client__door__in=doors,
        starts_at__gte=since,
        ends_at__lt=until,
        shift__cancelled_at__isnull=True,
        client__paused_at__isnull=True,
        client__ended_at__isnull=True,
    )
    for values in rows.values_list("client__door_id", "shift__staff_id", "starts_at", "ends_at"):
        yield Planned(*values)


def _opened(
    staff: Collection[int], since: datetime, until: datetime
) -> dict[int, list[tuple[datetime, int]]]:
    rows = Passage.objects.filter(
        kind="granted",
        bearer__staff__in=staff,
        binding__isnull=False,
        happened_at__gte=since - LEEWAY,
        happened_at__lt=until + LEEWAY,
    )
    found: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for person, moment, door in rows.values_list("bearer__staff_id", "happened_at", "binding__door_id"):
        found[person].append((moment, door))
    return found
