"""Sealed logs on their way from locks to the server, kept outside the vault.

A batch is already sealed to the server and signed by its lock: the phone can neither read nor change it, so a
locked phone may hold and hand it in. One file per batch, named by arrival and by the SHA-256 of its bytes:
appended durably, never changed, removed when the server has it. When the box is full it takes no more; the
lock keeps everything that the server has not receipted, so nothing is lost by saying no.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from mobile.engine.storage.disk import Disk, replace_safely

MAX_BATCH_BYTES = 16 * 1024
MAX_TOTAL_BYTES = 8 * 1024 * 1024

_NAME = re.compile(r"(\d{12})-([0-9a-f]{32})-(\d{1,6})\.batch")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One sealed batch that the server has not taken yet. `name` is what `done` wants."""

    name: str
    sealed: bytes


class Outbox:
    """An append-only, crash-safe box of sealed batches, bounded in bytes. Not for two threads at once."""

    def __init__(self, folder: Path, *, disk: Disk | None = None, max_bytes: int = MAX_TOTAL_BYTES) -> None:
        self._folder, self._disk, self._max_bytes = folder, disk or Disk(), max_bytes
        self._disk.make_folder(folder)
        self._sizes: dict[str, int] = {}
        self._next = 0
        for name in self._disk.names(folder):
            match = _NAME.fullmatch(name)
            if match:
                self._sizes[name] = int(match[3])
                self._next = max(self._next, int(match[1]) + 1)
            else:
                # A write that a power cut interrupted was never acknowledged to the lock.
                self._disk.remove(folder / name)

    @property
    def waiting(self) -> int:
        """How many batches wait."""
        return len(self._sizes)

    @property
    def used_bytes(self) -> int:
        """How many bytes wait."""
        return sum(self._sizes.values())

    def put(self, sealed: bytes) -> bool:
        """Keep one batch; True when it is durably here (also when it was before), False when it does not fit.

        Raises DiskFullError or StorageError; then it is not here and nothing else was lost.
        """
        digest = hashlib.sha256(sealed).hexdigest()[:32]
        if any(f"-{digest}-" in name for name in self._sizes):
            return True
        if not 0 < len(sealed) <= MAX_BATCH_BYTES or self.used_bytes + len(sealed) > self._max_bytes:
            return False
        name = f"{self._next:012d}-{digest}-{len(sealed)}.batch"
        replace_safely(self._disk, self._folder / name, sealed)
        self._sizes[name] = len(sealed)
        self._next += 1
        return True

    def oldest(self, limit: int) -> list[Waiting]:
        """Up to `limit` batches, oldest first. One that the disk spoilt is dropped: its lock still has it."""
        found: list[Waiting] = []
        for name in sorted(self._sizes):
            if len(found) == limit:
                break
            sealed = self._read(name)
            if sealed is None:
                self.done(name)
            else:
                found.append(Waiting(name, sealed))
        return found

    def done(self, name: str) -> None:
        """The server has it: forget it.

        Not synced: after a power cut the batch may be back, and handing it in twice is harmless.
        """
        if self._sizes.pop(name, None) is not None:
            self._disk.remove(self._folder / name)

    def _read(self, name: str) -> bytes | None:
        try:
            sealed = self._disk.read(self._folder / name, MAX_BATCH_BYTES)
        except FileNotFoundError:
            return None
        match = _NAME.fullmatch(name)
        whole = match is not None and hashlib.sha256(sealed).hexdigest()[:32] == match[2]
        return sealed if whole else None
