"""What one opening costs up to the lock's decision: round trips, bytes, and time beside a bare exchange.

The real lock agent on a real store and genuine bleak over the simulated radio. The baseline is the least any
protocol with an answer can do on the same link: subscribe, write once, be notified once, with as many bytes.
At 0 ms what is measured is computing and the flush of the log to the disk (wall clock); at 30 ms the time on
the air (virtual clock, which stands still while anybody computes).
"""

import asyncio
import os
import statistics
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bumble.core import UUID, AdvertisingData
from bumble.device import Connection, Device
from bumble.gatt import Characteristic, CharacteristicValue, Service

from bench.output import emit
from bench.results import Figure
from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt
from lockagent.core.clock import RtcReading
from lockagent.lockfolder import create
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from mobile.engine.traffic import Traffic
from protocol import commission, gatt
from protocol.messages import Command, Decision, Request
from protocol.phone import Door, PhoneSession
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from simulation import virtualtime
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.radio.conditions import Conditions
from tests.lockagent.world import T0, Issuer, Place, right

MTU = 247
ROUNDS = 21
ATTEMPTS = 3
CONNECT_SECONDS = 5.0
M1_BYTES, M2_BYTES = 243, 32
PHONE_KEY = bytes(range(32))
BARE_SERVICE = "7d1c0011-3f52-4c8e-9a51-0c6f5ad41e01"
BARE_WRITE = "7d1c0012-3f52-4c8e-9a51-0c6f5ad41e01"
BARE_NOTIFY = "7d1c0013-3f52-4c8e-9a51-0c6f5ad41e01"
Clock = Callable[[], float]


@dataclass(frozen=True)
class Times:
    """Medians in seconds, and the counts of the last opening."""

    ours: float
    bare: float
    traffic: Traffic


class BarePeripheral:
    """Answers each write with one notification, and that is all."""

    def __init__(self, ether: Ether) -> None:
        self.device: Device = ether.attach("bare", position=(1.0, 0.0))
        self._notify: Characteristic[bytes] = Characteristic(
            BARE_NOTIFY, Characteristic.Properties.NOTIFY, Characteristic.READABLE, b""
        )
        write: Characteristic[bytes] = Characteristic(
            BARE_WRITE,
            Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
            Characteristic.WRITEABLE,
            CharacteristicValue(write=self._written),
        )
        self.device.add_service(Service(BARE_SERVICE, [write, self._notify]))

    async def start(self) -> None:
        """Power on and advertise."""
        await self.device.power_on()
        service = (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(BARE_SERVICE)))
        await self.device.start_advertising(
            auto_restart=True, advertising_data=bytes(AdvertisingData([service]))
        )

    async def _written(self, connection: Connection, _value: bytes) -> None:
        await self.device.notify_subscriber(connection, self._notify, bytes(M2_BYTES))


class BenchDoor:
    """A commissioned lock on the air with its store on a real disk, and a phone's right to it."""

    def __init__(self, ether: Ether, folder: Path) -> None:
        lock = create(folder, os.urandom)
        self.place = Place(Issuer(), lock.secrets.identity)
        controller = ether.controller("lock", position=(1.0, 0.0))
        parts = Parts(
            lock.store, lock.secrets, SimulatedMotor(bolt=Bolt.UNLOCKED), RtcReading(T0), os.urandom
        )
        self.agent = Agent(parts, radio=BumbleRadio(controller, controller, os.urandom))
        if self.agent.commission(commission.verify(self.place.commission())) is not Reason.GRANTED:
            raise RuntimeError("the lock refused its commissioning")
        self.token = right(self.place, PHONE_KEY, now=T0).encoded

    def session(self) -> PhoneSession:
        """A fresh attempt to open."""
        return PhoneSession(
            door=Door(self.place.binding, self.place.lock.static_public, self.place.adv_key),
            key=X25519Key(PHONE_KEY),
            request=Request(Command.OPEN, os.urandom(8), self.token),
            capacity=MTU - gatt.ATT_HEADER,
            random=os.urandom,
        )


