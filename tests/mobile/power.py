"""A disk in memory whose power can be cut before any operation, and every state that may then be found.

The model is what POSIX promises and no more: content is kept only after `sync`; entries of a folder only
after `sync_dir`, and those changed since come through as a prefix of their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mobile.engine.errors import DiskFullError
from mobile.engine.storage.disk import Disk


class PowerCutError(Exception):
    """The lights went out."""


@dataclass
class _File:
    durable: bytes = b""
    now: bytes = b""

    def survivors(self) -> list[bytes]:
        if self.durable == self.now:
            return [self.now]
        return [self.durable, self.now[: len(self.now) // 2], self.now]


@dataclass
class MemoryDisk(Disk):
    """Operations are numbered from 0; the power goes before number `cut_at`. `room` bytes fit in all."""

    cut_at: int | None = None
    room: int = 1 << 40
    steps: int = 0
    entries: dict[Path, _File] = field(default_factory=dict)
    durable_entries: dict[Path, _File] = field(default_factory=dict)
    pending: list[tuple[str, Path, _File | None]] = field(default_factory=list)

    def _step(self) -> None:
        if self.cut_at is not None and self.steps >= self.cut_at:
            raise PowerCutError
        self.steps += 1

    def make_folder(self, folder: Path) -> None:
        pass

    def names(self, folder: Path) -> list[str]:
        return sorted(path.name for path in self.entries if path.parent == folder)

    def exists(self, path: Path) -> bool:
        return path in self.entries

    def read(self, path: Path, limit: int) -> bytes:
        if path not in self.entries:
            raise FileNotFoundError(path)
        return self.entries[path].now[: limit + 1]

    def write(self, path: Path, data: bytes) -> None:
        self._step()
        used = sum(len(file.now) for other, file in self.entries.items() if other != path)
        if path not in self.entries:
            self._link(path, _File())
        self.entries[path].now = data[: max(0, self.room - used)]
        if used + len(data) > self.room:
            raise DiskFullError

    def write_at(self, path: Path, offset: int, data: bytes) -> None:
        self._step()
        file = self.entries[path]
        file.now = file.now[:offset] + data + file.now[offset + len(data) :]

    def sync(self, path: Path) -> None:
        self._step()
        self.entries[path].durable = self.entries[path].now

    def replace(self, source: Path, target: Path) -> None:
        self._step()
        file = self.entries.pop(source)
        self.entries[target] = file
        # One rename is one entry of the journal: it happens wholly or not at all.
        self.pending.append(("rename:" + str(source), target, file))

    def remove(self, path: Path) -> None:
        self._step()
        if self.entries.pop(path, None) is not None:
            self.pending.append(("unlink", path, None))

    def sync_dir(self, folder: Path) -> None:
        self._step()
        self.durable_entries, self.pending = dict(self.entries), []

    def _link(self, path: Path, file: _File) -> None:
        self.entries[path] = file
        self.pending.append(("link", path, file))

    def aftermaths(self) -> Iterator[MemoryDisk]:
        """Every disk that may be found when the power is back."""
        for kept in range(len(self.pending) + 1):
            entries = dict(self.durable_entries)
            for what, path, file in self.pending[:kept]:
                if what.startswith("rename:"):
                    entries.pop(Path(what.removeprefix("rename:")), None)
                if file is None:
                    entries.pop(path, None)
                else:
                    entries[path] = file
            for choice in range(3):
                found = {}
                for path, file in entries.items():
                    states = file.survivors()
                    content = states[min(choice, len(states) - 1)]
                    found[path] = _File(content, content)
                yield MemoryDisk(entries=dict(found), durable_entries=dict(found))
