"""A disk of pages that forgets: a power cut loses any subset of what was not flushed, and tears pages.

The model is that of a block device behind a file system. A write is split into pages of 4 KiB, and until the
file is flushed each of those page writes may, independently of the others and of their order, be lost, land
whole, or land torn: sectors of 512 bytes old or new in any mix, some of them cut at any byte or turned to
noise within what was being written. Replacing a file is what it is on a real disk: a new file written page by
page and flushed, a rename, and a flush of the folder; before the last the old name may come back. Bytes
beside what is being written are not harmed (the "power-safe overwrite" that SQLite, too, takes for granted).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.lockagent.crashdisk import PowerCutError

PAGE = 4096
SECTOR = 512


@dataclass
class _PageWrite:
    name: str
    offset: int
    data: bytes


@dataclass
class BlockDisk:
    """The file port over such pages. Each write, flush, rename and folder flush is a step to cut at."""

    durable: dict[str, bytearray] = field(default_factory=dict)
    steps: int = 0
    cut_at: int | None = None
    page_writes: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often each page of each file was flushed: what wears the flash."""
    _pending: list[_PageWrite] = field(default_factory=list)
    _renamed: list[tuple[str, str]] = field(default_factory=list)
    """Renames whose folder is not flushed yet: (from, to)."""

    def read(self, name: str) -> bytes | None:
        for source, target in reversed(self._renamed):
            if name == target:
                return self.read(source)
        if name not in self.durable:
            return None
        blob = bytearray(self.durable[name])
        for one in self._pending:
            if one.name == name:
                blob[one.offset : one.offset + len(one.data)] = one.data
        return bytes(blob)

    def write(self, name: str, offset: int, data: bytes) -> None:
        assert offset + len(data) <= len(self.durable[name]), "the store must only write inside its files"
        self._pending += _pages(name, offset, data)
        self._step()

    def sync(self, name: str) -> None:
        self._step()
        for one in [one for one in self._pending if one.name == name]:
            self.durable[name][one.offset : one.offset + len(one.data)] = one.data
            self.page_writes[name, one.offset // PAGE] += 1
        self._pending = [one for one in self._pending if one.name != name]
        self._step()

    def replace(self, name: str, data: bytes) -> None:
        beside = f"{name}.new"
        self.durable[beside] = bytearray(len(data))
        self.write(beside, 0, data)
        self.sync(beside)
        self.rename(beside, name)

    def rename(self, name: str, new_name: str) -> None:
        self._renamed.append((name, new_name))
        self._step()
        self._renamed.remove((name, new_name))
        self.durable[new_name] = self.durable.pop(name)
        self._step()

    def power_cycle(self, rng: random.Random) -> BlockDisk:
        """The disk as the next boot finds it."""
        disk = {name: bytearray(blob) for name, blob in self.durable.items()}
        for one in rng.sample(self._pending, len(self._pending)):
            if rng.random() < 0.5:
                part = disk[one.name][one.offset : one.offset + len(one.data)]
                disk[one.name][one.offset : one.offset + len(one.data)] = torn(bytes(part), one.data, rng)
        for source, target in self._renamed:
            if rng.random() < 0.5:
                disk[target] = disk.pop(source)
        return BlockDisk(disk)

    def _step(self) -> None:
        self.steps += 1
        if self.cut_at is not None and self.steps >= self.cut_at:
            raise PowerCutError(f"power cut at step {self.steps}")


def _pages(name: str, offset: int, data: bytes) -> Iterator[_PageWrite]:
    at = 0
    while at < len(data):
        size = min(PAGE - (offset + at) % PAGE, len(data) - at)
        yield _PageWrite(name, offset + at, data[at : at + size])
        at += size


def torn(old: bytes, new: bytes, rng: random.Random) -> bytes:
    """What is left of `new` written over `old`: all of it half of the time, else sector by sector."""
    if rng.random() < 0.5:
        return new
    result = bytearray(old)
    for at in range(0, len(new), SECTOR):
        end = min(at + SECTOR, len(new))
        kind = rng.choice(("old", "new", "cut", "noise"))
        if kind == "new":
            result[at:end] = new[at:end]
        elif kind == "cut":
            stop = rng.randint(at, end)
            result[at:stop] = new[at:stop]
        elif kind == "noise":
            start = rng.randint(at, end)
            result[at:end] = new[at:start] + rng.randbytes(end - start)
    return bytes(result)
