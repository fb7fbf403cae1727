"""bleak's scanner backend over the simulated radio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback, BaseBleakScanner
from bleak.uuids import normalize_uuid_str
from bumble import hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement

from simulation.backend.bridge import call_on, run_on

if TYPE_CHECKING:
    from simulation.backend.phone import PhoneRadio

_UUID_SIZES = {
    AdvertisingData.Type.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.Type.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.Type.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
    AdvertisingData.Type.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
}
_NAMES = (AdvertisingData.Type.COMPLETE_LOCAL_NAME, AdvertisingData.Type.SHORTENED_LOCAL_NAME)


def uuid_text(raw: bytes) -> str:
    """A UUID of 2 or 16 little-endian bytes as bleak writes it."""
    return normalize_uuid_str(UUID.from_bytes(raw).to_hex_str("-"))


def advertisement_data(fields: AdvertisingData, rssi: int) -> AdvertisementData:
    """What bleak tells about an advert and its scan response. Fields cut short are left out."""
    name: str | None = None
    power: int | None = None
    uuids: list[str] = []
    manufacturer: dict[int, bytes] = {}
    service: dict[str, bytes] = {}
    for kind, raw in fields.ad_structures:
        if kind in _NAMES:
            name = raw.decode("utf-8", "replace")
        elif kind in _UUID_SIZES:
            size = _UUID_SIZES[AdvertisingData.Type(kind)]
            uuids += [uuid_text(raw[at : at + size]) for at in range(0, len(raw) - size + 1, size)]
        elif kind == AdvertisingData.Type.MANUFACTURER_SPECIFIC_DATA and len(raw) >= 2:
            manufacturer[int.from_bytes(raw[:2], "little")] = raw[2:]
        elif kind == AdvertisingData.Type.SERVICE_DATA_16_BIT_UUID and len(raw) >= 2:
            service[uuid_text(raw[:2])] = raw[2:]
        elif kind == AdvertisingData.Type.SERVICE_DATA_128_BIT_UUID and len(raw) >= 16:
            service[uuid_text(raw[:16])] = raw[16:]
        elif kind == AdvertisingData.Type.TX_POWER_LEVEL and len(raw) == 1:
            power = int.from_bytes(raw, "little", signed=True)
    return AdvertisementData(name, manufacturer, service, uuids, power, rssi, ())


class SimulatedScanner(BaseBleakScanner):
    """The scanner of one phone; ``PhoneRadio`` makes a subclass bound to itself."""

    radio: PhoneRadio

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"],
        **_kwargs: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self) -> None:
        """Start scanning. Raises BleakBluetoothNotAvailableError when Bluetooth is off."""
        self.seen_devices = {}
        self._loop = asyncio.get_running_loop()
        await run_on(self.radio.loop, self.radio.start_scan(self._heard, active=self._active))

    async def stop(self) -> None:
        """Stop scanning; stopping twice is harmless."""
        self._loop = None
        await run_on(self.radio.loop, self.radio.stop_scan(self._heard))

    def _heard(self, advertisement: Advertisement) -> None:
        loop = self._loop
        if loop is None:
            return
        if loop is self.radio.loop:
            self._tell(advertisement)
        else:
            call_on(loop, self._tell, advertisement)

    def _tell(self, advertisement: Advertisement) -> None:
        if self._loop is None:
            return
        data = advertisement_data(advertisement.data, advertisement.rssi)
        if not self.is_allowed_uuid(data.service_uuids):
            return
        address: hci.Address = advertisement.address
        text = address.to_string(False)
        device = self.create_or_update_device(text, text, data.local_name, address, data)
        self.call_detection_callbacks(device, data)
