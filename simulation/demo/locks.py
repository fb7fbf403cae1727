"""The locks of the bench: the real agent, each on a store and a Bluetooth controller of its own."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt
from lockagent.core.clock import RtcReading
from lockagent.core.events import Tick
from lockagent.lockfolder import LockFolder, create, open_folder
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.bumble_radio import BumbleRadio
from protocol import commission
from protocol.reasons import Reason
from simulation.demo.clock import BenchClock
from simulation.radio import Ether, Position

HERE = (2.0, 0.0)


@dataclass
class BenchLock:
    """One lock: its folder, its agent, its bolt."""

    name: str
    folder: LockFolder
    agent: Agent
    motor: SimulatedMotor

    @property
    def identity_document(self) -> bytes:
        """What the lock says of itself, and all that leaves it before it is bound."""
        return self.folder.identity_document()

    @property
    def receipted(self) -> int:
        """How many log entries the lock's store says it holds receipts for."""
        return self.folder.store.boot().state.acked

    def turn_knob(self, bolt: Bolt, now: float) -> None:
        """Turn the knob on the inside, as the resident does."""
        self.motor.turn_by_hand(bolt, now)
        self.agent.touch()


class LockPark:
    """All locks of the bench."""

    def __init__(self, ether: Ether, clock: BenchClock, folder: Path, *, travel_seconds: float = 1.2) -> None:
        """``travel_seconds``: how long a bolt takes from one end to the other."""
        self._ether = ether
        self._travel_seconds = travel_seconds
        self._clock = clock
        self._folder = folder
        self._blank: dict[str, BenchLock] = {}
        self.locks: dict[int, BenchLock] = {}
        """By door id."""

    async def make(self, name: str, position: Position = HERE) -> bytes:
        """Make a blank lock with fresh keys, not yet on the air; return its identity document."""
        lock = self._blank[name] = self._lock(name, create(self._folder / name, os.urandom), position)
        return lock.identity_document

    async def mount(self, name: str, door_id: int, package: bytes) -> None:
        """Hand a blank lock its commissioning package and put it on the air."""
        lock = self._blank.pop(name)
        reason = lock.agent.commission(commission.verify(package))
        if reason is not Reason.GRANTED:
            raise RuntimeError(f"{lock.name} refused its commissioning: {reason.slug}")
        await lock.agent.start()
        self.locks[door_id] = lock

    async def scrap(self, name: str) -> None:
        """Take a lock that found no door off the bench, with its keys and its empty log."""
        self._blank.pop(name).folder.close()
        shutil.rmtree(self._folder / name)
        self._ether.remove(name)

    async def power_on(self) -> int:
        """Put every lock that lies in the folder on the air again; return how many."""
        folders = sorted(path for path in self._folder.iterdir() if path.is_dir())
        for number, path in enumerate(folders):
            lock = self.locks[number] = self._lock(path.name, open_folder(path), HERE)
            await lock.agent.start()
        return len(folders)

    def time_has_passed(self) -> None:
        """Let every lock notice that the bench's clock was set ahead."""
        for lock in self.locks.values():
            lock.agent.feed(Tick())

    async def close(self) -> None:
        """Take every lock off the air and let go of its store."""
        for lock in self.locks.values():
            await lock.agent.stop()
        for lock in (*self.locks.values(), *self._blank.values()):
            lock.folder.close()
        self.locks.clear()
        self._blank.clear()

    def _lock(self, name: str, folder: LockFolder, position: Position) -> BenchLock:
        motor = SimulatedMotor(bolt=Bolt.LOCKED, battery=96, travel_seconds=self._travel_seconds)
        controller = self._ether.controller(name, position=position)
        agent = Agent(
            Parts(folder.store, folder.secrets, motor, self._rtc(), os.urandom),
            radio=BumbleRadio(controller, controller, os.urandom),
            mono=self._clock.monotonic,
        )
        return BenchLock(name, folder, agent, motor)

    def _rtc(self) -> RtcReading:
        return RtcReading(int(self._clock.now()), lost=False)
