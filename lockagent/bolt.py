"""Words for the bolt, its motor and its door, shared by the core that gives orders and the drivers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class Tampering(IntEnum):
    """What the switch under the cover reports; numbers as in the log."""

    COVER_OPENED = 1
    COVER_CLOSED = 2


class Order(Enum):
    """What the core can ask of a motor."""

    UNLOCK = "unlock"
    LOCK = "lock"
    PULSE = "pulse"
    """Release an electric strike for a while (gates): nothing is left unlocked afterwards."""
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


@dataclass(frozen=True)
class DoorMoved:
    """The sensor in the frame sees the door fall shut, or no longer sees it; no sensor, no such event."""

    closed: bool


@dataclass(frozen=True)
class Tampered:
    """The lock's cover was opened or closed."""

    what: Tampering


@dataclass(frozen=True)
class Battery:
    """Charge left in percent, measured under load; None on mains."""

    percent: int | None


@dataclass(frozen=True)
class Woken:
    """Somebody touched the lock from outside, or knocked at the door."""


MotorEvent = MotorDone | HandMoved | DoorMoved | Battery | Tampered | Woken
