"""A lock on its door in the ether: the real agent on a store in memory that outlives its reboots."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from bumble import hci

from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt, Order
from lockagent.core.clock import RtcReading
from lockagent.core.memory import BLANK
from lockagent.lockfolder import store_over
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from protocol.commission import Commission
from protocol.entries import Entry, EntryType, Granted
from protocol.reasons import Reason
from simulation.radio import Ether
from simulation.taps.townhall import Place

RESTART_SECONDS = 1.0


class MemoryFiles:
    """The lock's file port without a disk; every write is whole. (Power cuts have tests of their own.)"""

    def __init__(self) -> None:
        self._files: dict[str, bytearray] = {}

    def read(self, name: str) -> bytes | None:
        """See `lockagent.storage.port.Files`."""
        held = self._files.get(name)
        return None if held is None else bytes(held)

    def write(self, name: str, offset: int, data: bytes) -> None:
        """See `lockagent.storage.port.Files`."""
        self._files[name][offset : offset + len(data)] = data

    def sync(self, name: str) -> None:
        """Nothing is ever late here."""

    def replace(self, name: str, data: bytes) -> None:
        """See `lockagent.storage.port.Files`."""
        self._files[name] = bytearray(data)

    def rename(self, name: str, new_name: str) -> None:
        """See `lockagent.storage.port.Files`."""
        self._files[new_name] = self._files.pop(name)


class DoorLock:
    """One lock; its bolt is `motor`, and `motor.runs` tells every time it has acted."""

    def __init__(self, ether: Ether, place: Place, wall: Callable[[], int], chance: Random) -> None:
        self.place, self.motor = place, SimulatedMotor(bolt=Bolt.LOCKED)
        self._ether, self._wall, self._chance = ether, wall, chance
        self._store = store_over(MemoryFiles(), place.secrets)
        self._store.create(BLANK.encode())
        self._agent: Agent | None = None
        self.clockless = False
        """It has lost its clock; with no phone online nobody has given it the time since."""

    @property
    def name(self) -> str:
        """Its controller's name in the ether, and its door's id."""
        return self.place.name

    @property
    def address(self) -> hci.Address:
        """Where it can be reached just now. Raises KeyError while it is off."""
        return self._ether.find(self.name).random_address

    def granted_to(self, phone: bytes) -> int:
        """How often it granted to the phone with this fingerprint while it knew the time, by its own log."""
        grants = [Granted.parse(entry.detail) for entry in self.entries() if entry.kind == EntryType.GRANTED]
        return sum(grant.phone == phone and not grant.flags for grant in grants)

    def entries(self) -> list[Entry]:
        """Its log as it stands in the store."""
        return [Entry.decode(record.entry) for record in self._store.boot().records]

    async def mount(self, package: Commission) -> None:
        """Commission the blank lock and put it on the air."""
        agent = self._boot()
        reason = agent.commission(package)
        if reason is not Reason.GRANTED:
            raise RuntimeError(f"{self.name} refused its commissioning: {reason.slug}")
        await agent.start()

    async def restart(self, *, new_battery: bool = False) -> None:
        """Lose the power in the middle of whatever it does, and come back; a new battery loses the clock."""
        self.power_off()
        self.clockless |= new_battery
        self.motor.order(Order.STOP, asyncio.get_running_loop().time())
        await asyncio.sleep(RESTART_SECONDS)
        await self._boot(rtc_lost=new_battery).start()

    def power_off(self) -> None:
        """Gone, without a word."""
        agent, self._agent = self._agent, None
        if agent is not None:
            agent.halt()
            self._ether.remove(self.name)

    async def stop(self) -> None:
        """Leave the air in order."""
        if self._agent is not None:
            await self._agent.stop()

    def turn_by_hand(self, bolt: Bolt) -> None:
        """Turn the knob on the inside."""
        self.motor.turn_by_hand(bolt, asyncio.get_running_loop().time())
        if self._agent is not None:
            self._agent.touch()

    def _boot(self, *, rtc_lost: bool = False) -> Agent:
        controller = self._ether.controller(self.name, position=(1.0, 0.0))
        # The board's own calendar is off by some days; only its seconds are believed.
        rtc = RtcReading(self._wall() - 1_000_000, rtc_lost)
        random = self._chance.randbytes
        parts = Parts(self._store, self.place.secrets, self.motor, rtc, random)
        self._agent = Agent(parts, radio=BumbleRadio(controller, controller, random))
        return self._agent
