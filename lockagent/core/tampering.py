"""Tampering with the lock itself: each of the first few times in an hour is listed, the rest counted.

A cover that is opened and closed all night long must not wash out its own first opening, nor wear the flash.
What is counted is logged an hour after the first time that was not listed, one entry for each kind.
"""

from __future__ import annotations

from collections import Counter, deque

from lockagent.bolt import Tampering
from lockagent.core.context import Context
from protocol.entries import EntryType

LISTED_PER_HOUR = 6
HOUR = 3600.0


class Tampers:
    """Lists and counts what the cover switch reports."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listed: deque[float] = deque()
        self._counted: Counter[Tampering] = Counter()
        self._counted_since = 0.0

    def noticed(self, what: Tampering) -> None:
        """The switch moved."""
        mono = self._context.mono
        while self._listed and self._listed[0] <= mono - HOUR:
            self._listed.popleft()
        if len(self._listed) >= LISTED_PER_HOUR:
            self._count(what, 1)
            return
        self._listed.append(mono)
        self._log(what, 1)

    def due_at(self) -> float | None:
        """When the count is to be logged; None when there is nothing to log."""
        return self._counted_since + HOUR if self._counted else None

    def tick(self) -> None:
        """Log the count when it is due."""
        due = self.due_at()
        if due is None or self._context.mono < due:
            return
        counted, self._counted = self._counted, Counter()
        for what, times in sorted(counted.items()):
            self._log(what, times)

    def _count(self, what: Tampering, times: int) -> None:
        if not self._counted:
            self._counted_since = self._context.mono
        self._counted[what] += times

    def _log(self, what: Tampering, times: int) -> None:
        def logged(seq: int | None) -> None:
            if seq is None:
                self._count(what, times)  # the disk would not take it: not forgotten

        self._context.journal.append(EntryType.TAMPER, (int(what), times), logged)
