"""Deviations that logs give rise to: something at a door, or with a log, that somebody must look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from server.locks.models import Binding, Lock
from server.passages.domain.attribution import EARLY
from server.passages.domain.rows import Told
from server.passages.intake_queries import Key
from server.passages.models import Deviation

_FROM_KIND = {
    "low_battery": Deviation.Kind.LOW_BATTERY,
    "store_corrupt": Deviation.Kind.DEAD_LOCK,
    "receipt_alarm": Deviation.Kind.LOG_FORKED,
    "tamper": Deviation.Kind.TAMPER,
}
_FROM_REASON = {
    "jam": Deviation.Kind.JAM,
    "timeout": Deviation.Kind.JAM,
    "lock_fault": Deviation.Kind.DEAD_LOCK,
}
_PER_PASSAGE = frozenset({Deviation.Kind.JAM})
"""Each jam is its own; of the rest one open deviation per lock says it all."""


def from_passages(
    told: Told, new: Mapping[Key, int], *, municipality_id: int, at: datetime
) -> Sequence[Deviation]:
    """Return deviations for what the newly stored passages tell; `new`: primary key by passage key."""
    found = []
    doors = _doors({event.binding for event in told.events if event.binding})
    for event in told.events:
        passage = new.get((*event.epoch, event.seq))
        what = _FROM_KIND.get(event.kind) or _FROM_REASON.get(event.reason)
        if passage is None or what is None or event.reason == EARLY:
            continue
        alone = what in _PER_PASSAGE
        found.append(
            Deviation(
                municipality_id=municipality_id,
                kind=what,
                lock_id=event.epoch[0],
                door_id=doors.get(event.binding) if event.binding else None,
                passage_id=passage if alone else None,
                provider_id=event.provider if alone else None,
                opened_at=at,
            )
        )
    return found


def about_log(kind: str, lock: Lock, *, at: datetime) -> Deviation:
    """Return a deviation about a lock's log itself."""
    open_binding = lock.bindings.filter(ends_at__isnull=True).first()
    return Deviation(
        municipality_id=lock.municipality_id,
        kind=kind,
        lock=lock,
        door_id=open_binding.door_id if open_binding else None,
        opened_at=at,
    )


def open_deviations(deviations: Iterable[Deviation]) -> None:
    """Store them; one that is open already stays the only one.

    What a practice lock's log tells is kept and proved as any lock's, but it is nobody's work to handle:
    there people hold the bolt, come too early and let batteries run down.
    """
    wanted = list(deviations)
    practice = _practice_locks({one.lock_id for one in wanted if one.lock_id is not None})
    Deviation.objects.bulk_create(
        [one for one in wanted if one.lock_id not in practice], ignore_conflicts=True
    )


def _practice_locks(lock_ids: set[int]) -> set[int]:
    if not lock_ids:
        return set()
    return set(Lock.objects.filter(pk__in=lock_ids, is_practice=True).values_list("pk", flat=True))


def _doors(binding_ids: set[int]) -> dict[int, int]:
    return dict(Binding.objects.filter(pk__in=binding_ids).values_list("pk", "door_id"))
