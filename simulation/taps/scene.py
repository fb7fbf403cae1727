"""One scene at a door: the luck is set up, everybody there taps, and what came of it is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bumble.core import BaseBumbleError

from lockagent.bolt import Bolt
from mobile.engine.state import DONE_WELL, DoorKind, Opening, OpeningState, Operation
from simulation.faults import CutLink, Drop, FlipBits, lock_notifies, phone_writes
from simulation.radio import Ether
from simulation.rawcentral import RawCentral
from simulation.taps import wrongful
from simulation.taps.baggage import KINDS
from simulation.taps.count import Tap
from simulation.taps.doorlock import DoorLock
from simulation.taps.mix import Luck
from simulation.taps.phone import StairPhone

BESIDE_SECONDS = 1.5
"""Within so many seconds those who come together tap."""
LAST_PACKET = 12
"""A talk has about so many value packets at a large MTU; a fault meant for a later one comes too late."""
TOLD_FOR = {
    "jammed": frozenset({OpeningState.JAMMED}),
    "motor dead": frozenset({OpeningState.MOTOR_TIMEOUT}),
    "sensor dead": frozenset({OpeningState.MOTOR_TIMEOUT}),
    "hand on the knob": frozenset({OpeningState.BY_HAND, OpeningState.LOCKED, OpeningState.ALREADY_LOCKED}),
}
UNKNOWN = frozenset({OpeningState.NO_ANSWER, OpeningState.OUTCOME_UNKNOWN, OpeningState.FAILED})
HONEST_NO = frozenset({"busy", "time_uncertain"})
"""Refusals that may befall a person who holds a right."""


@dataclass(frozen=True)
class Hand:
    """Somebody who taps: with which phone, and what is wrong with the right ('' = nothing)."""

    phone: StairPhone
    wrong: str = ""


@dataclass
class Scene:
    """Made for one moment at one door, used once."""

    ether: Ether
    doors: list[str]
    lock: DoorLock
    operation: Operation
    luck: Luck
    hands: list[Hand]
    chance: Random
    _lifts: list[Callable[[], None]] = field(default_factory=list)
    _going: list[asyncio.Task[None]] = field(default_factory=list)
    _acts: int = 0
    """How often the lock acted, counted when everything has come to rest."""
    _is_as_asked: bool = False

    async def play(self, house: int, number: int) -> list[Tap]:
        """Everybody taps once; returns one record each, as tap `number` of this house and those after it."""
        before = len(self.lock.motor.runs)
        self._set_air()
        await self._prepare()
        taps = [self._tap(hand, first=place == 0) for place, hand in enumerate(self.hands)]
        ended = await asyncio.gather(*taps)
        await self._clear_up()
        self._acts = len(self.lock.motor.runs) - before
        self._is_as_asked = self._moved()
        self._mend()
        return [
            self._record(house, number + place, hand, ended[place]) for place, hand in enumerate(self.hands)
        ]

    # -- setting up ---------------------------------------------------------------------------------------

    def _set_air(self) -> None:
        air, conditions = self.luck.air, self.ether.conditions
        conditions.packet_loss = air.packet_loss
        conditions.advert_loss = air.advert_loss
        conditions.connect_loss = air.connect_loss
        for hand in self.hands:
            self._stand(hand.phone)

    async def _prepare(self) -> None:
        await self._battery()
        for hand in self.hands[1:]:
            await hand.phone.take_out()
        await asyncio.sleep(self.chance.uniform(0.3, 3.0))
        self._hinder()
        mishaps = self.luck.mishaps
        if "link cut" in mishaps:
            self._rule(CutLink(self._any_value(), nth=self._nth(), deliver=self.chance.random() < 0.5))
        if "packet swallowed" in mishaps:
            self._rule(Drop(self._any_value(), nth=self._nth()))
        if "bits flipped" in mishaps:
            self._rule(FlipBits(self._any_value(), nth=self._nth(), bits=self.chance.randint(1, 4)))
        if "scan fell silent" in mishaps:
            await self.hands[0].phone.deafen()
        if "stranger's link" in mishaps:
            self._start(self._stranger())
        if "tapped too early" in mishaps:
            self._start(self._come_late())
        if "stepped away" in mishaps:
            self._start(self._step_away())
        if "lock restarts" in mishaps:
            self._start(self._restart())

    async def _battery(self) -> None:
        if "new battery" in self.luck.mishaps:
            await self.lock.restart(new_battery=True)

    def _hinder(self) -> None:
        faults = self.lock.motor.faults
        faults.jammed = self.luck.hindrance == "jammed"
        faults.motor_dead = self.luck.hindrance == "motor dead"
        faults.sensor_dead = self.luck.hindrance == "sensor dead"
        if self.luck.hindrance == "hand on the knob":
            self._start(self._turn_knob())

    def _any_value(self) -> Callable[[Any], bool]:
        return self.chance.choice([phone_writes, lock_notifies])

    def _nth(self) -> int:
        return self.chance.randint(1, LAST_PACKET // 2)

    def _rule(self, rule: Any) -> None:
        self._lifts.append(self.ether.add_rule(rule))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._going.append(asyncio.create_task(work))

    def _stand(self, phone: StairPhone) -> None:
        phone.stand(self.doors, self.lock.name, self.luck.air.strength)

    # -- what happens meanwhile ---------------------------------------------------------------------------

    async def _come_late(self) -> None:
        phone = self.hands[0].phone
        phone.leave(self.doors)
        await asyncio.sleep(self.chance.uniform(2.0, 8.0))
        self._stand(phone)

    async def _step_away(self) -> None:
        phone = self.hands[0].phone
        await asyncio.sleep(self.chance.uniform(0.2, 3.0))
        phone.leave(self.doors)
        await asyncio.sleep(self.chance.uniform(1.0, 5.0))
        self._stand(phone)

    async def _restart(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.3, 3.0))
        await self.lock.restart()

    async def _turn_knob(self) -> None:
        before = len(self.lock.motor.runs)
        while len(self.lock.motor.runs) == before:  # the motor tells nobody but its lock  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        self.lock.turn_by_hand(Bolt.LOCKED)

    async def _stranger(self) -> None:
        async with RawCentral(self.ether, "stranger") as stranger:
            try:
                await stranger.connect(self.lock.address)
            except (BaseBumbleError, TimeoutError):
                return  # the lock did not hear it either
            await asyncio.sleep(20)

    # -- tapping and afterwards ---------------------------------------------------------------------------

    async def _tap(self, hand: Hand, *, first: bool) -> tuple[Opening, float]:
        if not first:
            await asyncio.sleep(self.chance.uniform(0.0, BESIDE_SECONDS))
        return await hand.phone.tap(self.lock.name, self.operation)

    async def _clear_up(self) -> None:
        for task in self._going:
            if "lock restarts" not in self.luck.mishaps:
                task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)
        for lift in self._lifts:
            lift()
        for hand in self.hands:
            self._stand(hand.phone)
            await hand.phone.engine.settled()
        for hand in self.hands[1:]:
            await hand.phone.put_away()

    def _moved(self) -> bool:
        """Whether the door stands as asked; looked at when everything has come to rest."""
        if self.is_gate:
            return self._acts > 0 and not self.luck.hindrance
        wanted = Bolt.UNLOCKED if self.operation is Operation.OPEN else Bolt.LOCKED
        return self.lock.motor.bolt is wanted

    def _mend(self) -> None:
        """Somebody pushes the door and turns the knob: the next scene begins with what it expects."""
        faults = self.lock.motor.faults
        faults.jammed = faults.motor_dead = faults.sensor_dead = False
        if not self.is_gate:
            wanted = Bolt.UNLOCKED if self.operation is Operation.OPEN else Bolt.LOCKED
            if self.lock.motor.bolt is not wanted and not all(hand.wrong for hand in self.hands):
                self.lock.turn_by_hand(wanted)

    @property
    def is_gate(self) -> bool:
        """Whether the lock is a strike that falls back by itself."""
        return KINDS[self.lock.place.settings.door_kind] is DoorKind.GATE

    def _record(self, house: int, number: int, hand: Hand, result: tuple[Opening, float]) -> Tap:
        opening, seconds = result
        kind = "wrongful" if hand.wrong else "hindered" if self.luck.hindrance else "rightful"
        return Tap(
            house=house,
            number=number,
            kind=kind,
            detail=hand.wrong or self.luck.hindrance,
            door=self.lock.name,
            operation=self.operation.value,
            phone=f"{hand.phone.name}, {hand.phone.build}",
            air=self.luck.air.name,
            mishaps=tuple(sorted(self.luck.mishaps)),
            state=opening.state,
            reason=opening.reason,
            seconds=seconds,
            moved=self._is_as_asked,
            acts=self._acts,
            acts_allowed=sum(not each.wrong for each in self.hands),
            clockless=self.lock.clockless,
            told=self._told(hand, opening),
        )

    def _told(self, hand: Hand, opening: Opening) -> bool:
        """Whether what the phone says may be said of what happened."""
        state = opening.state
        if hand.wrong:
            return state not in DONE_WELL and opening.reason in (
                wrongful.EXPECTED[hand.wrong] | wrongful.OPEN_TO_ALL
            )
        if state in UNKNOWN:
            return True
        if state is OpeningState.NOT_FOUND:
            return self._acts == 0 or len(self.hands) > 1
        if state is OpeningState.REFUSED:
            return opening.reason in HONEST_NO
        if self.luck.hindrance:
            return state in TOLD_FOR[self.luck.hindrance]
        return state in DONE_WELL and self._is_as_asked
