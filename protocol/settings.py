"""What the server tells a lock about its door and how it shall behave there."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from protocol import fields
from protocol.errors import ProtocolError

MAX_RELOCK_SECONDS = 3600
MAX_HOLD_MILLISECONDS = 60_000
MAX_PPM = 1000

_KIND, _RELOCK, _HOLD, _HAND_COUNT, _PPM, _LAST_ENERGY = 1, 2, 3, 4, 5, 6
_KEYS = {_KIND, _RELOCK, _HOLD, _HAND_COUNT, _PPM, _LAST_ENERGY}


class DoorKind(IntEnum):
    """What a lock sits on."""

    APARTMENT = 1
    GATE = 2
    LAUNDRY = 3
    COMMON = 4
    PRACTICE = 5
    """A practice lock: no door behind it."""


@dataclass(frozen=True)
class LockSettings:
    """A lock's settings, carried in every bulletin whole."""

    door_kind: DoorKind
    relock_after: int = 0
    """Seconds after which an unlocked bolt is restored to the state the staff found; 0 = never."""
    hold_milliseconds: int = 5000
    """How long a gate's strike is held open."""
    count_hand_openings: bool = False
    """Whether the resident consented to a daily count of openings by hand."""
    clock_ppm: int = 0
    """Correction of the lock's crystal, parts per million, positive when it runs slow."""
    open_with_last_energy: bool = True
    """Open as long as the motor turns, rather than keep the battery's reserve for locking."""

    def as_map(self) -> dict[int, int]:
        """The settings as a CBOR map."""
        return {
            _KIND: self.door_kind,
            _RELOCK: self.relock_after,
            _HOLD: self.hold_milliseconds,
            _HAND_COUNT: int(self.count_hand_openings),
            _PPM: self.clock_ppm,
            _LAST_ENERGY: int(self.open_with_last_energy),
        }

    @classmethod
    def from_map(cls, value: Any) -> "LockSettings":
        """Parse strictly."""
        body = fields.table(value, _KEYS, (), "settings")
        ppm = body[_PPM]
        if isinstance(ppm, bool) or not isinstance(ppm, int) or not -MAX_PPM <= ppm <= MAX_PPM:
            raise ProtocolError(f"clock correction must lie within {MAX_PPM} ppm")
        return cls(
            door_kind=door_kind(body[_KIND]),
            relock_after=fields.uint(body[_RELOCK], MAX_RELOCK_SECONDS, "relock time"),
            hold_milliseconds=fields.uint(body[_HOLD], MAX_HOLD_MILLISECONDS, "hold time"),
            count_hand_openings=bool(fields.uint(body[_HAND_COUNT], 1, "hand count consent")),
            clock_ppm=ppm,
            open_with_last_energy=bool(fields.uint(body[_LAST_ENERGY], 1, "last energy")),
        )


def door_kind(value: Any) -> DoorKind:
    """Parse a door kind."""
    return fields.member(value, DoorKind, "door kind")
