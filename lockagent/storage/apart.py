"""Entries kept apart from the ring: a small file of slots of the ring's own form.

The core says which place. The write is flushed before the ring overwrites the entry, so a cut leaves it in
one of the two, and a torn place is one whose entry the ring still holds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lockagent.records import KeptRecord
from lockagent.storage.port import Files
from lockagent.storage.ring import Readable
from lockagent.storage.slot import BLANK, SLOT_SIZE, StoredSlot, pack, unpack

PLACES = 64


@dataclass(frozen=True)
class Found:
    """What boot found: readable entries of the epoch, and how many places hold something else."""

    kept: list[KeptRecord] = field(default_factory=list)
    unreadable: int = 0


class Apart:
    """The slots in the file `kept`."""

    NAME = "kept"

    def __init__(self, files: Files, readable: Readable) -> None:
        """`readable`: whether an entry's bytes mean something; if not, its place counts as unreadable."""
        self._files = files
        self._readable = readable
        self._there = True

    def create(self) -> None:
        """Make an empty file, replacing whatever there was."""
        self._files.replace(self.NAME, bytes(PLACES * SLOT_SIZE))
        self._there = True

    def write(self, epoch: int, generation: int, one: KeptRecord) -> None:
        """Keep an entry; on the disk when this returns."""
        if not self._there:
            self.create()
        self._files.write(self.NAME, one.place * SLOT_SIZE, pack(epoch, generation, one.record))
        self._files.sync(self.NAME)

    def load(self, epoch: int) -> Found:
        """Read every place; a file that is missing or of another size is all unreadable."""
        blob = self._files.read(self.NAME)
        if blob is None or len(blob) != PLACES * SLOT_SIZE:
            self._there = False
            return Found(unreadable=PLACES)
        slots = [blob[at : at + SLOT_SIZE] for at in range(0, len(blob), SLOT_SIZE)]
        read = [self._unpacked(slot) for slot in slots]
        kept = [
            KeptRecord(place, one.record)
            for place, one in enumerate(read)
            if one is not None and one.epoch == epoch
        ]
        return Found(kept, sum(one is None and slot != BLANK for slot, one in zip(slots, read, strict=True)))

    def _unpacked(self, slot: bytes) -> StoredSlot | None:
        found = unpack(slot)
        return found if found is not None and self._readable(found.record.entry) else None
