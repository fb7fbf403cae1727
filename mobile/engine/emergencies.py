"""What a person at a door may say beside a tap: why a right is needed now, and what is wrong with the door.

Frozen values for screens and engine alike. The slugs are the server's; it takes no others, and no free text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EmergencyReason(StrEnum):
    """Why somebody takes a right that the plan did not give (break-glass), likeliest first."""

    NO_ANSWER = "no_answer"
    CALL_FOR_HELP = "call_for_help"
    VISIT_MISSING = "visit_missing"
    KEY_MISSING = "key_missing"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class EmergencyRight:
    """A right that was taken: until when, and the doors that it opens, as the phone has fetched them."""

    expires: int
    door_ids: tuple[str, ...]


class DoorFault(StrEnum):
    """What is wrong with a door, as far as one can tell who stands at it."""

    DEAD_LOCK = "dead_lock"
    JAM = "jam"
    LOW_BATTERY = "low_battery"
    TAMPER = "tamper"
