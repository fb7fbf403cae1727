"""Phones and locks in one simulated radio space: the real engine, the real lock agent, genuine bleak, bumble.

Only the server is in small (`tests.mobile.issuing`), for here it is mostly away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bumble.device import ConnectionParametersPreferences

from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt
from lockagent.core.clock import RtcReading
from lockagent.core.identity import LockSecrets
from lockagent.core.memory import BLANK
from lockagent.lockfolder import store_over
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.state import AppState, Opening, OpeningState
from mobile.engine.storage.disk import Disk
from mobile.engine.storage.hardware import HardwareKeys
from mobile.engine.storage.vaultfile import Cost
from protocol import commission
from protocol.entries import Entry, EntryType
from protocol.settings import DoorKind, LockSettings
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.virtualtime import WallClock
from tests.lockagent.crashdisk import CrashDisk, seeded
from tests.lockagent.world import T0, Issuer, Place, secret
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer, Ware

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
APARTMENT = LockSettings(door_kind=DoorKind.APARTMENT)
GATE = LockSettings(door_kind=DoorKind.GATE)


@dataclass
class LockAtDoor:
    """A lock on its door, on the air."""

    world: World
    name: str
    ware: Ware
    secrets: LockSecrets
    motor: SimulatedMotor
    disk: CrashDisk = field(default_factory=CrashDisk)
    agent: Agent | None = None

    async def power_on(self, *, rtc_lost: bool = False) -> None:
        """Boot the agent over a controller of its own."""
        controller = self.world.ether.controller(self.name, position=(1.0, 0.0))
        random = self.world.chance(self.name)
        store = store_over(self.disk, self.secrets)
        if not self.disk.durable:
            store.create(BLANK.encode())
        rtc = RtcReading(self.world.wall() - 1_000_000, rtc_lost)
        self.agent = Agent(
            Parts(store, self.secrets, self.motor, rtc, random),
            radio=BumbleRadio(controller, controller, random),
        )
        if self.agent.core.binding is None:
            package = commission.verify(self.ware.place.commission(time=self.world.wall()))
            assert self.agent.commission(package).slug == "granted"
        await self.agent.start()

    def power_off(self) -> None:
        """As a dead battery does: the lock is gone in the middle of whatever it did."""
        assert self.agent is not None
        agent, self.agent = self.agent, None
        if agent._timer is not None:
            agent._timer.cancel()
        self.world.ether.remove(self.name)

    @property
    def door_id(self) -> str:
        return self.ware.door_id

    def entries(self) -> list[Entry]:
        return [Entry.decode(record.entry) for record in store_over(self.disk, self.secrets).boot().records]

    def kinds(self) -> list[str]:
        """Kinds of passages, what belongs to commissioning and boot left out."""
        quiet = {EntryType.BOUND, EntryType.BOOT, EntryType.BULLETIN, EntryType.CLOCK}
        return [EntryType(entry.kind).name for entry in self.entries() if entry.kind not in quiet]


@dataclass
class PhoneInHand:
    """One phone with its engine, its radio, and every state it has shown."""

    engine: PhoneEngine
    radio: PhoneRadio
    shown: list[Opening] = field(default_factory=list)

    def see(self, state: AppState) -> None:
        for opening in state.openings.values():
            if opening not in self.shown[-4:]:
                self.shown.append(opening)

    def states(self, door_id: str) -> list[OpeningState]:
        return [opening.state for opening in self.shown if opening.door_id == door_id]


@dataclass
class World:
    """Make it inside a running (virtual) loop with `world`."""

    folder: Path
    ether: Ether
    wall: WallClock
    server: SmallServer
    disk: Disk
    locks: list[LockAtDoor] = field(default_factory=list)
    phones: list[PhoneInHand] = field(default_factory=list)
    _boots: int = 0

    async def lock(self, name: str = "lock-1", *, settings: LockSettings = APARTMENT) -> LockAtDoor:
        secrets = LockSecrets(secret(f"{name}/s"), secret(f"{name}/l"), secret(f"{name}/e"))
        place = Place(
            self.server.issuer,
            secrets.identity,
            binding=secret(f"{name}/binding")[:8],
            settings=settings,
            adv_key=secret(f"{name}/adv"),
        )
        kind = "gate" if settings.door_kind is DoorKind.GATE else "apartment"
        ware = Ware(place, door_id=name, kind=kind)
        self.server.wares.append(ware)
        at_door = LockAtDoor(self, name, ware, secrets, SimulatedMotor(bolt=Bolt.LOCKED))
        await at_door.power_on()
        self.locks.append(at_door)
        return at_door

    async def phone(
        self,
        name: str = "anna",
        *,
        mtu: int = 247,
        manners: ConnectionParametersPreferences | None = None,
        hardware: HardwareKeys | None = None,
    ) -> PhoneInHand:
        """A phone that has enrolled and signed in, holding no right yet. `hardware`: where its keys live."""
        radio = PhoneRadio(self.ether, name, mtu=mtu, manners=manners)
        engine = self.engine(name, radio, hardware)
        phone = PhoneInHand(engine, radio)
        self.phones.append(phone)
        await engine.start()
        await engine.server_identity(URL)
        await engine.enrol(URL, CODE, PIN)
        await engine.sign_in(USERNAME, PASSWORD)
        await engine.second_factor(TOTP)
        engine.subscribe(phone.see)
        return phone

    def engine(self, name: str, radio: PhoneRadio, hardware: HardwareKeys | None = None) -> PhoneEngine:
        loop = asyncio.get_running_loop()
        return PhoneEngine(
            Setup(
                self.folder / name,
                scanner_backend=radio.scanner_backend,
                client_backend=radio.client_backend,
                transport=self.server.transport(),
                wall=self.wall,
                monotonic=loop.time,
                random=self.chance(name),
                vault_cost=CHEAP,
                sync_seconds=None,
                disk=self.disk,
                hardware=hardware,
            )
        )

    async def at_the_door(
        self,
        *,
        mtu: int = 247,
        settings: LockSettings = APARTMENT,
        manners: ConnectionParametersPreferences | None = None,
        hardware: HardwareKeys | None = None,
        **right: object,
    ) -> tuple[LockAtDoor, PhoneInHand]:
        """One lock, one phone with a right to it, the server gone."""
        lock = await self.lock(settings=settings)
        phone = await self.phone(mtu=mtu, manners=manners, hardware=hardware)
        self.server.grant(lock.ware, **right)  # type: ignore[arg-type]
        await phone.engine.sync()
        self.server.away = True
        return lock, phone

    def chance(self, name: str) -> Callable[[int], bytes]:
        """Repeatable randomness for one device, new at every boot."""
        self._boots += 1
        return seeded(int.from_bytes(secret(f"{name}/{self._boots}")[:8])).randbytes

    async def close(self) -> None:
        for phone in self.phones:
            await phone.engine.settled()
            await phone.engine.stop()
        await asyncio.sleep(1)
        for lock in self.locks:
            if lock.agent is not None:
                await lock.agent.stop()


def world(folder: Path, *, seed: int = 1, disk: Disk | None = None) -> World:
    """A radio space with nobody in it yet; `disk` is what every phone writes to."""
    wall = WallClock(T0)
    return World(folder, Ether(seed=seed), wall, SmallServer(now=wall, issuer=Issuer()), disk or Disk())
