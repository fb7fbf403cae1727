"""What the log may say of openings by hand: it does not watch the resident.

Gates and common rooms: never. Apartments: during a staff visit each one, otherwise only a count per day, and
that only with the resident's consent.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockagent.bolt import Bolt
from protocol.settings import DoorKind, LockSettings

VISIT_SECONDS = 3600
"""A visit is over this long after its last opening if nobody locked before."""
DAY = 86_400


@dataclass(frozen=True)
class DayCount:
    """A finished day (days since 1970 UTC) and its openings by hand."""

    day: int
    openings: int


class Hands:
    """Decides what becomes of each movement by hand."""

    def __init__(self, day: int, count: int) -> None:
        self.day = day
        self.count = count
        self._visit_until: float | None = None

    def visit_begins(self, mono: float) -> None:
        """Staff opened the door."""
        self._visit_until = mono + VISIT_SECONDS

    def visit_ends(self) -> None:
        """Staff, or the relocking they left behind, locked the door."""
        self._visit_until = None

    def moved(self, bolt: Bolt, settings: LockSettings, mono: float, now: int) -> bool:
        """Take in a movement by hand; return whether it gets a log entry of its own."""
        if settings.door_kind is not DoorKind.APARTMENT:
            return False
        if self._visit_until is not None and mono < self._visit_until:
            return True
        if settings.count_hand_openings and bolt is Bolt.UNLOCKED:
            self._count(now)
        return False

    def finished_day(self, now: int, *, consent: bool) -> DayCount | None:
        """Return the count of a day that is over, once; consent withdrawn meanwhile erases it."""
        if not consent:
            self.count = 0
        if self.count == 0 or now // DAY == self.day:
            return None
        finished = DayCount(self.day, self.count)
        self.count = 0
        return finished

    def _count(self, now: int) -> None:
        if self.count == 0:
            self.day = now // DAY
        self.count += 1
