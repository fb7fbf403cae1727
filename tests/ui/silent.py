"""Scenes of a telephone whose Bluetooth cannot be used, for every reason there is."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from mobile.engine.state import Bluetooth, Nearby
from mobile.ui.device import Device
from tests.ui.scenes import DOORS, UNLOCKED, Scene

MENDS = frozenset({Bluetooth.OFF, Bluetooth.NO_PERMISSION, Bluetooth.LOCATION_OFF})
TELEPHONE = Device(mends=MENDS)
"""A device that has a question of its own for what a person can put right, as Android has."""

QUIET = MappingProxyType({door_id: replace(door, nearby=Nearby.NO) for door_id, door in DOORS.items()})
SILENT = tuple(
    Scene(f"today-bluetooth-{state.value}", replace(UNLOCKED, doors=QUIET, bluetooth=state))
    for state in (Bluetooth.NO_PERMISSION, Bluetooth.LOCATION_OFF, Bluetooth.NO_ADAPTER, Bluetooth.FAILED)
)
