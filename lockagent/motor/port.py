"""The motor port: orders go in, and what really happened to the bolt comes out.

A driver never claims more than its sensor saw. Times are seconds of a monotonic clock, handed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol


class Order(Enum):
    """What the core can ask for."""

    UNLOCK = "unlock"
    LOCK = "lock"
    PULSE = "pulse"
    """Release an electric strike for a few seconds (gates): nothing is left unlocked afterwards."""
    STOP = "stop"


class Bolt(Enum):
    """Where the bolt is, as the sensor sees it."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    BETWEEN = "between"


class Result(Enum):
    """What came of an order."""

    MOVED = "moved"
    ALREADY = "already"
    JAM = "jam"
    """The motor stalled against something: its current rose and the bolt stood still."""
    TIMEOUT = "timeout"
    """The sensor did not show the new place in time."""
    BY_HAND = "by_hand"
    """Knob or metal key moved the bolt while the motor ran; the motor let go."""


@dataclass(frozen=True)
class MotorDone:
    """An order came to its end."""

    order: Order
    result: Result


@dataclass(frozen=True)
class HandMoved:
    """Knob or metal key moved the bolt to this place, with or without a motor running."""

    bolt: Bolt


MotorEvent = MotorDone | HandMoved


class Motor(Protocol):
    """A bolt or strike driver."""

    @property
    def bolt(self) -> Bolt:
        """Where the bolt is now."""
        ...

    @property
    def battery(self) -> int | None:
        """Charge left in percent; None on mains."""
        ...

    def order(self, order: Order, now: float) -> None:
        """Begin an order; a new one replaces the one under way without an event for the old."""
        ...

    def poll(self, now: float) -> list[MotorEvent]:
        """Return what has happened up to `now`, each event once, in order."""
        ...

    def next_event_at(self) -> float | None:
        """When `poll` will have something next, if nobody touches the door; None when nothing runs."""
        ...
