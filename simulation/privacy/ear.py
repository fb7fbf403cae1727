"""Somebody who listens: every advert, every packet of every link; and who connects to see what is there."""

from __future__ import annotations

import asyncio
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from bumble import hci
from bumble.core import TimeoutError as BumbleTimeoutError
from bumble.hci import Address, AddressType, HCI_Error

from protocol import gatt
from simulation.privacy.house import House, Tenant
from simulation.radio import Packet, Side
from simulation.radio.packets import ATT_VALUE_OPCODES
from simulation.rawcentral import RawCentral

SCAN_RESPONSE = 4
FIND_INFORMATION, READ_BY_GROUP = 0x04, 0x10
_ERROR = 0x01
CHASES = 10


@dataclass
class Track:
    """Everything heard of one advert: one address, from when it came to when it went."""

    address: bytes
    times: list[float] = field(default_factory=list)
    data: bytes = b""
    response: bytes = b""

    @property
    def gaps(self) -> list[float]:
        """Between one advert and the next."""
        return [later - earlier for earlier, later in pairwise(self.times)]

    @cached_property
    def gap(self) -> float:
        """The usual one while the lock is at rest."""
        gaps = self.gaps
        half = max(gaps, default=0.0) / 2
        rest = [gap for gap in gaps if gap > half]
        return statistics.median(rest) if rest else 0.0

    @cached_property
    def spread(self) -> float:
        """Of the gaps: their standard deviation."""
        gaps = self.gaps or [0.0]
        mean = math.fsum(gaps) / len(gaps)
        return math.sqrt(math.fsum((gap - mean) ** 2 for gap in gaps) / len(gaps))


@dataclass
class Probe:
    """What a stranger's phone finds."""

    table: bytes = b""
    """The GATT table as answered, PDU by PDU."""
    mtu: int = 0
    m0: bytes = b""
    delay: float = 0.0


@dataclass
class Sighting:
    """What one stint of listening brought of one lock; whose it is, is for the judge only."""

    track: Track
    changes: list[float]
    """When it took a new address while somebody listened."""
    probe: Probe | None = None
    visit: list[Packet] | None = None


class Ear:
    """Hears adverts as they are broadcast, without a host stack in between."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.tracks: dict[bytes, Track] = {}
        self.raw = RawCentral(house.ether, "observer", position=(0.0, 0.0))
        self.said: dict[bytes, set[str]] = {}
        """Every m0 heard, and the addresses it was heard under."""
        self._controller = house.ether.controller("ear", position=(0.0, 0.0))
        self._controller.report = self._hear  # type: ignore[method-assign, assignment]

    def listen(self, *, on: bool) -> None:
        """Begin or end a stint."""
        if on:
            self.tracks = {}
        self._controller.le_scan_type = 1
        self._controller.le_scan_enable = on
        self.house.ether.listening(self._controller)

    def _hear(self, kind: int, address: hci.Address, data: bytes, _rssi: int) -> None:
        track = self.tracks.setdefault(bytes(address), Track(bytes(address)))
        if kind == SCAN_RESPONSE:
            track.response = data
        else:
            track.data = data
            track.times.append(self.house.ether.loop.time())

    def heard(self, address: str) -> Track | None:
        """What was heard of an address."""
        return self.tracks.get(bytes(Address(address, AddressType.RANDOM_DEVICE)))

    async def probe(self, address: str) -> Probe | None:
        """Connect, read the whole table, subscribe, hear m0, leave."""
        found = Probe()
        try:
            await self.raw.connect(Address(address, AddressType.RANDOM_DEVICE), patience=5.0)
            found.mtu = await self.raw.exchange_mtu(247)
            found.table = await self._table()
            begun = self.house.ether.loop.time()
            await self.raw.subscribe(self._notifies(found.table))
            _, frame = await self.raw.notification(patience=3.0)
            found.m0, found.delay = frame[1:], self.house.ether.loop.time() - begun
            self.said.setdefault(found.m0, set()).add(address)
            await self.raw.disconnect()
        except (BumbleTimeoutError, TimeoutError, HCI_Error):
            return None
        return found

    async def chase(self, tenant: Tenant) -> None:
        """Connect again and again around changes of address, whichever it has; links cross them, too."""
        for _ in range(CHASES):
            address = tenant.address
            try:
                await self.raw.connect(Address(address, AddressType.RANDOM_DEVICE), patience=2.0)
                await self.raw.exchange_mtu(247)  # so that m0 is one notification
                await asyncio.sleep(self.house.chance.choice((0.0, 0.0, 1.0)))
                await self.raw.subscribe(self._notifies(b""))
                _, frame = await self.raw.notification(patience=3.0)
                self.said.setdefault(frame[1:], set()).add(address)
                await self.raw.disconnect()
            except (BumbleTimeoutError, TimeoutError, HCI_Error):
                continue
            await asyncio.sleep(self.house.chance.choice((0.0, 0.2, 0.6)))

    async def _table(self) -> bytes:
        """Services, and every attribute's handle and type."""
        said = b""
        for opcode, tail in ((READ_BY_GROUP, b"\x00\x28"), (FIND_INFORMATION, b"")):
            start = 1
            while start <= 0xFFFF:
                asked = bytes([opcode]) + start.to_bytes(2, "little") + b"\xff\xff" + tail
                answer = await self.raw.request(asked)
                if answer[0] == _ERROR:
                    break
                said += answer
                start = _last_handle(answer) + 1
        return said

    def _notifies(self, _table: bytes) -> int:
        """The handle that turns m0 on: the same in every lock, as the table shows."""
        return notification_handle(self.house.tenants[0])


