"""Entries about the lock itself, which survive when the ring overwrites them.

What was done to the lock must not be washed out by what is done at its door: before the ring overwrites such
an entry unreceipted, it is copied into a place of its own. Each type has so many places and no more, so one
kind cannot wash out another either; of one kind the newest stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lockagent.records import KeptRecord, LogRecord
from protocol.entries import Entry

QUOTAS: Mapping[int, int] = {
    4: 4,  # bound
    5: 4,  # boot
    9: 4,  # failures
    11: 4,  # clock
    12: 3,  # low battery
    13: 2,  # store corrupt
    14: 4,  # receipt alarm
    15: 8,  # tamper
    16: 4,  # firmware
    17: 4,  # unbound
}
"""Places by entry type, as section 18.4 of the protocol has them."""
PLACES = sum(QUOTAS.values())
_FIRST_PLACE = {kind: sum(QUOTAS[one] for one in QUOTAS if one < kind) for kind in QUOTAS}


class Keeping:
    """The entries kept apart, by place."""

    def __init__(self, kept: Iterable[KeptRecord]) -> None:
        self._places: dict[int, LogRecord] = {one.place: one.record for one in kept}

    def place_for(self, record: LogRecord, acked: int) -> int | None:
        """Where to keep a record that is about to be overwritten; None when it need not be kept.

        The place is free, or holds the oldest of its kind; the disk writes there before `add` is called.
        """
        kind = Entry.decode(record.entry).kind
        if record.seq <= acked or kind not in QUOTAS or record.seq in self._numbers():
            return None
        places = range(_FIRST_PLACE[kind], _FIRST_PLACE[kind] + QUOTAS[kind])
        return min(places, key=lambda place: self._worth(place, acked))

    def add(self, one: KeptRecord) -> None:
        """A record is in its place on the disk."""
        self._places[one.place] = one.record

    def before(self, seq: int, *, acked: int) -> list[LogRecord]:
        """The unreceipted records older than `seq`, oldest first."""
        return sorted(
            (record for record in self._places.values() if acked < record.seq < seq),
            key=lambda record: record.seq,
        )

    def _numbers(self) -> set[int]:
        return {record.seq for record in self._places.values()}

    def _worth(self, place: int, acked: int) -> int:
        """0 for a place nobody misses, else the number that would be given up."""
        record = self._places.get(place)
        return record.seq if record is not None and record.seq > acked else 0
