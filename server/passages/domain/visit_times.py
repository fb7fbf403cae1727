"""Arrival and departure per visit, from what doors told; what is missing is marked, never guessed.

Arrival is the first time the visitor's own key opened the client's apartment around the visit, departure the
last time it locked that door. A door that was locked by hand, from inside, or by itself says nothing of who
left, so it is no departure. A colleague's opening is named beside a visit that has none of its own, and not
taken for it. An event that fits several visits is used for none, unless they were planned at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from server.care.models import Visit
from server.passages import visit_queries as queries
from server.passages.visit_queries import DoorEvent
from server.people.models import StaffMember

AROUND = timedelta(hours=1)
"""How long before and after its planned time a visit may begin and end and still be recognised."""


BEYOND = timedelta(hours=8)
"""How far beyond a day its events and the visits beside it are looked at: a waking night at one client."""


class Mark(StrEnum):
    """Why a time is missing, or is to be read with care."""

    NO_ARRIVAL = "no_arrival"
    NO_DEPARTURE = "no_departure"
    NOT_HOME = "not_home"
    NO_LOCK = "no_lock"
    COLLEAGUE = "colleague"
    AT_ONCE = "at_once"
    AMBIGUOUS = "ambiguous"
    UNCERTAIN = "uncertain"


MARKS = {
    Mark.NO_ARRIVAL: _("no opening recorded"),
    Mark.NO_DEPARTURE: _("no locking recorded"),
    Mark.NOT_HOME: _("the lock's log has not come home yet"),
    Mark.NO_LOCK: _("no lock on the door"),
    Mark.COLLEAGUE: _("double-staffed: a colleague opened"),
    Mark.AT_ONCE: _("two visits at once behind this door"),
    Mark.AMBIGUOUS: _("door events fit more than one visit"),
    Mark.UNCERTAIN: _("the lock's clock was uncertain"),
}


@dataclass
class VisitTime:
    """One visit with what the door told of it."""

    visit: Visit
    arrival: datetime | None = None
    departure: datetime | None = None
    marks: list[Mark] = field(default_factory=list)
    colleague: DoorEvent | None = None

    @property
    def minutes(self) -> int | None:
        """Whole minutes from arrival to departure; None where either is missing or not to be relied on."""
        shaky = {Mark.AT_ONCE, Mark.AMBIGUOUS, Mark.UNCERTAIN} & set(self.marks)
        if self.arrival is None or self.departure is None or shaky:
            return None
        return round((self.departure - self.arrival).total_seconds() / 60)


@dataclass
class PersonDay:
    """One person's visits of a day, and openings that no visit explains."""

    staff: StaffMember
    visits: list[VisitTime] = field(default_factory=list)
    unplanned: list[DoorEvent] = field(default_factory=list)

    @property
    def minutes(self) -> int:
        """The measured minutes."""
        return sum(one.minutes or 0 for one in self.visits)

    @property
    def measured(self) -> int:
        """How many visits have both times."""
        return sum(one.minutes is not None for one in self.visits)


def times_of(
    staff: Sequence[StaffMember], *, provider: int, start: datetime, end: datetime
) -> list[PersonDay]:
    """Return the days of these people, in their order, in a constant number of queries."""
    ids = [person.pk for person in staff]
    # A visit just before midnight has its say in whose an opening just after it was.
    visits = queries.visits_of(ids, start - BEYOND, end + BEYOND)
    around = queries.beside(visits, start - BEYOND, end + BEYOND)
    doors = {visit.client.door_id for visit in visits if visit.client.door_id}
    events = queries.door_events(provider, staff=ids, doors=doors, start=start - BEYOND, end=end + BEYOND)
    days = {person.pk: PersonDay(person) for person in staff}
    for one in match(visits, around, events, queries.home_until(doors)):
        if start <= one.visit.starts_at < end:
            days[one.visit.shift.staff_id].visits.append(one)
    for event in events:
        planned = any(_fits(visit, event) for visit in visits)
        if event.staff in days and event.command == "open" and not planned and start <= event.at < end:
            days[event.staff].unplanned.append(event)
    return list(days.values())


