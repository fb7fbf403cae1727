"""How many wrong PINs there have been: counted before each try, durable across restarts, never out of space.

Two slots of fixed size in one file that is made together with the vault; the older slot is overwritten in
place, so counting works on a full disk and a power cut spoils at most the slot being written. When neither
slot can be read, five failures are assumed: a disk fault must not wipe a vault, nor hand out ten new tries.

The file also remembers the newest generation of the vault that it has seen, and the vault's header says its
own: if one of the two files alone is put back to an older copy, the other one tells. Both together can only
be told by a mark in the phone's hardware (`mobile.engine.storage.guard`).

This stops a person at the screen. Whoever copies the files guesses elsewhere, uncounted, unless a hardware
key is in the way (docs/security.md).
"""

from __future__ import annotations

import hmac
import struct
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from mobile.engine.errors import StorageError
from mobile.engine.storage.disk import Disk
from mobile.engine.storage.guard import CHECK_BYTES, Guard, Mark

MAX_FAILURES = 10
FAILURES_WHEN_UNREADABLE = 5
# Seconds to wait after the 1st, 2nd, … 9th wrong PIN; the tenth wipes.
DELAYS = (0, 0, 5, 15, 60, 300, 900, 1800, 3600)

_RECORD = struct.Struct(">QIQQ")
_SLOT = _RECORD.size + CHECK_BYTES
_UNKNOWN_TIME = (1 << 64) - 1
"""Later than any clock: the whole delay is waited for once from here."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """`failed` wrong PINs in a row, the last at `last_at` (Unix seconds); `turn` grows with every write.

    `seen` is the newest generation of the vault that was durably written.
    """

    failed: int = 0
    last_at: int = 0
    turn: int = 0
    seen: int = 0

    @property
    def left(self) -> int:
        """Tries until the vault is wiped."""
        return max(0, MAX_FAILURES - self.failed)

    @property
    def mark(self) -> Mark:
        """What the hardware is to remember of this."""
        return Mark(self.turn, self.failed, self.seen)

    def delay(self) -> int:
        """Seconds that must pass between the last wrong PIN and the next try."""
        return DELAYS[min(self.failed, len(DELAYS)) - 1] if self.failed else 0

    def wait(self, now: int) -> int:
        """Seconds left to wait at `now`; the whole delay when the clock was set back since."""
        passed = now - self.last_at
        return self.delay() if passed < 0 else max(0, self.delay() - passed)


class AttemptFile:
    """The two slots on disk, for one vault. Safe to use from several threads."""

    def __init__(self, disk: Disk, path: Path, guard: Guard) -> None:
        self._disk, self._path, self._guard = disk, path, guard
        self._writing = threading.RLock()

    def create(self, first: Attempts | None = None) -> None:
        """Make the file, both slots readable; durable together with the folder's next sync."""
        first = first or Attempts()
        with self._writing:
            slots = (first, replace(first, turn=first.turn + 1))
            self._disk.write(self._path, b"".join(self._encode(slot) for slot in slots))
            self._disk.sync(self._path)

    def load(self) -> Attempts:
        """The newest readable slot, or what the hardware remembers if that is newer."""
        with self._writing:
            found = self._slots()
            newest = max(found, key=lambda slot: slot.turn, default=None)
            mark = self._guard.newest_mark()
            if mark is not None and (newest is None or newest.turn < mark.turn):
                return Attempts(mark.failed, _UNKNOWN_TIME, mark.turn, mark.seen)
            if newest is None:
                return Attempts(failed=FAILURES_WHEN_UNREADABLE)
            return newest if mark is None else replace(newest, seen=max(newest.seen, mark.seen))

    def store(self, failed: int, last_at: int, seen: int = 0) -> Attempts:
        """Count, and remember what vault was seen; durable when this returns.

        Raises DiskFullError or StorageError.
        """
        with self._writing:
            before = self.load()
            now = Attempts(failed, last_at, before.turn + 1, max(before.seen, seen))
            if self._disk.exists(self._path):
                self._disk.write_at(self._path, (now.turn % 2) * _SLOT, self._encode(now))
                self._disk.sync(self._path)
            else:
                self.create(now)
            return now

    def saw(self, generation: int, *, firmly: bool = False) -> None:
        """A vault of that generation is durable. `firmly`: the hardware must remember it too."""
        with self._writing:
            before = self.load()
            now = self.store(before.failed, before.last_at, generation)
            if firmly:
                self._guard.mark(now.mark)

    def _slots(self) -> list[Attempts]:
        try:
            data = self._disk.read(self._path, 2 * _SLOT)
        except (FileNotFoundError, StorageError):
            return []
        found = (self._decode(data[:_SLOT]), self._decode(data[_SLOT : 2 * _SLOT]))
        return [slot for slot in found if slot is not None]

    def _encode(self, attempts: Attempts) -> bytes:
        record = _RECORD.pack(attempts.turn, attempts.failed, attempts.last_at, attempts.seen)
        return record + self._guard.check(record)

    def _decode(self, slot: bytes) -> Attempts | None:
        if len(slot) != _SLOT:
            return None
        record, check = slot[: _RECORD.size], slot[_RECORD.size :]
        if not hmac.compare_digest(self._guard.check(record), check):
            return None
        turn, failed, last_at, seen = _RECORD.unpack(record)
        return Attempts(failed, last_at, turn, seen)
