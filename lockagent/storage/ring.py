"""The log ring: a preallocated file of fixed slots, entry number n in slot n modulo the capacity.

Nothing is ever moved or erased: an append overwrites the oldest slot, so the flash wears evenly (one slot
write per entry) and a full disk cannot stop the log. Receipts free entries by moving a number kept in the
state record. At boot the newest slot may be torn (it was never acknowledged) and is passed over; any other
slot that should hold an entry and does not is damage, and is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from lockagent.records import LogRecord
from lockagent.storage.port import Files
from lockagent.storage.slot import BLANK, SLOT_SIZE, StoredSlot, pack, unpack

CAPACITY = 12_288
"""Room for 4 000 passages even when each is three entries: granted, outcome, relocked."""
Readable = Callable[[bytes], bool]
ChainStep = Callable[[bytes, bytes], bytes]
"""(hash before, entry) -> hash after."""


@dataclass(frozen=True)
class Loaded:
    """What boot found: the readable entries, oldest first, and what is wrong with the rest, if anything."""

    records: list[LogRecord] = field(default_factory=list)
    torn_tail: bool = False
    damage: str | None = None
    newest_generation: int = 0
    """Generation of the state record when the newest entry was written."""


class LogRing:
    """The slots in the file `log`."""

    NAME = "log"

    def __init__(self, files: Files, readable: Readable, capacity: int = CAPACITY) -> None:
        """`readable`: whether an entry's bytes mean something; if not, its slot counts as torn."""
        self._files = files
        self._readable = readable
        self.capacity = capacity

    def create(self) -> None:
        """Make an empty ring, replacing whatever file there was."""
        self._files.replace(self.NAME, bytes(self.capacity * SLOT_SIZE))

    def append(self, epoch: int, generation: int, record: LogRecord) -> None:
        """Write one entry; on the disk when this returns. After a StorageError its number must be reused."""
        at = (record.seq % self.capacity) * SLOT_SIZE
        self._files.write(self.NAME, at, pack(epoch, generation, record))
        self._files.sync(self.NAME)

    def load(self, *, epoch: int, acked: int, at_least: int, genesis: bytes, step: ChainStep) -> Loaded:
        """Read the ring of one epoch and check every entry the server has not receipted yet.

        `acked`: newest entry freed by a receipt. `at_least`: newest entry the state record knows of.
        `genesis`: chain hash before entry 1. `step`: the chain's hash function.
        """
        blob = self._files.read(self.NAME)
        if blob is None or len(blob) != self.capacity * SLOT_SIZE:
            return Loaded(damage="the log file is missing or has the wrong size")
        slots = [unpack(blob[at : at + SLOT_SIZE]) for at in range(0, len(blob), SLOT_SIZE)]
        by_seq = self._of_epoch(slots, epoch)
        newest = max(by_seq, default=0)
        records = self._unbroken(by_seq, newest, genesis, step)
        oldest = records[0].seq if records else newest + 1
        damage = None
        if newest < at_least:
            damage = f"entries {newest + 1} to {at_least} are gone"
        elif oldest > self._oldest_required(newest, acked):
            damage = f"an entry before {oldest} is unreadable or does not fit the chain"
        elif newest == 0 and blob != bytes(len(blob)):
            # The file of an epoch that never got its first entry: nothing in it was acknowledged.
            self.create()
        elif self._stray(blob, slots, newest):
            damage = "a slot beyond the newest entry is not empty"
        torn = newest > 0 and self._torn(blob, slots, newest)
        generation = by_seq[newest].generation if newest else 0
        return Loaded(records, torn, damage, generation)

    def readable_entries(self, blob: bytes | None, epoch: int) -> list[LogRecord]:
        """Every whole entry of an epoch in a ring that was set aside, by number, chained or not."""
        slots = [unpack((blob or b"")[at : at + SLOT_SIZE]) for at in range(0, len(blob or b""), SLOT_SIZE)]
        return [slot.record for _, slot in sorted(self._of_epoch(slots, epoch).items())]

    def highest_epoch(self) -> int:
        """The highest epoch any readable slot belongs to, 0 when there is none; for a lost state record."""
        blob = self._files.read(self.NAME) or b""
        slots = (unpack(blob[at : at + SLOT_SIZE]) for at in range(0, len(blob), SLOT_SIZE))
        return max((slot.epoch for slot in slots if slot is not None), default=0)

    def _of_epoch(self, slots: list[StoredSlot | None], epoch: int) -> dict[int, StoredSlot]:
        return {
            slot.record.seq: slot
            for index, slot in enumerate(slots)
            if slot is not None
            and slot.epoch == epoch
            and slot.record.seq % self.capacity == index
            and self._readable(slot.record.entry)
        }

    def _unbroken(
        self, by_seq: dict[int, StoredSlot], newest: int, genesis: bytes, step: ChainStep
    ) -> list[LogRecord]:
        """The entries that hang together by the chain, counted backwards from the newest."""
        found: list[LogRecord] = []
        for seq in range(newest, max(0, newest - self.capacity), -1):
            slot = by_seq.get(seq)
            if slot is None:
                break
            record = slot.record
            if found and step(record.hash_before, record.entry) != found[-1].hash_before:
                break
            if seq == 1 and record.hash_before != genesis:
                break
            found.append(record)
        return found[::-1]

    def _oldest_required(self, newest: int, acked: int) -> int:
        """Entries from here on must be readable; the slot after the newest may have been torn by a cut."""
        return max(1, min(newest, acked + 1), newest - self.capacity + 2)

    def _torn(self, blob: bytes, slots: list[StoredSlot | None], newest: int) -> bool:
        index = (newest + 1) % self.capacity
        return slots[index] is None and blob[index * SLOT_SIZE : (index + 1) * SLOT_SIZE] != BLANK

    def _stray(self, blob: bytes, slots: list[StoredSlot | None], newest: int) -> bool:
        """True when a ring that has not gone round yet holds something past the one slot that may be torn."""
        first = newest + 2
        return any(
            blob[index * SLOT_SIZE : (index + 1) * SLOT_SIZE] != BLANK
            for index in range(first, self.capacity)
        )