def match(
    visits: Sequence[Visit],
    beside: Collection[Visit],
    events: Sequence[DoorEvent],
    home_until: dict[int, datetime],
) -> list[VisitTime]:
    """Put door events to visits. Pure: `beside` are colleagues' visits at the same clients."""
    own: dict[int, list[DoorEvent]] = defaultdict(list)
    marks: dict[int, set[Mark]] = defaultdict(set)
    for event in events:
        fitting = [visit for visit in visits if _fits(visit, event)]
        chosen = _chosen(fitting, event)
        for visit in chosen:
            own[visit.pk].append(event)
            marks[visit.pk] |= {Mark.AT_ONCE} if len(chosen) > 1 else set()
        for visit in fitting if not chosen else ():
            marks[visit.pk].add(Mark.AMBIGUOUS)
    found = []
    for visit in visits:
        one = _timed(visit, own[visit.pk], marks[visit.pk])
        _explain(one, [*visits, *beside], events, home_until)
        found.append(one)
    return found


def _fits(visit: Visit, event: DoorEvent) -> bool:
    return (
        event.staff == visit.shift.staff_id
        and event.door == visit.client.door_id
        and visit.starts_at - AROUND <= event.at <= visit.ends_at + AROUND
    )


def _chosen(fitting: Sequence[Visit], event: DoorEvent) -> Sequence[Visit]:
    """Return the visits an event belongs to: one, several planned at once, or none when that is unclear."""
    if len(fitting) < 2:
        return fitting
    within = [visit for visit in fitting if visit.starts_at <= event.at <= visit.ends_at]
    if len(within) == 1:
        return within
    together = within or list(fitting)
    first_end, last_start = min(v.ends_at for v in together), max(v.starts_at for v in together)
    return together if last_start < first_end else ()


def _timed(visit: Visit, events: Iterable[DoorEvent], marks: set[Mark]) -> VisitTime:
    opened = [event for event in events if event.command == "open"]
    arrival = min(opened, key=lambda event: event.at, default=None)
    locked = [
        event for event in events if event.command == "lock" and (arrival is None or event.at > arrival.at)
    ]
    departure = max(locked, key=lambda event: event.at, default=None)
    if any(event is not None and event.uncertain for event in (arrival, departure)):
        marks.add(Mark.UNCERTAIN)
    return VisitTime(
        visit, arrival.at if arrival else None, departure.at if departure else None, sorted(marks)
    )


def _explain(
    one: VisitTime, visits: Iterable[Visit], events: Iterable[DoorEvent], home_until: dict[int, datetime]
) -> None:
    """Say why a time is missing."""
    visit = one.visit
    until = home_until.get(visit.client.door_id or 0)
    if until is None:
        one.marks.append(Mark.NO_LOCK)
        return
    if one.arrival is None:
        one.colleague = _colleague(visit, visits, events)
        missing = Mark.NO_ARRIVAL if until >= visit.ends_at else Mark.NOT_HOME
        one.marks.append(Mark.COLLEAGUE if one.colleague is not None else missing)
    if one.departure is None and one.arrival is not None:
        one.marks.append(Mark.NO_DEPARTURE if until >= visit.ends_at else Mark.NOT_HOME)


def _colleague(visit: Visit, visits: Iterable[Visit], events: Iterable[DoorEvent]) -> DoorEvent | None:
    """Return the first opening by somebody whose visit at the same client overlaps this one."""
    partners = {
        other.shift.staff_id
        for other in visits
        if other.client_id == visit.client_id
        and other.shift.staff_id != visit.shift.staff_id
        and other.starts_at < visit.ends_at
        and visit.starts_at < other.ends_at
    }
    opened = [
        event
        for event in events
        if event.staff in partners
        and event.door == visit.client.door_id
        and event.command == "open"
        and visit.starts_at - AROUND <= event.at <= visit.ends_at + AROUND
    ]
    return min(opened, key=lambda event: event.at, default=None)
