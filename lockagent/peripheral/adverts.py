"""The bytes of an advert, and the loop that keeps it on the air.

The service UUID stands in ADV_IND, where scanners filter; salt and rid in the scan response, whose 31 bytes
have room for them. Address and data change only together: the old advert stops, the address changes, the
new starts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bumble import hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device

from protocol import gatt

_FLAGS = b"\x06"
"""LE general discoverable, BR/EDR not supported (Core Specification Supplement part A 1.3)."""
RETRY_SECONDS = 1.0
log = logging.getLogger("nyckelfri.lock.adverts")


def advertising_data() -> bytes:
    """The 21 bytes of ADV_IND, the same for every lock of this kind."""
    fields: list[tuple[int, bytes]] = [
        (AdvertisingData.Type.FLAGS, _FLAGS),
        (
            AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
            bytes(UUID(gatt.SERVICE_UUID)),
        ),
    ]
    return bytes(AdvertisingData(fields))


def scan_response_data(data: bytes) -> bytes:
    """The scan response: manufacturer data with our company id before the 17 bytes of the advert."""
    payload = gatt.COMPANY_ID.to_bytes(2, "little") + data
    return bytes(AdvertisingData([(AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA, payload)]))


def random_address(random: Callable[[int], bytes]) -> hci.Address:
    """A fresh address of the resolvable private form (Core 5.4 vol 6 part B 1.3.2.2) that no key resolves."""
    octets = bytearray(random(6))
    octets[5] = 0x40 | octets[5] & 0x3F
    return hci.Address(bytes(octets), hci.AddressType.RANDOM_DEVICE)


class Advertiser:
    """Keeps one advert on the air: connecting stops it, so it is started again at once."""

    def __init__(
        self, device: Device, random: Callable[[int], bytes], fast_ms: float, slow_ms: float
    ) -> None:
        self._device = device
        self._random = random
        self._fast_ms, self._slow_ms = fast_ms, slow_ms
        self._hurried = False
        self._data: bytes | None = None
        self._fresh = False
        self._changed = asyncio.Event()
        self._refused = False
        """The controller did not advertise when it was last asked to."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to serve; nothing is advertised before `show`."""
        self._task = asyncio.get_running_loop().create_task(self._serve())

    async def stop(self) -> None:
        """End; the caller powers the device off."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def show(self, data: bytes) -> None:
        """Advertise this from a fresh address."""
        self._data, self._fresh = data, True
        self._changed.set()

    def hide(self) -> None:
        """Advertise nothing."""
        self._data = None
        self._changed.set()

    def hurry(self, *, fast: bool) -> None:
        """Advertise the same more or less often."""
        if fast != self._hurried and self._fast_ms != self._slow_ms:
            self._changed.set()
        self._hurried = fast

    def make_up(self) -> None:
        """A link has ended: a controller that had no place for one more may have one now."""
        if self._refused:
            self._changed.set()

    def resume(self) -> None:
        """A connection has stopped the advert: put the same one back."""
        self._changed.set()

    async def _serve(self) -> None:
        own = asyncio.current_task()
        # asyncio.wait_for of Python 3.11, which bumble uses, can swallow a cancellation: ask instead.
        while own is not None and not own.cancelling():
            await self._changed.wait()
            self._changed.clear()
            try:
                self._refused = True
                await self._put_on_air()
                self._refused = False
            except (TimeoutError, hci.HCI_Error) as error:
                # The controller was busy connecting: what it says now will be different in a moment.
                log.warning("advertising failed: %s; trying again", error)
                asyncio.get_running_loop().call_later(RETRY_SECONDS, self.make_up)

    async def _put_on_air(self) -> None:
        await self._device.stop_advertising()
        if self._data is None:
            return
        if self._fresh:
            address = random_address(self._random)
            await self._device.send_sync_command(
                hci.HCI_LE_Set_Random_Address_Command(random_address=address)
            )
            self._device.random_address = address
            self._fresh = False
        interval = self._fast_ms if self._hurried else self._slow_ms
        await self._device.start_advertising(
            advertising_data=advertising_data(),
            scan_response_data=scan_response_data(self._data),
            advertising_interval_min=interval,
            advertising_interval_max=interval,
        )
