"""What one visit is on the air: the real peripheral, genuine bleak, every packet of the simulated radio."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bleak import BleakClient, BleakScanner

from lockagent.agent import Agent, Parts
from lockagent.core.clock import RtcReading
from lockagent.core.events import LinkDown, LinkUp
from lockagent.core.memory import BLANK
from lockagent.lockfolder import store_over
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from lockagent.peripheral.port import RadioEvent
from protocol import commission, gatt
from protocol.messages import Command, Request
from protocol.phone import Door, PhoneSession, PhoneState
from simulation import virtualtime
from simulation.backend import PhoneRadio
from simulation.conformance.municipality import Municipality, Place
from simulation.energy.cast import BEGIN, PHONE, SECRETS, right
from simulation.radio import Ether, Side
from simulation.radio.conditions import Conditions
from simulation.taps.doorlock import MemoryFiles

MTU = 247


@dataclass(frozen=True)
class Airtime:
    """One visit: how long the link stood, and the bytes of each packet either way."""

    seconds: float
    sent: tuple[int, ...]
    """By the lock."""
    heard: tuple[int, ...]


class _Watched(BumbleRadio):
    """Notes when links come and go."""

    def watch(self) -> None:
        self.stood = 0.0
        self._since: dict[int, float] = {}

    async def start(self, listener: Callable[[RadioEvent], None]) -> None:
        def heard(event: RadioEvent) -> None:
            now = asyncio.get_running_loop().time()
            if isinstance(event, LinkUp):
                self._since[event.link] = now
            elif isinstance(event, LinkDown):
                self.stood += now - self._since.pop(event.link)
            listener(event)

        await super().start(heard)


async def opens(client: BleakClient, place: Place, now: int) -> None:
    """A person taps, the bolt moves, the log is handed over."""
    frames: asyncio.Queue[bytes] = asyncio.Queue()
    session = PhoneSession(
        door=Door(place.binding, place.lock.static_public, place.adv_key),
        key=PHONE,
        request=Request(Command.OPEN, os.urandom(8), right(place, now)),
        capacity=MTU - gatt.ATT_HEADER,
        random=os.urandom,
        news=place.news(time=now),
    )
    await client.start_notify(gatt.SUITE1_TX_UUID, lambda _, data: frames.put_nowait(bytes(data)))
    while session.state is not PhoneState.ENDED:
        for frame in session.receive(await frames.get()).send:
            await client.write_gatt_char(gatt.SUITE1_RX_UUID, frame, response=False)


async def _opens(client: BleakClient, place: Place) -> None:
    await opens(client, place, BEGIN + 1)


async def _looks(client: BleakClient, _place: Place) -> None:
    """A stranger's phone connects, reads what there is, hears m0 and leaves."""
    await client.start_notify(gatt.SUITE1_TX_UUID, lambda _, _data: None)
    await asyncio.sleep(1.0)


async def _sits(client: BleakClient, _place: Place) -> None:
    """A stranger stays until it is thrown out."""
    await client.start_notify(gatt.SUITE1_TX_UUID, lambda _, _data: None)
    await asyncio.sleep(2.0 * gatt.SESSION_SECONDS)


VISITS: dict[str, Callable[[BleakClient, Place], Awaitable[None]]] = {
    "opening": _opens,
    "look": _looks,
    "sit": _sits,
}


async def _visit(kind: str, interval: float) -> Airtime:
    ether = Ether(seed=kind, conditions=Conditions(connection_interval=interval))
    store = store_over(MemoryFiles(), SECRETS)
    store.create(BLANK.encode())
    controller = ether.controller("lock", position=(1.0, 0.0))
    radio = _Watched(controller, controller, os.urandom, interval_ms=100)
    radio.watch()
    agent = Agent(Parts(store, SECRETS, SimulatedMotor(), RtcReading(BEGIN), os.urandom), radio=radio)
    place = Place(Municipality(now=BEGIN), SECRETS.identity)
    agent.commission(commission.verify(place.package(time=BEGIN)))
    await agent.start()
    phone = PhoneRadio(ether, "phone", mtu=MTU)
    device = await BleakScanner.find_device_by_filter(
        lambda _device, data: gatt.SERVICE_UUID in data.service_uuids, backend=phone.scanner_backend
    )
    if device is None:
        raise RuntimeError("the lock was not seen")
    with ether.record("lock") as recording:
        async with BleakClient(device, backend=phone.client_backend) as client:
            await VISITS[kind](client, place)
        await asyncio.sleep(1.0)
    await agent.stop()
    return Airtime(
        radio.stood,
        tuple(len(packet.data) for packet in recording.sent_by(Side.PERIPHERAL)),
        tuple(len(packet.data) for packet in recording.sent_by(Side.CENTRAL)),
    )


def counted(kind: str, *, interval: float) -> Airtime:
    """Play one visit of a kind in virtual time."""
    return virtualtime.run(_visit(kind, interval))
