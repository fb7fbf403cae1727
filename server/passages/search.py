"""Searching passages: by door, alarm code, person, provider, time and kind, a page at a time.

One door's passages come in log order, newest first, with the log's gaps in their places; several doors' come
by time, with the doors whose logs have gaps named beside. Pages follow keys, never offsets, so that page
1 000 of some millions costs what page 1 does. Everything is read through narrow managers: what a viewer may
not see is not there, and does not make a search find something. A provider is told where a log has a gap,
never its numbers: at a gate they would tell how often others come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet

from server.care.models import Client
from server.locks.models import LogPosition
from server.passages.models import LogGap, Passage, SealedBatch
from server.people.models import StaffMember
from server.places.models import Door
from server.tenancy.scoping import viewer_now, whole_municipality

PAGE = 50
MOST_DOORS = 100
MOST_PEOPLE = 100
_SEALED = (
    "binding__sealed_adv_key",
    "binding__sealed_adv_key_next",
    "binding__commission_document",
    "binding__lock_record",
)


@dataclass(frozen=True)
class Criteria:
    """What to search for; empty fields leave everything in."""

    door_text: str = ""
    door_id: int | None = None
    alarm_code: str = ""
    staff_text: str = ""
    staff_id: int | None = None
    provider_id: int | None = None
    phone_id: int | None = None
    token_id: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    kind: str = ""
    before_known: bool = False


@dataclass(frozen=True)
class Missing:
    """A place in one log where numbers are missing, or may be."""

    why: str
    """`overwritten`, `lost`, `awaited` or `tail`."""
    first: int | None = None
    last: int | None = None
    """Numbers; None for a narrow viewer, and where nobody knows."""
    noticed_at: datetime | None = None


Line = Passage | Missing


@dataclass
class Page:
    """One page of what was found."""

    lines: list[Line] = field(default_factory=list)
    after: str = ""
    """Where the next page begins; empty on the last."""
    door: Door | None = None
    """The one door found: lines are in its log's order."""
    doors: list[Door] = field(default_factory=list)
    """Several doors that match the words."""
    with_gaps: list[Door] = field(default_factory=list)
    """Doors on this page whose logs have gaps; only where lines go by time."""


def search(criteria: Criteria, *, after: str = "", size: int = PAGE) -> Page:
    """Return a page of passages; must run in the viewer's scope."""
    doors = _doors(criteria)
    found = _matching(criteria, doors)
    page = Page(doors=list(doors or [])[:MOST_DOORS])
    if doors is not None and len(doors) == 1:
        page.door = doors[0]
        rows = list(_after_log(found, after).order_by("-binding_id", "-epoch", "-seq")[: size + 1])
        page.lines = _with_gaps(rows, size, first=not after)
        page.after = _log_key(rows[size - 1]) if len(rows) > size else ""
        return page
    rows = list(_after_time(found, after).order_by("-happened_at", "-id")[: size + 1])
    page.lines = list(rows[:size])
    page.after = _time_key(rows[size - 1]) if len(rows) > size else ""
    page.with_gaps = _doors_with_gaps(rows[:size])
    return page


def _doors(criteria: Criteria) -> list[Door] | None:
    """Return the doors asked for, None when the search does not name any."""
    doors: QuerySet[Door] = Door.objects.all()
    if criteria.door_id is None and not criteria.door_text and not criteria.alarm_code:
        return None
    if criteria.door_id is not None:
        doors = doors.filter(pk=criteria.door_id)
    for word in criteria.door_text.replace(",", " ").split():
        doors = doors.filter(Q(address__icontains=word) | Q(number__iexact=word) | Q(entrance__iexact=word))
    if criteria.alarm_code:
        behind = Client.objects.filter(alarm_code=criteria.alarm_code).values("door")
        doors = doors.filter(pk__in=behind)
    return list(doors[: MOST_DOORS + 1])


def _matching(criteria: Criteria, doors: list[Door] | None) -> QuerySet[Passage]:
    found = passages()
    if doors is not None:
        found = found.filter(binding__door__in=[door.pk for door in doors])
    if criteria.staff_text or criteria.staff_id is not None:
        found = found.filter(bearer__staff__in=_people(criteria))
    exact = {
        "provider": criteria.provider_id,
        "bearer__phone": criteria.phone_id,
        "token": criteria.token_id,
        "happened_at__gte": criteria.start,
        "happened_at__lt": criteria.end,
        "kind": criteria.kind or None,
        "opened_before_known_revocation": True if criteria.before_known else None,
    }
    return found.filter(**{path: value for path, value in exact.items() if value is not None})


def passages() -> QuerySet[Passage]:
    """Return passages with what a line shows, without the bytes of their entries."""
    rows: QuerySet[Passage] = Passage.objects.select_related(
        "lock", "binding__door", "bearer__staff", "provider", "token"
    ).defer("entry_bytes", "entry_hash", "token__document", *_SEALED)
    return rows


