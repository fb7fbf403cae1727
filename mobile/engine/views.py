"""From what the vault holds to what the screens may know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from mobile.engine import history
from mobile.engine.alarms import to_show
from mobile.engine.content import Content, DoorRecord, Right
from mobile.engine.state import DoorKind, DoorView, Nearby, Support
from protocol.token import Scope

SHUT: dict[str, Any] = {
    "staff_name": "",
    "username": "",
    "provider_name": "",
    "municipality_name": "",
    "server_url": "",
    "shift": None,
    "visits": (),
    "alarms": (),
    "doors": MappingProxyType({}),
    "openings": MappingProxyType({}),
    "support": Support(),
    "vault_warning": "",
    "hardware_key": "",
    "practised": frozenset(),
}
"""Fields of `AppState` while the vault is shut: nothing of what is in it."""


def opened(content: Content, nearby: Mapping[bytes, Nearby], now: int) -> dict[str, Any]:
    """Fields of `AppState` while the vault is open. `now` is estimated server time."""
    identity = content.identity
    by_binding: dict[bytes, list[Right]] = {}
    for right in content.rights.values():
        by_binding.setdefault(right.binding, []).append(right)
    doors = {
        door.id: _door(content, door, by_binding.get(door.binding, []), nearby, now)
        for door in content.doors.values()
    }
    return {
        "staff_name": identity.staff_name,
        "username": identity.username,
        "provider_name": identity.provider_name,
        "municipality_name": identity.municipality_name,
        "server_url": identity.server_url,
        "shift": content.shift,
        "visits": content.visits,
        "alarms": to_show(content.alarms, now),
        "doors": with_nearby(doors, content, nearby),
        "support": content.support,
        "practised": content.practised,
    }


def with_nearby(
    doors: Mapping[str, DoorView], content: Content, nearby: Mapping[bytes, Nearby]
) -> Mapping[str, DoorView]:
    """The same doors with what is heard of them now, `nearby` nearest first.

    Those that did not change are not made anew.
    """
    changed: dict[str, DoorView] = {}
    places = _places(nearby)
    for door_id, view in doors.items():
        record = content.doors.get(door_id)
        binding = record.binding if record is not None else b""
        near, place = nearby.get(binding, Nearby.NO), places.get(binding, 0)
        same = view.nearby is near and view.near_place == place
        changed[door_id] = view if same else replace(view, nearby=near, near_place=place)
    return MappingProxyType(changed)


def with_left_unlocked(doors: Mapping[str, DoorView], content: Content) -> Mapping[str, DoorView]:
    """The same doors with which of them are left unlocked now: all that a tap changes among 4 000."""
    changed = {
        door_id: replace(
            view,
            left_unlocked=door_id in content.left_unlocked,
            unlocked_at=history.unlocked_at(content, door_id),
        )
        for door_id, view in doors.items()
        if view.left_unlocked or door_id in content.left_unlocked
    }
    return MappingProxyType({**doors, **changed})


def _places(nearby: Mapping[bytes, Nearby]) -> dict[bytes, int]:
    return {binding: place for place, binding in enumerate(nearby, start=1)}


def _door(
    content: Content, door: DoorRecord, rights: list[Right], nearby: Mapping[bytes, Nearby], now: int
) -> DoorView:
    shown = in_order(rights, Scope.OPEN, now)
    first = shown[0] if shown else None
    return DoorView(
        id=door.id,
        kind=door.kind,
        address=door.address,
        entrance=door.entrance,
        floor=door.floor,
        number=door.number,
        label=door.lock_name,
        nearby=nearby.get(door.binding, Nearby.NO),
        fallback=door.fallback,
        rights_from=first.not_before if first else None,
        rights_until=first.expires if first else None,
        may_lock=door.kind is not DoorKind.GATE and any(right.permits(Scope.LOCK) for right in rights),
        left_unlocked=door.id in content.left_unlocked,
        unlocked_at=history.unlocked_at(content, door.id),
    )


def in_order(rights: list[Right], scope: Scope, now: int) -> list[Right]:
    """The tokens to try at a door, best first; none is left out, for the lock is the judge.

    `now` is an estimate, so it only orders: those that permit the operation and hold now (the longest
    first), then those that begin soonest, then those that ended last.
    """

    def rank(right: Right) -> tuple[bool, int, int]:
        if right.not_before <= now < right.expires:
            order = (0, -right.expires)
        elif right.not_before > now:
            order = (1, right.not_before)
        else:
            order = (2, -right.expires)
        return (not right.permits(scope), *order)

    return sorted(rights, key=rank)
