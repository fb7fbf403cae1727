"""A house of real locks on one simulated radio, all alike but for their keys, and staff who open them."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.exc import BleakError

from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt, Woken
from lockagent.core.clock import RtcReading
from lockagent.core.identity import LockSecrets
from lockagent.core.memory import BLANK
from lockagent.lockfolder import store_over
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from protocol import commission
from simulation.backend import PhoneRadio
from simulation.conformance.municipality import Municipality, Place, secret
from simulation.energy.airtime import opens
from simulation.energy.cast import BEGIN
from simulation.radio import Ether
from simulation.taps.doorlock import MemoryFiles

FAST_MS, SLOW_MS = 100.0, 1000.0
Luck = Callable[[int, int, random.Random], bytes]
"""(lock, bytes wanted, its chance) -> bytes: where a test puts a leak in."""


def fair(_lock: int, size: int, chance: random.Random) -> bytes:
    """No leak: every byte by chance."""
    return chance.randbytes(size)


@dataclass
class Leaks:
    """What a test may do wrong on purpose, to see that it is found."""

    luck: Luck = fair
    slow_ms: Callable[[int], float] = lambda _lock: SLOW_MS


@dataclass
class Tenant:
    """One lock, and the place it has."""

    number: int
    place: Place
    radio: BumbleRadio
    motor: SimulatedMotor
    agent: Agent

    @property
    def address(self) -> str:
        """Of its advert just now."""
        return str(self.radio.device.random_address.to_string(False))


@dataclass
class House:
    """All of them at one distance from whoever listens: where a lock hangs is no secret of the protocol's."""

    ether: Ether
    size: int
    seed: int
    leaks: Leaks = field(default_factory=Leaks)

    def __post_init__(self) -> None:
        self.chance = random.Random(f"{self.seed}/house")  # noqa: S311 - a story, told again with the same seed
        self.tenants = [self._tenant(number) for number in range(self.size)]
        self.phone = PhoneRadio(self.ether, "staff", mtu=247)

    @property
    def now(self) -> int:
        """Unix time."""
        return BEGIN + int(self.ether.loop.time())

    async def begin(self) -> None:
        """Mount the locks one after the other, minutes apart."""
        for tenant in self.tenants:
            package = tenant.place.package(time=self.now)
            tenant.agent.commission(commission.verify(package))
            await tenant.agent.start()
            await asyncio.sleep(self.chance.uniform(1, 400))

    async def end(self) -> None:
        """Take them off the air."""
        for tenant in self.tenants:
            await tenant.agent.stop()

    def knock(self, tenant: Tenant) -> None:
        """Somebody touches a lock."""
        tenant.agent.feed(Woken())

    async def visit(self, tenant: Tenant) -> bool:
        """Staff open a door; whether they got a link (its address may have changed under them)."""
        device = BLEDevice(tenant.address, None, {})
        try:
            async with BleakClient(device, timeout=5.0, backend=self.phone.client_backend) as client:
                await opens(client, tenant.place, self.now)
        except (BleakError, TimeoutError):
            return False
        await asyncio.sleep(2.0)
        tenant.motor.turn_by_hand(Bolt.LOCKED, self.ether.loop.time())
        tenant.agent.touch()
        return True

    def _tenant(self, number: int) -> Tenant:
        chance = random.Random(f"{self.seed}/lock/{number}")  # noqa: S311

        def luck(size: int) -> bytes:
            return self.leaks.luck(number, size, chance)

        keys = [secret(f"house/{number}/{name}") for name in ("static", "log", "seal")]
        secrets = LockSecrets(*keys)
        place = Place(
            Municipality(now=BEGIN),
            secrets.identity,
            binding=secret(f"house/{number}/binding")[:8],
            adv_key=secret(f"house/{number}/adv"),
        )
        store = store_over(MemoryFiles(), secrets)
        store.create(BLANK.encode())
        controller = self.ether.controller(f"lock-{number}", position=(1.0, 0.0))
        slow = self.leaks.slow_ms(number)
        radio = BumbleRadio(controller, controller, luck, interval_ms=FAST_MS, slow_ms=slow)
        motor = SimulatedMotor()
        parts = Parts(store, secrets, motor, RtcReading(self.now), luck)
        return Tenant(number, place, radio, motor, Agent(parts, radio=radio))