async def open_once(client: BleakClient, door: BenchDoor, clock: Clock) -> tuple[float, Traffic]:
    """Seconds from subscribing to the decision, on a link that stands already."""
    frames: asyncio.Queue[bytes] = asyncio.Queue()
    traffic, session = Traffic(), door.session()
    begun = clock()
    traffic.subscribed()
    await client.start_notify(gatt.SUITE1_TX_UUID, lambda _, data: frames.put_nowait(bytes(data)))
    while session.decision is None:
        frame = await frames.get()
        traffic.heard(frame)
        step = session.receive(frame)
        if any(isinstance(said, Decision) for said in step.said):
            traffic.decided()
            break
        for outgoing in step.send:
            traffic.sent(outgoing)
            await client.write_gatt_char(gatt.SUITE1_RX_UUID, outgoing, response=False)
    elapsed = clock() - begun
    if session.decision is None or not session.decision.granted:
        raise RuntimeError(f"the lock did not grant: {session.decision}")
    return elapsed, traffic


async def exchange_once(client: BleakClient, clock: Clock) -> float:
    """Seconds for subscribe, one write and one notification on a link that stands already."""
    answered = asyncio.Event()
    begun = clock()
    await client.start_notify(BARE_NOTIFY, lambda _characteristic, _data: answered.set())
    await client.write_gatt_char(BARE_WRITE, bytes(M1_BYTES), response=False)
    await answered.wait()
    return clock() - begun


@asynccontextmanager
async def linked(radio: PhoneRadio, service: str) -> AsyncIterator[BleakClient]:
    """A link to a peripheral of this service, found anew if its address changed before it was reached."""
    for _ in range(ATTEMPTS):
        device = await found(radio, service)
        client = BleakClient(device, timeout=CONNECT_SECONDS, backend=radio.client_backend)
        try:
            await client.connect()
        except TimeoutError:
            continue
        try:
            yield client
        finally:
            await client.disconnect()
        return
    raise RuntimeError(f"no link to {service} in {ATTEMPTS} attempts")


async def found(radio: PhoneRadio, service: str) -> BLEDevice:
    """Scan for a peripheral of this service."""
    device = await BleakScanner.find_device_by_filter(
        lambda _device, data: service in data.service_uuids, timeout=10, backend=radio.scanner_backend
    )
    if device is None:
        raise RuntimeError(f"nobody advertises {service}")
    return device


async def compare(interval: float, folder: Path, clock: Clock | None = None) -> Times:
    """Measure both in turn, each on a fresh link of its own."""
    timer = clock or asyncio.get_running_loop().time
    ether = Ether(seed=3, conditions=Conditions(connection_interval=interval))
    radio = PhoneRadio(ether, "phone", mtu=MTU)
    bare, door = BarePeripheral(ether), BenchDoor(ether, folder)
    await bare.start()
    await door.agent.start()
    ours, plain, traffic = [], [], Traffic()
    for _ in range(ROUNDS):
        async with linked(radio, BARE_SERVICE) as client:
            plain.append(await exchange_once(client, timer))
        async with linked(radio, gatt.SERVICE_UUID) as client:
            seconds, traffic = await open_once(client, door, timer)
            ours.append(seconds)
    await door.agent.stop()
    return Times(statistics.median(ours), statistics.median(plain), traffic)


def measure() -> list[Figure]:
    """Count once, time at both intervals."""
    with tempfile.TemporaryDirectory() as folder:
        at_0 = asyncio.run(compare(0.0, Path(folder) / "real", perf_counter))
        at_30 = virtualtime.run(compare(0.03, Path(folder) / "virtual"))
    detail = "{:.2f} ms to the decision, bare exchange {:.2f} ms"
    traffic = at_30.traffic
    return [
        Figure("opening.round_trips", traffic.round_trips, "", "≤ 2"),
        Figure("opening.application_bytes", traffic.application_bytes, "bytes", "≤ 340"),
        Figure(
            "opening.time_ratio_0ms",
            at_0.ours / at_0.bare,
            "×",
            "",
            detail.format(at_0.ours * 1000, at_0.bare * 1000) + " (wall clock)",
        ),
        Figure(
            "opening.time_ratio_30ms",
            at_30.ours / at_30.bare,
            "×",
            "≤ 1.3",
            detail.format(at_30.ours * 1000, at_30.bare * 1000) + " (virtual clock)",
        ),
    ]


if __name__ == "__main__":
    emit(measure())
