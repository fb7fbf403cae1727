"""What Android says about Bluetooth: the port `mobile.engine.adapter`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from android.broadcast import BroadcastReceiver

from mobile.android import java, permissions
from mobile.engine.state import Bluetooth

BLUETOOTH_CHANGED = "android.bluetooth.adapter.action.STATE_CHANGED"
LOCATION_CHANGED = "android.location.MODE_CHANGED"
LOCATION_HAS_A_SWITCH_SINCE = 28


class PhoneAdapter:
    """Make it on the main thread: what it listens with can be made nowhere else."""

    def __init__(self) -> None:
        manager = java.service("bluetooth", "android.bluetooth.BluetoothManager")
        self._adapter = manager.getAdapter() if manager is not None else None
        self._listeners: list[Callable[[], object]] = []
        self._receiver = BroadcastReceiver(self._heard, actions=[BLUETOOTH_CHANGED, LOCATION_CHANGED])
        self._receiver.start()

    def state(self) -> Bluetooth:
        """See `Adapter`. The order is that in which a person can put things right."""
        if self._adapter is None:
            return Bluetooth.NO_ADAPTER
        if not permissions.held():
            return Bluetooth.NO_PERMISSION
        if not self._adapter.isEnabled():
            return Bluetooth.OFF
        if java.sdk() < permissions.OWN_PERMISSIONS_SINCE and not _location_is_on():
            return Bluetooth.LOCATION_OFF
        return Bluetooth.ON

    def watch(self, changed: Callable[[], object]) -> Callable[[], None]:
        """See `Adapter`."""
        self._listeners.append(changed)
        return lambda: self._listeners.remove(changed) if changed in self._listeners else None

    def look_again(self) -> None:
        """Something may have changed that Android tells nobody: a permission."""
        for changed in tuple(self._listeners):
            changed()

    def close(self) -> None:
        """Stop listening."""
        self._receiver.stop()

    def _heard(self, _context: Any, _intent: Any) -> None:
        self.look_again()


def _location_is_on() -> bool:
    if java.sdk() >= LOCATION_HAS_A_SWITCH_SINCE:
        return bool(java.service("location", "android.location.LocationManager").isLocationEnabled())
    secure = java.find("android.provider.Settings$Secure")
    resolver = java.activity().getContentResolver()
    return bool(secure.getInt(resolver, secure.LOCATION_MODE, secure.LOCATION_MODE_OFF))
