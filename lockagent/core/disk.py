"""One storage operation at a time: what is to be written, in order, and what goes on when it is there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from lockagent.core.events import AppendLog, FirmwareStep, SaveState

Then: TypeAlias = Callable[[bool], None]
Make: TypeAlias = Callable[[], AppendLog | SaveState | FirmwareStep]


class DiskQueue:
    """Operations are made when their turn comes, so that each sees the numbers the one before it left."""

    def __init__(self, emit: Callable[[AppendLog | SaveState | FirmwareStep], None]) -> None:
        self._emit = emit
        self._waiting: deque[tuple[Make, Then]] = deque()
        self._pending: Then | None = None

    def push(self, make: Make, then: Then) -> None:
        """Do this after everything pushed before; `then(ok)` runs when it is on the disk, or is not."""
        self._waiting.append((make, then))
        self._next()

    def stored(self, ok: bool) -> None:
        """The runtime's answer to the operation under way."""
        then, self._pending = self._pending, None
        if then is None:
            raise RuntimeError("storage answered without having been asked")
        then(ok)
        self._next()

    def _next(self) -> None:
        if self._pending is None and self._waiting:
            make, self._pending = self._waiting.popleft()
            self._emit(make())
