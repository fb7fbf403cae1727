"""Decisions taken from bytes, so that whoever has the bytes has the whole story again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

_Item = TypeVar("_Item")


class Luck:
    """Hands out decisions; when the bytes are used up, every further one is the first choice."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> bool:
        """Whether there are bytes left to decide by."""
        return self._at < len(self._data)

    def byte(self) -> int:
        """0 to 255."""
        at, self._at = self._at, self._at + 1
        return self._data[at] if at < len(self._data) else 0

    def below(self, limit: int) -> int:
        """0 to ``limit`` − 1; ``limit`` is at most 65536."""
        if limit <= 256:
            return self.byte() % limit
        return (self.byte() << 8 | self.byte()) % limit

    def pick(self, items: Sequence[_Item]) -> _Item:
        """One of ``items``."""
        return items[self.below(len(items))]

    def take(self, count: int) -> bytes:
        """So many bytes."""
        return bytes(self.byte() for _ in range(count))
