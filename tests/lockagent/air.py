"""A lock on the simulated air and a phone with genuine bleak, for tests of peripheral and agent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from lockagent.agent import Agent, Parts
from lockagent.core.clock import RtcReading
from lockagent.core.memory import BLANK
from lockagent.lockfolder import store_over
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from protocol import advert, commission, gatt, suites
from protocol.messages import Command, Request
from protocol.phone import Door, PhoneSession, PhoneState
from protocol.reasons import Reason
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.lockagent.bench import SECRETS, Phone
from tests.lockagent.crashdisk import CrashDisk, seeded
from tests.lockagent.world import T0, Issuer, Place, Right, right


@dataclass
class LiveLock:
    """A commissioned lock running on a controller of its own."""

    ether: Ether
    name: str = "lock-1"
    place: Place = field(default_factory=lambda: Place(Issuer(), SECRETS.identity))
    disk: CrashDisk = field(default_factory=CrashDisk)
    motor: SimulatedMotor = field(default_factory=SimulatedMotor)
    slow_ms: float | None = None
    places: int | None = None

    async def start(self) -> LiveLock:
        random = seeded(3).randbytes
        store = store_over(self.disk, SECRETS)
        if "state" not in self.disk.durable:
            store.create(BLANK.encode())
        controller = self.ether.controller(self.name, position=(1.0, 0.0))
        controller.places = self.places
        self.radio = BumbleRadio(controller, controller, random, interval_ms=100, slow_ms=self.slow_ms)
        rtc = RtcReading(T0 + int(asyncio.get_running_loop().time()))
        self.agent = Agent(Parts(store, SECRETS, self.motor, rtc, random), radio=self.radio)
        if self.agent.core.binding is None:
            package = commission.verify(self.place.commission())
            assert self.agent.commission(package) is Reason.GRANTED
        await self.agent.start()
        return self


Sighting = tuple[BLEDevice, AdvertisementData]


async def sighted(radio: PhoneRadio, place: Place) -> Sighting:
    """Scan until an advert of this door is seen."""
    resolver = advert.Resolver([(place.binding, place.adv_key)])

    def ours(_device: BLEDevice, data: AdvertisementData) -> bool:
        payload = data.manufacturer_data.get(gatt.COMPANY_ID)
        return payload is not None and resolver.resolve(advert.parse(payload)) is not None

    seen: list[Sighting] = []

    def note(device: BLEDevice, data: AdvertisementData) -> bool:
        if not ours(device, data):
            return False
        seen.append((device, data))
        return True

    device = await BleakScanner.find_device_by_filter(
        note, timeout=5.0, service_uuids=[gatt.SERVICE_UUID], backend=radio.scanner_backend
    )
    assert device is not None, "the lock was not seen"
    return seen[-1]


class Talk:
    """One phone session over bleak."""

    def __init__(self, client: BleakClient, session: PhoneSession) -> None:
        self.client = client
        self.session = session
        self.said: list[object] = []
        self._frames: asyncio.Queue[bytes] = asyncio.Queue()

    async def run(self, until: PhoneState = PhoneState.ENDED) -> Talk:
        """Subscribe, then answer whatever the lock says until the session is in this state."""
        suite = suites.of_key(self.session.key.holder.key_type)
        await self.client.start_notify(
            suite.tx_uuid, lambda _sender, data: self._frames.put_nowait(bytes(data))
        )
        async with asyncio.timeout(10.0):
            while self.session.state is not until:
                step = self.session.receive(await self._frames.get())
                self.said += step.said
                for frame in step.send:
                    await self.client.write_gatt_char(suite.rx_uuid, frame, response=False)
        return self


def phone_session(
    place: Place, phone: Phone, held: Right | None = None, *, mtu: int = 517, request_id: bytes | None = None
) -> PhoneSession:
    token = held or right(place, phone.key.holder, now=T0)
    return PhoneSession(
        door=Door(place.binding, SECRETS.identity.static_public, place.adv_key),
        key=phone.key,
        request=Request(Command.OPEN, request_id or phone.request_id(), token.encoded),
        capacity=mtu - gatt.ATT_HEADER,
        random=seeded(9).randbytes,
    )


@asynccontextmanager
async def connected(radio: PhoneRadio, place: Place) -> AsyncIterator[BleakClient]:
    """Find the door and connect to it."""
    device, _ = await sighted(radio, place)
    async with BleakClient(device, backend=radio.client_backend) as client:
        yield client
