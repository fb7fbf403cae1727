"""One stairwell with its gate, its apartments and its people, over three shifts.

The second shift begins more than a day after the first, so that every lock has to ask for news before it
grants (`need_update`); the third comes with another token key that no lock knows yet (`key_unknown`). Whoever
comes first brings the cure in the same session.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

from mobile.engine.state import Operation
from protocol.keys import HolderKey, KeyType, x25519_public
from protocol.settings import DoorKind, LockSettings
from simulation.radio import Conditions, Ether
from simulation.taps import baggage, mix, wrongful
from simulation.taps.count import Tap
from simulation.taps.doorlock import DoorLock
from simulation.taps.mix import Luck
from simulation.taps.phone import StairPhone
from simulation.taps.scene import Hand, Scene
from simulation.taps.townhall import Place, TownHall, secret
from simulation.virtualtime import WallClock

BEGINS = 1_790_000_000
SHIFTS = 3
NIGHT_SECONDS = 30 * 3600
APARTMENTS = 3
RELOCK_SECONDS = 300


class House:
    """Make it inside a running virtual loop."""

    def __init__(self, number: int, seed: str, folder: Path) -> None:
        self.number, self._name = number, f"{seed}/{number}"
        self.chance = Random(self._name)  # noqa: S311 - seeded on purpose
        self.wall = WallClock(BEGINS)
        self.ether = Ether(self._name, Conditions(connection_interval=None, fading_db=mix.FADING_DB))
        self.hall = TownHall(self._name)
        self.kind = wrongful.KINDS[number % len(wrongful.KINDS)]
        self.taps: list[Tap] = []
        self.locks = [
            DoorLock(self.ether, place, self.wall, self._luck_of(place.name)) for place in self._places()
        ]
        self.staff = [self._phone(name, folder) for name in ("anna", "bo")]
        self.thief = self._phone("thief", folder)
        self._first_news: dict[str, bytes] = {}

    async def play(self, taps: int) -> list[Tap]:
        """Let at least so many taps happen; returns a record of each."""
        for shift in range(1, SHIFTS + 1):
            await self._begin_shift(shift)
            while len(self.taps) < taps * shift / SHIFTS:
                await self._visit()
            for phone in (*self.staff, self.thief):
                await phone.end_shift()
            if shift < SHIFTS:
                await asyncio.sleep(NIGHT_SECONDS)
        for lock in self.locks:
            await lock.stop()
        return self.taps

    @property
    def granted_to_the_thief(self) -> int:
        """What the locks' own logs say; must be none."""
        fingerprint = HolderKey(KeyType.X25519, x25519_public(self._key("thief"))).fingerprint
        return sum(lock.granted_to(fingerprint) for lock in self.locks)

    # -- a shift ------------------------------------------------------------------------------------------

    async def _begin_shift(self, shift: int) -> None:
        self.hall.shift, now = shift, self.wall()
        places = [lock.place for lock in self.locks]
        key = self._key("thief")
        bad = baggage.without_right(self.kind, self.hall, places, key, now)
        news = {place.name: self.hall.bulletin(place, now) for place in places}
        if shift == 1:
            self._first_news = news
            for lock in self.locks:
                await lock.mount(self.hall.commission(lock.place, news[lock.name]))
        old = self._first_news if self.kind == "withholds news" else None
        await self.thief.begin_shift(
            baggage.pack(self.hall, places, news, bad, key=key, now=now, kind=self.kind, old_news=old)
        )
        for phone in self.staff:
            own = self._key(phone.name)
            good = baggage.rightful(self.hall, places, own, now)
            await phone.begin_shift(baggage.pack(self.hall, places, news, good, key=own, now=now))

    async def _visit(self) -> None:
        """Through the gate, into an apartment, and lock it on leaving."""
        person = self.chance.choice(self.staff)
        gate, apartment = self.locks[0], self.chance.choice(self.locks[1:])
        await person.take_out()
        await self._scene(person, gate, Operation.OPEN)
        await asyncio.sleep(self.chance.uniform(4, 10))
        await self._scene(person, apartment, Operation.OPEN)
        await person.put_away()
        await asyncio.sleep(self.chance.uniform(20, 60))
        await person.take_out()
        await self._scene(person, apartment, Operation.LOCK)
        await person.put_away()

    async def _scene(self, person: StairPhone, lock: DoorLock, operation: Operation) -> None:
        luck = mix.draw(self.chance)
        if luck.hindrance == "hand on the knob" and (lock is self.locks[0] or operation is Operation.LOCK):
            luck = Luck(luck.air, luck.mishaps)  # a gate has no knob, and a hand that locks helps
        hands = [Hand(person)]
        if not luck.hindrance:
            hands += self._company(person, luck, operation)
        await self._play(Scene(self.ether, self._doors, lock, operation, luck, hands, self.chance))
        if operation is Operation.OPEN and self.chance.random() < mix.WRONGFUL_AFTER_OPENING:
            await self._thief_comes(lock)

    async def _thief_comes(self, lock: DoorLock) -> None:
        """Somebody without a right tries the same door."""
        hands, luck = [Hand(self.thief, self.kind)], Luck(mix.air(self.chance), frozenset())
        await self.thief.take_out()
        await self._play(Scene(self.ether, self._doors, lock, Operation.OPEN, luck, hands, self.chance))
        await self.thief.put_away()

    def _company(self, person: StairPhone, luck: Luck, operation: Operation) -> list[Hand]:
        others: list[Hand] = []
        if "colleague" in luck.mishaps:
            others.append(Hand(next(phone for phone in self.staff if phone is not person)))
        may_lock = self.kind == "other operation" and operation is Operation.LOCK
        if "thief beside" in luck.mishaps and not may_lock:
            others.append(Hand(self.thief, self.kind))
        return others

    async def _play(self, scene: Scene) -> None:
        self.taps += await scene.play(self.number, len(self.taps))

    @property
    def _doors(self) -> list[str]:
        return [lock.name for lock in self.locks]

    def _places(self) -> list[Place]:
        gate = Place.make(f"{self._name}/gate", LockSettings(DoorKind.GATE))
        settings = LockSettings(DoorKind.APARTMENT, relock_after=RELOCK_SECONDS)
        return [gate, *(Place.make(f"{self._name}/flat-{n}", settings) for n in range(1, APARTMENTS + 1))]

    def _phone(self, name: str, folder: Path) -> StairPhone:
        return StairPhone(self.ether, name, folder / name, self.wall, self._luck_of(name))

    def _luck_of(self, name: str) -> Random:
        """Chance of its own for each device: what one draws in a worker thread must not shift the story."""
        return Random(f"{self._name}/{name}")  # noqa: S311 - seeded on purpose

    def _key(self, name: str) -> bytes:
        return secret(f"{self._name}/{name}/key")
