"""What a lock is told about its door, and when its bulletin is due."""

from __future__ import annotations

from datetime import timedelta

from protocol import bulletin
from protocol.settings import MAX_PPM, DoorKind, LockSettings
from server.locks.models import Binding
from server.places.models import Door

REFRESH_AFTER = timedelta(seconds=bulletin.STALE_AFTER) / 2
"""A bulletin this old is made anew though nothing changed: locks ask for an update at twice this age."""

EDGE = timedelta(minutes=5)
"""A lock tolerates this much clock error at a token's end, so a revocation matters that much longer."""

RELOCK_APARTMENT_S = 300
"""An apartment's bolt goes back to what the staff found after five minutes; gates close by themselves."""

HOLD_MS = 5000

_DOOR_KINDS = {
    Door.Kind.APARTMENT: DoorKind.APARTMENT,
    Door.Kind.GATE: DoorKind.GATE,
    Door.Kind.LAUNDRY: DoorKind.LAUNDRY,
    Door.Kind.COMMON: DoorKind.COMMON,
}


def door_kind(binding: Binding) -> DoorKind:
    """Return the protocol's kind of the door; a practice lock has no door behind it."""
    if binding.lock.is_practice:
        return DoorKind.PRACTICE
    return _DOOR_KINDS[Door.Kind(binding.door.kind)]


def lock_settings(binding: Binding, *, clock_ppm: int | None) -> LockSettings:
    """Return the settings of one binding; `clock_ppm` is the measured correction, None when unmeasured."""
    kind = door_kind(binding)
    return LockSettings(
        door_kind=kind,
        relock_after=RELOCK_APARTMENT_S if kind is DoorKind.APARTMENT else 0,
        hold_milliseconds=HOLD_MS,
        # Counting openings by hand needs a consent of its own, which is not recorded yet.
        count_hand_openings=False,
        clock_ppm=max(-MAX_PPM, min(MAX_PPM, clock_ppm or 0)),
    )