def notification_handle(tenant: Tenant) -> int:
    """The configuration descriptor behind the characteristic of suite 1."""
    attributes = tenant.radio.device.gatt_server.attributes
    values = [one.handle for one in attributes if str(one.type) == gatt.SUITE1_TX_UUID.upper()]
    return next(
        int(one.handle)
        for one in attributes
        if one.handle > values[0] and one.type.to_bytes(force_128=False) == b"\x02\x29"
    )


def _last_handle(answer: bytes) -> int:
    """The last handle in an answer to one of the two questions."""
    if answer[0] == READ_BY_GROUP + 1:
        size = answer[1]
        return int.from_bytes(answer[-size + 2 : -size + 4], "little")
    size = 4 if answer[1] == 1 else 18
    return int.from_bytes(answer[-size : -size + 2], "little")


def lengths(packets: Sequence[Packet]) -> list[int]:
    """Of what the lock sent on a link, in order."""
    return [len(packet.data) for packet in packets if packet.sender is Side.PERIPHERAL]


def grams(packets: Sequence[Packet], size: int = 6) -> set[bytes]:
    """Every run of so many bytes in the values that went either way."""
    found: set[bytes] = set()
    for packet in packets:
        if packet.opcode in ATT_VALUE_OPCODES:
            value = packet.value or b""
            found.update(value[at : at + size] for at in range(len(value) - size + 1))
    return found


async def _disturb(house: House, ear: Ear, tenant: Tenant, sighting: Sighting) -> None:
    sighting.probe = await ear.probe(tenant.address)
    await ear.chase(tenant)
    await asyncio.sleep(house.chance.uniform(6.0, 12.0))
    with house.ether.record(f"lock-{tenant.number}") as recording:
        if house.chance.random() < 0.5 and await house.visit(tenant):
            sighting.visit = recording.packets


async def stint(house: House, ear: Ear, seconds: float, *, active: bool) -> list[Sighting]:
    """Listen for a while; hear staff open about half of the doors; `active`: probe and chase every lock.

    Who only listens hears no openings either, so that nothing disturbs the beat at which adverts change.
    """
    loop, start = house.ether.loop, house.ether.loop.time()
    ear.listen(on=True)
    first = {tenant.number: tenant.address for tenant in house.tenants}
    await asyncio.sleep(seconds / 4)
    found = []
    for tenant in house.chance.sample(house.tenants, len(house.tenants)):
        track = ear.heard(first[tenant.number])
        if track is None:
            raise RuntimeError("an advert was not heard at all")
        sighting = Sighting(track, [])
        if house.chance.random() < 0.5:
            house.knock(tenant)
        if active:
            await _disturb(house, ear, tenant, sighting)
        found.append((tenant.number, sighting))
    changes = {tenant.number: tenant.address for tenant in house.tenants}
    while loop.time() < start + seconds:
        await asyncio.sleep(5.0)
        for tenant in house.tenants:
            if changes[tenant.number] != tenant.address:
                changes[tenant.number] = tenant.address
                dict(found)[tenant.number].changes.append(loop.time())
    ear.listen(on=False)
    return [sighting for _, sighting in sorted(found, key=lambda one: one[0])]
