"""The one place that touches bleak: makes scanners and clients, and names what went wrong.

bleak's own platform backends are used unless others are handed in (the simulated radio's). A platform's
backend may raise anything; here it becomes one of two errors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from bleak import BleakClient, BleakScanner
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementDataCallback, BaseBleakScanner
from bleak.exc import BleakBluetoothNotAvailableError, BleakBluetoothNotAvailableReason, BleakDBusError

from mobile.engine.adapter import Adapter
from mobile.engine.state import Bluetooth
from protocol import gatt

T = TypeVar("T")

_BLUETOOTH = {
    BleakBluetoothNotAvailableReason.POWERED_OFF: Bluetooth.OFF,
    BleakBluetoothNotAvailableReason.NO_BLUETOOTH: Bluetooth.NO_ADAPTER,
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: Bluetooth.NO_ADAPTER,
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: Bluetooth.NO_PERMISSION,
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: Bluetooth.NO_PERMISSION,
    BleakBluetoothNotAvailableReason.DENIED_BY_UNKNOWN: Bluetooth.NO_PERMISSION,
}
_DBUS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": Bluetooth.OFF,  # bluetoothd does not run
    "org.freedesktop.DBus.Error.NameHasNoOwner": Bluetooth.OFF,
    "org.freedesktop.DBus.Error.Spawn.ServiceNotFound": Bluetooth.OFF,
    "org.bluez.Error.NotReady": Bluetooth.OFF,
    "org.bluez.Error.Blocked": Bluetooth.OFF,
    "org.freedesktop.DBus.Error.AccessDenied": Bluetooth.NO_PERMISSION,
    "org.bluez.Error.NotAuthorized": Bluetooth.NO_PERMISSION,
    "org.bluez.Error.NotPermitted": Bluetooth.NO_PERMISSION,
}
"""What a Linux desktop's errors say (D-Bus specification, and BlueZ's doc/org.bluez.Adapter.rst)."""


class RadioOffError(Exception):
    """Bluetooth cannot be used at all; `bluetooth` says why."""

    def __init__(self, bluetooth: Bluetooth) -> None:
        super().__init__(bluetooth.value)
        self.bluetooth = bluetooth


class LinkLostError(Exception):
    """A connection did not come about, broke, or gave no answer in time."""


class Radio:
    """Makes bleak's objects with the backends of this phone; None means bleak's own for the platform."""

    def __init__(
        self,
        *,
        scanner_backend: type[BaseBleakScanner] | None = None,
        client_backend: type[BaseBleakClient] | None = None,
        adapter: Adapter | None = None,
    ) -> None:
        self._scanner_backend, self._client_backend = scanner_backend, client_backend
        self._adapter = adapter

    def watch(self, changed: Callable[[], object]) -> Callable[[], None]:
        """Call ``changed``, from any thread, when Bluetooth may have become usable or unusable."""
        return self._adapter.watch(changed) if self._adapter is not None else lambda: None

    def known(self) -> Bluetooth:
        """What the phone itself says; ON where it says nothing."""
        return self._adapter.state() if self._adapter is not None else Bluetooth.ON

    async def scan(self, on_advert: AdvertisementDataCallback) -> BleakScanner:
        """Start an active scan for locks of ours: the scan response carries what they are recognised by.

        Raises RadioOffError without a try where the phone knows already that it would be in vain.
        """
        known = self.known()
        if known is not Bluetooth.ON:
            raise RadioOffError(known)
        scanner = BleakScanner(
            on_advert,
            service_uuids=[gatt.SERVICE_UUID],
            scanning_mode="active",
            backend=self._scanner_backend,
        )
        await scanner.start()
        return scanner

    def client(
        self, device: BLEDevice, on_lost: Callable[[BleakClient], None], patience: float
    ) -> BleakClient:
        """A client that asks a lock for our service only: 14 ATT PDUs instead of 24."""
        return BleakClient(
            device,
            on_lost,
            services=[gatt.SERVICE_UUID],
            timeout=patience,
            backend=self._client_backend,
        )


async def bounded(work: Coroutine[Any, Any, T], seconds: float) -> T:
    """Do one bleak call in at most ``seconds``: platforms differ in whether they ever give up.

    Raises RadioOffError or LinkLostError, whatever the backend raised.
    """
    try:
        async with asyncio.timeout(seconds):
            return await work
    except RadioOffError:
        raise
    except Exception as error:
        trouble = _trouble(error)
        if trouble is not None:
            raise RadioOffError(trouble) from error
        raise LinkLostError(type(error).__name__) from error


def _trouble(error: Exception) -> Bluetooth | None:
    """What is the matter with Bluetooth itself, if that is what an error says."""
    if isinstance(error, BleakBluetoothNotAvailableError):
        return _BLUETOOTH.get(error.reason, Bluetooth.FAILED)
    return _DBUS.get(error.dbus_error) if isinstance(error, BleakDBusError) else None