def _people(criteria: Criteria) -> list[int]:
    people = StaffMember.objects.all()
    if criteria.staff_id is not None:
        people = people.filter(pk=criteria.staff_id)
    for word in criteria.staff_text.split():
        people = people.filter(name__icontains=word)
    return list(people.values_list("pk", flat=True)[:MOST_PEOPLE])


# --- keys ------------------------------------------------------------------------------------------------


def _log_key(row: Passage) -> str:
    return f"{row.binding_id}.{row.epoch}.{row.seq}"


def _time_key(row: Passage) -> str:
    return f"{round(row.happened_at.timestamp() * 1_000_000)}.{row.pk}"


def _numbers(after: str, count: int) -> list[int] | None:
    """Return the numbers of a key; None for none, and for what is no key of ours."""
    parts = after.split(".")
    if len(parts) != count or not all(part.isdecimal() and len(part) < 18 for part in parts):
        return None
    return [int(part) for part in parts]


def _after_log(found: QuerySet[Passage], after: str) -> QuerySet[Passage]:
    key = _numbers(after, 3)
    if key is None:
        return found
    binding, epoch, seq = key
    return found.filter(
        Q(binding__lt=binding)
        | Q(binding=binding, epoch__lt=epoch)
        | Q(binding=binding, epoch=epoch, seq__lt=seq)
    )


def _after_time(found: QuerySet[Passage], after: str) -> QuerySet[Passage]:
    key = _numbers(after, 2)
    if key is None:
        return found
    at = datetime.fromtimestamp(key[0] // 1_000_000, UTC).replace(microsecond=key[0] % 1_000_000)
    return found.filter(happened_at__lte=at).exclude(happened_at=at, pk__gte=key[1])


# --- gaps ------------------------------------------------------------------------------------------------


def _with_gaps(rows: Sequence[Passage], size: int, *, first: bool) -> list[Line]:
    """Put the logs' gaps between rows in log order; the row after the page says which still belong here."""
    lines = _numbered(rows, size, first=first)
    if not is_narrow():
        return lines
    return _told_once([Missing(line.why) if isinstance(line, Missing) else line for line in lines])


def _told_once(lines: list[Line]) -> list[Line]:
    """Leave of several gaps in one place the first: how many there are is others' affair as well."""
    told: list[Line] = []
    for line in lines:
        if not (told and isinstance(line, Missing) and isinstance(told[-1], Missing)):
            told.append(line)
    return told


def _numbered(rows: Sequence[Passage], size: int, *, first: bool) -> list[Line]:
    gaps = _open_gaps({row.lock_id for row in rows})
    lines: list[Line] = list(_tail(rows[0])) if first and rows else []
    for place, row in enumerate(rows[:size]):
        lines.append(row)
        older = rows[place + 1] if place + 1 < len(rows) else None
        floor = older.seq if older is not None and _same_log(row, older) else 0
        lines += [
            Missing("overwritten" if gap.signed else "lost", gap.first_seq, gap.last_seq, gap.noticed_at)
            for gap in gaps.get((row.lock_id, row.epoch), [])
            if floor < gap.first_seq and gap.last_seq < row.seq
        ]
    return lines


def _same_log(one: Passage, other: Passage) -> bool:
    return (one.lock_id, one.epoch) == (other.lock_id, other.epoch)


@whole_municipality()
def _open_gaps(locks: set[int]) -> dict[tuple[int, int], list[LogGap]]:
    found: dict[tuple[int, int], list[LogGap]] = {}
    for gap in LogGap.objects.filter(lock__in=locks, closed_at__isnull=True).order_by("-first_seq"):
        found.setdefault((gap.lock_id, gap.epoch), []).append(gap)
    return found


@whole_municipality()
def _tail(newest: Passage) -> list[Missing]:
    """Return what is known to be missing after the newest passage, and that more may be."""
    received = LogPosition.objects.filter(lock=newest.lock_id, epoch=newest.epoch).first()
    held = SealedBatch.objects.filter(lock=newest.lock_id, epoch=newest.epoch, status=SealedBatch.Status.HELD)
    ahead = held.order_by("first_seq").values_list("first_seq", flat=True).first()
    last = received.acked_seq if received is not None else newest.seq
    lines = [Missing("tail", last + 1, None, received.receipted_at if received else None)]
    if ahead is not None and ahead > last + 1:
        lines.append(Missing("awaited", last + 1, ahead - 1))
    return lines


def _doors_with_gaps(rows: Sequence[Passage]) -> list[Door]:
    with_gaps = _open_gaps({row.lock_id for row in rows})
    locks = {lock for lock, _epoch in with_gaps}
    doors: dict[int, Any] = {
        row.binding.door_id: row.binding.door for row in rows if row.binding and row.lock_id in locks
    }
    return list(doors.values())


def is_narrow() -> bool:
    """Return whether a part of the municipality only is looked at."""
    return viewer_now() is not None
