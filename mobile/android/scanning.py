"""Bleak's Android backend (bleak 3.1.0, backends/p4android), with what is wrong in it put right.

Import it on the main thread: bleak looks up the classes of its Java files when its modules are imported.
What is put right, each held by a test in tests/android/test_scanning.py:

- the scanner asks for three location permissions and never for Android 12's own: nobody is asked here, since
  the app has asked before it scans (`permissions`, `adapter`);
- a scan that could not begin left the scanner marked as running, so that none could ever begin again;
- of Android's six reasons not to scan bleak knows four, and took the others for a scan that runs;
- `services=[…]` puts Java objects into a set, but pyjnius' UUIDs have no hash: every client failed;
- the lost connection is told on Java's thread, where asyncio must not be touched;
- a connection that fails, or is given up, was never closed, and Android lends an app about 30 of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from bleak.backends.device import BLEDevice
from bleak.backends.p4android import client as theirs
from bleak.backends.p4android import scanner as their_scanner
from bleak.backends.p4android.client import BleakClientP4Android
from bleak.backends.p4android.scanner import BleakScannerP4Android

from mobile.android import java

CONNECTION = "onConnectionStateChange"
RUNNING = "_BleakScannerP4Android__scanner"
GATT = "_BleakClientP4Android__gatt"
CALLBACKS = "_BleakClientP4Android__callbacks"


def _ask_nobody(
    permissions: Sequence[str], answer: Callable[[Sequence[str], Sequence[bool]], object]
) -> None:
    answer(permissions, [True] * len(permissions))


class PhoneScanner(BleakScannerP4Android):
    """A scanner that can always be started again."""

    async def start(self) -> None:
        """Begin; an error leaves nothing running."""
        try:
            await super().start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End, also what never began."""
        try:
            await super().stop()
        finally:
            setattr(BleakScannerP4Android, RUNNING, None)


class ScanCallback(their_scanner._PythonScanCallback):
    """Tells every reason why Android does not scan."""

    @java.java_method("(I)V")
    def onScanFailed(self, reason: int) -> None:  # noqa: N802  (Java's name)
        """5 is "no hardware left", 6 "too many starts" (android.bluetooth.le.ScanCallback)."""
        self.result_state(f"scan failed: {reason}", "onScan")


class GattCallback(theirs._PythonBluetoothGattCallback):
    """Remembers the connection that Android lent, from the moment it was lent."""

    gatt: Any = None

    async def perform_and_wait(self, **request: Any) -> Any:  # type: ignore[override]
        """As bleak's; the first call of all is the one that connects."""
        lend = request.pop("dispatchApi")

        def call(*params: Any) -> Any:
            answer = lend(*params)
            if self.gatt is None:
                self.gatt = answer
            return answer

        return await super().perform_and_wait(dispatchApi=call, **request)


class PhoneClient(BleakClientP4Android):
    """A client that gives back every connection it was lent."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        services: set[str] | None,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        **more: Any,
    ) -> None:
        loop = asyncio.get_running_loop()

        def lost() -> None:
            if disconnected_callback is not None:
                loop.call_soon_threadsafe(disconnected_callback)

        # No services are named: Android finds them all in any case, and keeps what it found.
        super().__init__(address_or_ble_device, None, disconnected_callback=lost, timeout=timeout, **more)

    async def connect(self, pair: bool, **more: Any) -> None:
        """Connect, and ask for the shortest connection interval: an opening is a dozen messages."""
        try:
            await super().connect(pair, **more)
        except BaseException:
            self._give_back()
            raise
        high = java.find("android.bluetooth.BluetoothGatt").CONNECTION_PRIORITY_HIGH
        getattr(self, GATT).requestConnectionPriority(high)

    async def disconnect(self) -> None:
        """Disconnect; the connection is given back even when nobody answers or the wait is given up."""
        callbacks = getattr(self, CALLBACKS, None)
        try:
            await super().disconnect()
        finally:
            self._give_back(callbacks)

    def _give_back(self, callbacks: GattCallback | None = None) -> None:
        callbacks = callbacks or getattr(self, CALLBACKS, None)
        gatt = callbacks.gatt if callbacks is not None else None
        setattr(self, GATT, None)
        setattr(self, CALLBACKS, None)
        if callbacks is not None and gatt is not None:
            callbacks.gatt = None
            gatt.disconnect()
            gatt.close()


their_scanner.request_permissions = _ask_nobody  # type: ignore[attr-defined]
their_scanner._PythonScanCallback = ScanCallback  # type: ignore[misc]
theirs._PythonBluetoothGattCallback = GattCallback  # type: ignore[misc]
