"""The store of one lock: state record, log ring and what is kept apart, opened together.

Each vouches for the other: the state record holds how far the log had come when it was written; every log
slot holds the generation of the state record it was written under. A disk that quietly gives back an older
half of either is therefore found out at boot. What is damaged is set aside under another name, a new log
epoch begins, and the core reports it as the first entry of that epoch; nothing damaged is ever believed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lockagent.records import Boot, Damage, KeptRecord, LogRecord, StateImage
from lockagent.storage.apart import Apart
from lockagent.storage.port import Files
from lockagent.storage.ring import CAPACITY, ChainStep, Loaded, LogRing, Readable
from lockagent.storage.slots import StateCorruptError, StateSlots


class NoStoreError(Exception):
    """The folder holds no lock: `init` has not been run there."""


class LockStore:
    """State record, log ring and the entries kept apart from it, in one folder."""

    def __init__(
        self,
        files: Files,
        *,
        genesis: Callable[[int], bytes],
        step: ChainStep,
        readable: Readable = lambda entry: True,
        capacity: int = CAPACITY,
    ) -> None:
        """`genesis`: epoch -> chain hash before its entry 1. `step`: the chain's hash function.

        `readable`: whether an entry's bytes mean something to the core that will read them.
        """
        self._files = files
        self._slots = StateSlots(files)
        self._ring = LogRing(files, readable, capacity)
        self._apart = Apart(files, readable)
        self._genesis = genesis
        self._step = step

    @property
    def capacity(self) -> int:
        """How many entries the ring holds."""
        return self._ring.capacity

    def create(self, payload: bytes) -> None:
        """Make an empty store (epoch 1). The state is made last: without it there is no store."""
        self._ring.create()
        self._apart.create()
        self._slots.create(StateImage(1, 0, 0, Damage.NONE, payload).pack())

    def boot(self) -> Boot:
        """Read everything, check it, and begin a new epoch when something is damaged."""
        try:
            newest = self._slots.load()
        except StateCorruptError:
            return self._lost_state()
        if newest is None:
            raise NoStoreError("there is no lock in this folder; run init first")
        image = StateImage.unpack(newest.payload)
        loaded = self._load_ring(image)
        if loaded.damage is not None:
            return self._new_epoch(image, Damage.LOG)
        if loaded.newest_generation > newest.generation:
            return self._new_epoch(replace(image, payload=b""), Damage.STATE_ROLLED_BACK)
        apart = self._apart.load(image.epoch)
        salvaged = self._salvaged(image)
        return Boot(image, loaded.records, loaded.torn_tail, salvaged, apart.kept, apart.unreadable)

    def save(self, image: StateImage, *, alone: bool = False) -> None:
        """Replace the state record; acknowledged when this returns. StorageError: the old one stands.

        `alone`: nothing of any earlier record may be left on the disk.
        """
        self._slots.save(image.pack())
        if alone:
            self._slots.blank_others()
            self._blank_damaged()

    def append(self, epoch: int, record: LogRecord, keep: KeptRecord | None = None) -> None:
        """Write one log entry; acknowledged when this returns. StorageError: the number must be reused.

        `keep`: an older entry that is flushed to a place of its own first, since this one overwrites it.
        """
        if keep is not None:
            self._apart.write(epoch, self._slots.generation, keep)
        self._ring.append(epoch, self._slots.generation, record)

    def _load_ring(self, image: StateImage) -> Loaded:
        return self._ring.load(
            epoch=image.epoch,
            acked=image.acked,
            at_least=image.head,
            genesis=self._genesis(image.epoch),
            step=self._step,
        )

    def _new_epoch(self, image: StateImage, damage: Damage) -> Boot:
        """Set the old log aside, then save the state (which decides), then empty the ring: safe to repeat."""
        self._set_aside(LogRing.NAME)
        fresh = replace(image, epoch=image.epoch + 1, acked=0, head=0, damage=damage)
        self._slots.save(fresh.pack())
        self._ring.create()
        return Boot(fresh, [], torn_tail=False, salvaged=self._salvaged(fresh))

    def _lost_state(self) -> Boot:
        self._set_aside(LogRing.NAME)
        self._set_aside(StateSlots.NAME)
        fresh = StateImage(self._ring.highest_epoch() + 1, 0, 0, Damage.STATE_LOST, b"")
        self._slots.create(fresh.pack())
        self._ring.create()
        return Boot(fresh, [], torn_tail=False, salvaged=self._salvaged(fresh))

    def _salvaged(self, image: StateImage) -> list[LogRecord]:
        """Readable entries of the epoch that damage ended, at this boot and every later one.

        They are no log any more, only the lock's memory of what it has done already.
        """
        if image.damage is Damage.NONE:
            return []
        return self._ring.readable_entries(self._files.read(f"{LogRing.NAME}.damaged"), image.epoch - 1)

    def _blank_damaged(self) -> None:
        """Overwrite the copy of a damaged state record: what could still be read of it was secret as well."""
        name = f"{StateSlots.NAME}.damaged"
        blob = self._files.read(name)
        if blob is not None and blob != bytes(len(blob)):
            self._files.write(name, 0, bytes(len(blob)))
            self._files.sync(name)

    def _set_aside(self, name: str) -> None:
        """Keep a copy of the damaged file for whoever examines the lock; the newest damage only."""
        blob = self._files.read(name)
        if blob is not None:
            self._files.replace(f"{name}.damaged", blob)
