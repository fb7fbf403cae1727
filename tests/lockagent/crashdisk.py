"""A disk whose power can be cut at any step, losing and tearing what was not yet flushed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from lockagent.storage.port import StorageError, StorageProblem


def seeded(seed: int) -> random.Random:
    """Repeatable chance for fates of bytes; nothing secret."""
    return random.Random(seed)  # noqa: S311 - test fates, not keys


class PowerCutError(Exception):
    """The power went. Nothing after this point ran."""


@dataclass
class CrashDisk:
    """The file port in memory. Each write, sync, replace and rename is one step."""

    durable: dict[str, bytes] = field(default_factory=dict)
    steps: int = 0
    cut_at: int | None = None
    fail: Callable[[str, str], StorageProblem | None] = lambda operation, name: None
    _pending: list[tuple[str, int, bytes]] = field(default_factory=list)

    def read(self, name: str) -> bytes | None:
        self._complain("read", name)
        blob = self.durable.get(name)
        if blob is None:
            return None
        return self._applied(blob, [write for write in self._pending if write[0] == name])

    def write(self, name: str, offset: int, data: bytes) -> None:
        assert offset + len(data) <= len(self.durable[name]), "the store must only write inside its files"
        self._pending.append((name, offset, data))
        self._step("write", name)

    def sync(self, name: str) -> None:
        self._step("sync", name)
        mine = [write for write in self._pending if write[0] == name]
        self.durable[name] = self._applied(self.durable[name], mine)
        self._pending = [write for write in self._pending if write[0] != name]
        self._step("synced", name)

    def replace(self, name: str, data: bytes) -> None:
        self._step("replace", name)
        self._pending = [write for write in self._pending if write[0] != name]
        self.durable[name] = data
        self._step("replaced", name)

    def rename(self, name: str, new_name: str) -> None:
        self._step("rename", name)
        self.durable[new_name] = self.durable.pop(name)
        self._step("renamed", name)

    def power_cycle(self, rng: random.Random) -> CrashDisk:
        """The disk as the next boot finds it: any subset of unflushed writes lost, torn or whole."""
        disk = {name: bytearray(blob) for name, blob in self.durable.items()}
        for name, offset, data in self._pending:
            torn = _torn(bytes(disk[name][offset : offset + len(data)]), data, rng)
            disk[name][offset : offset + len(data)] = torn
        return CrashDisk({name: bytes(blob) for name, blob in disk.items()})

    def _step(self, operation: str, name: str) -> None:
        self.steps += 1
        if self.cut_at is not None and self.steps >= self.cut_at:
            raise PowerCutError(f"power cut at step {self.steps}: {operation} {name}")
        self._complain(operation, name)

    def _complain(self, operation: str, name: str) -> None:
        problem = self.fail(operation, name)
        if problem is not None:
            raise StorageError(problem, name)

    @staticmethod
    def _applied(blob: bytes, writes: list[tuple[str, int, bytes]]) -> bytes:
        for _, offset, data in writes:
            blob = blob[:offset] + data + blob[offset + len(data) :]
        return blob


def _torn(old: bytes, new: bytes, rng: random.Random) -> bytes:
    kind = rng.choice(("lost", "whole", "prefix", "suffix", "middle", "noise"))
    at = rng.randint(0, len(new))
    match kind:
        case "lost":
            return old
        case "whole":
            return new
        case "prefix":
            return new[:at] + old[at:]
        case "suffix":
            return old[:at] + new[at:]
        case "middle":
            other = rng.randint(at, len(new))
            return old[:at] + new[at:other] + old[other:]
        case _:
            return new[:at] + rng.randbytes(len(new) - at)
