"""What a lock is told about its door, when its bulletin is due, and whether it can be relied on."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from protocol import bulletin
from protocol.settings import MAX_PPM, DoorKind, LockSettings
from server.locks.models import Binding, LockStatus
from server.places.models import Door

REFRESH_AFTER = timedelta(seconds=bulletin.STALE_AFTER) / 2
"""A bulletin this old is made anew though nothing changed: locks ask for an update at twice this age."""

EDGE = timedelta(minutes=5)
"""A lock tolerates this much clock error at a token's end, so a revocation matters that much longer."""

RELOCK_APARTMENT_S = 300
"""An apartment's bolt goes back to what the staff found after five minutes; gates close by themselves."""

RELOCK_PRACTICE_S = 120
"""A practice lock is ready for the next person after two minutes."""

HOLD_MS = 5000
"""A gate's strike stays released for so long when its door says nothing else."""

SILENT_DAYS = 7
LOW_BATTERY_PERCENT = 20
"""What the lists of locks ask for when nobody says otherwise."""

LIVE_WITHIN = timedelta(days=14)
"""A lock nobody has heard from for longer is not one to give the metal keys back for."""

CONFIRM_WITHIN = timedelta(days=3)
"""A commissioning that the lock has not confirmed by then never reached it."""


class NotLive(StrEnum):
    """Why a door's lock cannot be relied on. Codes never change; texts may."""

    NO_LOCK = "no_lock"
    NOT_CONFIRMED = "not_confirmed"
    NEVER_HEARD = "never_heard"
    SILENT = "silent"
    DEAD = "dead"

    @property
    def label(self) -> str | Promise:
        """What the person reads."""
        return _NOT_LIVE[self]


_NOT_LIVE: dict[NotLive, str | Promise] = {
    NotLive.NO_LOCK: _("there is no lock on the door"),
    NotLive.NOT_CONFIRMED: _("the lock has not confirmed its commissioning"),
    NotLive.NEVER_HEARD: _("no phone has brought anything from the lock yet"),
    NotLive.SILENT: _("no phone has brought anything from the lock for two weeks"),
    NotLive.DEAD: _("the lock is reported dead"),
}


def why_not_live(
    binding: Binding | None, status: LockStatus | None, *, reported_dead: bool, at: datetime
) -> list[NotLive]:
    """Return why the lock of one door cannot be relied on; empty when it can."""
    if binding is None or binding.ends_at is not None:
        return [NotLive.NO_LOCK]
    found = [] if binding.commissioned_at is not None else [NotLive.NOT_CONFIRMED]
    heard = status.last_contact_at if status is not None else None
    if heard is None or heard < binding.starts_at:
        found.append(NotLive.NEVER_HEARD)
    elif heard < at - LIVE_WITHIN:
        found.append(NotLive.SILENT)
    return [*found, NotLive.DEAD] if reported_dead else found


def is_live(binding: Binding | None, status: LockStatus | None, *, reported_dead: bool, at: datetime) -> bool:
    """Say whether the lock is mounted, confirmed, heard from lately and not reported dead."""
    return not why_not_live(binding, status, reported_dead=reported_dead, at=at)


_DOOR_KINDS = {
    Door.Kind.APARTMENT: DoorKind.APARTMENT,
    Door.Kind.GATE: DoorKind.GATE,
    Door.Kind.LAUNDRY: DoorKind.LAUNDRY,
    Door.Kind.COMMON: DoorKind.COMMON,
    Door.Kind.PRACTICE: DoorKind.PRACTICE,
}


def door_kind(binding: Binding) -> DoorKind:
    """Return the protocol's kind of the door."""
    return _DOOR_KINDS[Door.Kind(binding.door.kind)]


def relock_seconds(binding: Binding) -> int:
    """Return after how many seconds the bolt goes back to what the staff found; 0 = never."""
    if door_kind(binding) is DoorKind.PRACTICE:
        return RELOCK_PRACTICE_S
    if door_kind(binding) is not DoorKind.APARTMENT:
        return 0
    return binding.door.relock_seconds or RELOCK_APARTMENT_S


def hold_milliseconds(binding: Binding) -> int:
    """Return how long a gate's strike stays released; for other doors it says nothing."""
    own = binding.door.hold_seconds if door_kind(binding) is DoorKind.GATE else None
    return HOLD_MS if own is None else own * 1000


def lock_settings(
    binding: Binding, *, clock_ppm: int | None, count_hand_openings: bool = False
) -> LockSettings:
    """Return the settings of one binding.

    `clock_ppm` is the measured correction, None when unmeasured; `count_hand_openings` whether everybody who
    lives behind the door consented to it.
    """
    kind = door_kind(binding)
    return LockSettings(
        door_kind=kind,
        relock_after=relock_seconds(binding),
        hold_milliseconds=hold_milliseconds(binding),
        count_hand_openings=count_hand_openings and kind is DoorKind.APARTMENT,
        clock_ppm=max(-MAX_PPM, min(MAX_PPM, clock_ppm or 0)),
        open_with_last_energy=binding.door.opens_with_last_energy,
    )
