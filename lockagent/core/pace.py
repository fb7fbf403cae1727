"""How often the lock speaks while nobody is connected: seldom, until somebody touches it or knocks.

Adverts are what a lock on batteries spends most on, day and night. A hand on the lock or a knock at the door
says that somebody may want in: for a while it speaks often, so that a phone finds it at once. Whoever has no
right can knock too, so the time it may hurry is rationed: the seconds spent come back slowly.
"""

from __future__ import annotations

from enum import Enum

FAST_SECONDS = 20.0
"""So long after a touch or knock the lock advertises often."""
RATION_SECONDS = 600.0
"""At most so many such seconds in one go ..."""
RATION_BACK = 1 / 6
"""... and each second that passes gives back so much: 600 seconds an hour."""


class Pace(Enum):
    """How often to advertise; what that means in milliseconds is the radio's to know."""

    SLOW = "slow"
    FAST = "fast"


class Wakefulness:
    """The pace of this moment."""

    def __init__(self, mono: float) -> None:
        self.pace = Pace.SLOW
        self._until = mono
        self._left = RATION_SECONDS
        self._counted_at = mono

    def woken(self, mono: float) -> bool:
        """Somebody touched the lock or knocked; says whether the pace has changed."""
        self._count(mono)
        if self._left < FAST_SECONDS:
            return False
        self._until = mono + FAST_SECONDS
        return self._be(Pace.FAST)

    def tick(self, mono: float) -> bool:
        """Slow down when it is time; says whether the pace has changed."""
        if self.pace is Pace.SLOW or mono < self._until:
            return False
        self._count(mono)
        return self._be(Pace.SLOW)

    def next_at(self) -> float | None:
        """When `tick` has something to do."""
        return self._until if self.pace is Pace.FAST else None

    def _be(self, pace: Pace) -> bool:
        changed = pace is not self.pace
        self.pace = pace
        return changed

    def _count(self, mono: float) -> None:
        """Take what was spent, and give back what time gives back."""
        passed, self._counted_at = mono - self._counted_at, mono
        spent = passed if self.pace is Pace.FAST else 0.0
        self._left = min(RATION_SECONDS, self._left - spent + passed * RATION_BACK)
