"""Which of the person's doors an advert belongs to, without holding up the engine's loop.

A lock changes its Bluetooth address and the salt of its advert together. So an address is as good as the
advert once heard under it: an ADV whose scan response was lost (at the edge of range most are) still tells
that the door is there. Neither is believed beyond that; the handshake proves who is at the other end.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from protocol import advert, gatt
from protocol.advert import Advert
from protocol.errors import ProtocolError

SLICE = 512
"""So many keys are tried in one turn of the loop: a quarter of a millisecond on a desktop."""
_REMEMBERED = 1024

Match = tuple[bytes, bytes]
"""A binding, and the adv_key its advert was made with."""


class Recogniser:
    """Tells ``on_known`` of every advert of a door that is watched, with its strength."""

    def __init__(self, on_known: Callable[[Match, BLEDevice, int], None]) -> None:
        self._on_known = on_known
        self._keys: list[Match] = []
        self._resolver = advert.Resolver([])
        self._matches: OrderedDict[bytes, Match | None] = OrderedDict()
        self._at_address: OrderedDict[str, Match] = OrderedDict()
        self._unresolved: dict[bytes, tuple[BLEDevice, int]] = {}
        self._resolving: asyncio.Task[None] | None = None

    def watch(self, keys: Iterable[Match]) -> bool:
        """Recognise these and nothing else from now on; False when they are the same as before."""
        keys = sorted(keys)
        if keys == self._keys:
            return False
        self._keys, self._resolver = keys, advert.Resolver(keys)
        self._matches.clear()
        self._at_address.clear()
        self._unresolved.clear()
        return True

    async def stop(self) -> None:
        """Forget every key and every advert."""
        task, self._resolving = self._resolving, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self.watch([])

    def heard(self, device: BLEDevice, data: AdvertisementData) -> None:
        """Take in one advert, with its scan response or without."""
        raw = data.manufacturer_data.get(gatt.COMPANY_ID)
        if raw is None or len(raw) != advert.DATA_LENGTH:
            known = self._at_address.get(device.address)
            if known is not None:
                self._on_known(known, device, data.rssi)
        elif raw in self._matches:
            self._tell(raw, device, data.rssi)
        elif len(self._unresolved) < _REMEMBERED:
            self._unresolved[raw] = (device, data.rssi)
            if self._resolving is None or self._resolving.done():
                self._resolving = asyncio.create_task(self._resolve_waiting())

    async def _resolve_waiting(self) -> None:
        """One advert after the other, the newest first, whatever arrives meanwhile."""
        while self._unresolved:
            raw, (device, rssi) = self._unresolved.popitem()
            resolver = self._resolver
            match = await self._resolve(resolver, raw)
            if resolver is self._resolver:
                self._remember(raw, match)
                self._tell(raw, device, rssi)

    async def _resolve(self, resolver: advert.Resolver, raw: bytes) -> Match | None:
        parsed = _parsed(raw)
        if parsed is None:
            return None
        for match in resolver.attempts(parsed, SLICE):
            if match is not None:
                return match
            await asyncio.sleep(0)
        return None

    def _remember(self, raw: bytes, match: Match | None) -> None:
        self._matches[raw] = match
        if len(self._matches) > _REMEMBERED:
            self._matches.popitem(last=False)

    def _tell(self, raw: bytes, device: BLEDevice, rssi: int) -> None:
        match = self._matches[raw]
        if match is None:
            self._at_address.pop(device.address, None)
            return
        self._at_address[device.address] = match
        if len(self._at_address) > _REMEMBERED:
            self._at_address.popitem(last=False)
        self._on_known(match, device, rssi)


def _parsed(raw: bytes) -> Advert | None:
    try:
        return advert.parse(raw)
    except ProtocolError:
        return None
