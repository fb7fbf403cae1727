"""How many wrong PINs there have been: counted before each try, durable across restarts, never out of space.

Two slots of fixed size in one file that is made together with the vault; the older slot is overwritten in
place, so counting works on a full disk and a power cut spoils at most the slot being written. When neither
slot can be read, five failures are assumed: a disk fault must not wipe a vault, nor hand out ten new tries.

This stops a person at the screen. Whoever copies the files guesses elsewhere, uncounted (docs/security.md).
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

from mobile.engine.errors import StorageError
from mobile.engine.storage.disk import Disk

MAX_FAILURES = 10
FAILURES_WHEN_UNREADABLE = 5
# Seconds to wait after the 1st, 2nd, … 9th wrong PIN; the tenth wipes.
DELAYS = (0, 0, 5, 15, 60, 300, 900, 1800, 3600)

_RECORD = struct.Struct(">QIQ")
_CHECK_BYTES = 12
_SLOT = _RECORD.size + _CHECK_BYTES


@dataclass(frozen=True, slots=True)
class Attempts:
    """`failed` wrong PINs in a row, the last at `last_at` (Unix seconds); `turn` grows with every write."""

    failed: int = 0
    last_at: int = 0
    turn: int = 0

    @property
    def left(self) -> int:
        """Tries until the vault is wiped."""
        return max(0, MAX_FAILURES - self.failed)

    def delay(self) -> int:
        """Seconds that must pass between the last wrong PIN and the next try."""
        return DELAYS[min(self.failed, len(DELAYS)) - 1] if self.failed else 0

    def wait(self, now: int) -> int:
        """Seconds left to wait at `now`; the whole delay when the clock was set back since."""
        passed = now - self.last_at
        return self.delay() if passed < 0 else max(0, self.delay() - passed)


class AttemptFile:
    """The two slots on disk."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk, self._path = disk, path

    def create(self) -> None:
        """Make the file with both slots at zero; durable together with the folder's next sync."""
        self._disk.write(self._path, _encode(Attempts(turn=0)) + _encode(Attempts(turn=1)))
        self._disk.sync(self._path)

    def load(self) -> Attempts:
        """The newest readable slot."""
        try:
            data = self._disk.read(self._path, 2 * _SLOT)
        except (FileNotFoundError, StorageError):
            data = b""
        found = [slot for slot in (_decode(data[:_SLOT]), _decode(data[_SLOT : 2 * _SLOT])) if slot]
        return max(found, key=lambda slot: slot.turn, default=Attempts(failed=FAILURES_WHEN_UNREADABLE))

    def store(self, failed: int, last_at: int) -> None:
        """Count; durable when this returns. Raises DiskFullError or StorageError."""
        turn = self.load().turn + 1
        if not self._disk.exists(self._path):
            self.create()
        self._disk.write_at(self._path, (turn % 2) * _SLOT, _encode(Attempts(failed, last_at, turn)))
        self._disk.sync(self._path)


def _encode(attempts: Attempts) -> bytes:
    record = _RECORD.pack(attempts.turn, attempts.failed, attempts.last_at)
    return record + hashlib.sha256(record).digest()[:_CHECK_BYTES]


def _decode(slot: bytes) -> Attempts | None:
    record, check = slot[: _RECORD.size], slot[_RECORD.size :]
    if len(slot) != _SLOT or hashlib.sha256(record).digest()[:_CHECK_BYTES] != check:
        return None
    turn, failed, last_at = _RECORD.unpack(record)
    return Attempts(failed, last_at, turn)
