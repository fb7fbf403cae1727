"""Which stretch of the log the next courier is offered.

Oldest first; but what two couriers were offered within twelve hours and nobody has receipted yet waits, so
that a busy gate does not make every phone carry the same entries.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lockagent.core.journal import BATCH_COST, Journal
from protocol import log, seal
from protocol.entries import Entry, EntryType, OutcomeDetail
from protocol.keys import SigningKey
from protocol.manifest import RoleKey

OFFERS_ENOUGH = 2
OFFER_MEMORY_SECONDS = 12 * 3600
_COMING_COST = 64
"""Room kept in a batch for the outcome entry that is about to be written (bytes)."""


@dataclass(frozen=True)
class Courier:
    """Who carries a batch, how much, and what the batch says about the lock at that moment."""

    phone: bytes
    max_bytes: int
    lock_id: bytes
    boot: int
    ran: int
    now: int


class Offers:
    """Offers made lately, by time and range."""

    def __init__(self) -> None:
        self._made: list[tuple[int, int, int]] = []

    def recall(self, entries: Iterable[Entry]) -> None:
        """Rebuild from the outcome entries, where every offer stands."""
        for entry in entries:
            if entry.kind == EntryType.OUTCOME:
                offered = OutcomeDetail.parse(entry.detail).offered
                if offered is not None:
                    self.made(offered, entry.time)

    def made(self, offered: tuple[int, int], now: int) -> None:
        """Remember an offer as its outcome entry is on the disk."""
        if self._made and self._made[0][0] <= now - OFFER_MEMORY_SECONDS:
            self._made = [one for one in self._made if one[0] > now - OFFER_MEMORY_SECONDS]
        self._made.append((now, *offered))

    def next_range(self, journal: Journal, now: int, max_bytes: int) -> tuple[int, int] | None:
        """Choose what to offer; it ends with the outcome entry about to be written if there is room.

        None when not even one entry fits into `max_bytes`.
        """
        if max_bytes <= BATCH_COST + _COMING_COST:
            return None
        room, coming = max_bytes - _COMING_COST, journal.head + 1
        first = self._first_wanting(journal, journal.first_unreceipted(room), now)
        last = journal.reach(first, room)
        if last == journal.head:
            return first, coming
        return (first, last) if last >= first else None

    def _first_wanting(self, journal: Journal, oldest: int, now: int) -> int:
        """The first entry that fewer than two couriers were offered lately; the oldest when there is none."""
        lately = [(first, last) for made, first, last in self._made if made > now - OFFER_MEMORY_SECONDS]
        changes = Counter(first for first, _ in lately)
        changes.subtract(Counter(last + 1 for _, last in lately))
        edges = sorted(changes)
        offers, passed = 0, 0
        for seq in journal.numbers(oldest):
            while passed < len(edges) and edges[passed] <= seq:
                offers += changes[edges[passed]]
                passed += 1
            if offers < OFFERS_ENOUGH:
                return seq
        return oldest


def sealed_batch(
    journal: Journal,
    offered: tuple[int, int],
    courier: Courier,
    log_key: SigningKey,
    sealing_key: RoleKey,
) -> bytes | None:
    """Sign and seal what is left of an offered range; None when all of it has been receipted meanwhile."""
    room = courier.max_bytes - _COMING_COST
    first = max(offered[0], journal.first_unreceipted(room))
    last = min(offered[1], journal.head, journal.reach(first, courier.max_bytes, room))
    if first > last:
        return None
    h_start, entries = journal.stretch(first, last)
    batch = log.Batch(
        lock_id=courier.lock_id,
        epoch=journal.epoch,
        boot=courier.boot,
        ran=courier.ran,
        now=courier.now,
        courier=courier.phone,
        acked=journal.acked,
        first=first,
        h_start=h_start,
        gap=journal.gap(room),
        entries=entries,
    )
    return seal.seal_log(log.sign(batch, log_key), sealing_key)
