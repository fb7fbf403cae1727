"""Which refusals are listed one by one, so that nobody can flood the log and wash out what was there.

A refusal that repeats itself, and any beyond the hourly number, is counted instead; the count is logged as
one entry together with the handshakes that failed before anybody was authenticated.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from protocol.reasons import Reason

SAME_LISTED = 3
"""Times the same refusal (phone, reason, token) is listed within an hour."""
LISTED_PER_HOUR = 60
UNVOUCHED_PER_HOUR = 6
"""Of these, refusals of phones that showed no token an issuer signed for them: keys cost them nothing."""
UNVOUCHED = frozenset({Reason.MALFORMED, Reason.KEY_UNKNOWN, Reason.WRONG_BINDING, Reason.TOKEN_INVALID})
HOUR = 3600.0
RefusalKey = tuple[bytes, int, bytes | None]


@dataclass(frozen=True)
class FailureCount:
    """Failures not listed: how many, and the lock's time at the first."""

    count: int
    since: int


class Failures:
    """Counts what is not listed, and decides what is."""

    def __init__(self) -> None:
        self._listed: deque[tuple[float, RefusalKey]] = deque()
        self._count = 0
        self._since = 0
        self._since_mono: float | None = None

    def lists(self, key: RefusalKey, mono: float) -> bool:
        """Whether this refusal is to get a log entry of its own; counts it as listed if so."""
        while self._listed and self._listed[0][0] <= mono - HOUR:
            self._listed.popleft()
        same = sum(one == key for _, one in self._listed)
        if same >= SAME_LISTED or len(self._listed) >= LISTED_PER_HOUR:
            return False
        unvouched = sum(one[1] in UNVOUCHED for _, one in self._listed)
        if key[1] in UNVOUCHED and unvouched >= UNVOUCHED_PER_HOUR:
            return False
        self._listed.append((mono, key))
        return True

    def count(self, now: int, mono: float) -> None:
        """Count a failure that is not listed."""
        if self._count == 0:
            self._since, self._since_mono = now, mono
        self._count += 1

    def due_at(self) -> float | None:
        """When the count is to be logged (an hour after the first); None when there is nothing to log."""
        return None if self._since_mono is None else self._since_mono + HOUR

    def take(self) -> FailureCount:
        """Return the count and begin anew; give it back with `restore` if it could not be logged."""
        taken = FailureCount(self._count, self._since)
        self._count, self._since_mono = 0, None
        return taken

    def restore(self, taken: FailureCount, mono: float) -> None:
        """Count again what could not be logged."""
        self._since = taken.since
        self._since_mono = mono
        self._count += taken.count
