"""A year at one door, counted: the real agent, core and store in virtual time, on a radio that only counts.

Each day ten openings, after each of which the lock relocks by itself; people who knock, strangers whose
phones connect, hands on the knob; an alarm at night now and then. Bulletins come twice a day with what the
server has received, logs go home with every opening.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from lockagent.agent import Agent, Parts
from lockagent.bolt import Bolt, Woken
from lockagent.core.clock import RtcReading
from lockagent.core.events import Event, FrameIn, LinkDown, LinkUp, Subscribed
from lockagent.core.memory import BLANK
from lockagent.core.pace import Pace
from lockagent.lockfolder import store_over
from lockagent.motor.simulated import SimulatedMotor
from lockagent.peripheral.port import Listener
from protocol import commission, framing, gatt
from protocol.framing import Kind
from protocol.messages import Command, LogBatch, Request
from protocol.phone import Door, PhoneSession
from protocol.settings import DoorKind, LockSettings
from protocol.suites import SUITE_1, Suite
from simulation import virtualtime
from simulation.conformance.municipality import Municipality, Place
from simulation.energy.cast import BEGIN, PHONE, SECRETS, right
from simulation.energy.operations import counting
from simulation.taps.doorlock import MemoryFiles

DAY = 86400.0
RELOCK = LockSettings(door_kind=DoorKind.APARTMENT, relock_after=60)


@dataclass(frozen=True)
class Habits:
    """What happens at the door on one day."""

    openings: int = 10
    knocks: int = 15
    """Touches and knocks that no opening follows."""
    looks: int = 18
    """Strangers' phones that connect, look around and leave."""
    sits: int = 1
    """Strangers that stay until they are thrown out."""
    guesses: int = 1
    """Strangers that try to shake hands until they are thrown out."""
    hands: int = 6
    """Times the resident goes through the door."""
    days_between_alarms: int = 7


@dataclass
class Counts:
    """What the lock did."""

    days: int
    seconds: dict[Pace, float] = field(default_factory=dict)
    """At each pace of advertising."""
    changes: int = 0
    """New adverts."""
    visits: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    """Of the motor."""
    work: dict[str, Counter[str]] = field(default_factory=dict)
    """Cryptographic operations, by the kind of visit, or "alone"."""
    written: int = 0
    """Bytes to flash."""
    syncs: int = 0


class _Radio:
    """The radio port with nobody on the air."""

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.feed: Listener = lambda event: None
        self.out: dict[int, list[bytes]] = {}
        self._pace, self._since = Pace.SLOW, 0.0

    async def start(self, listener: Listener) -> None:
        """Nothing to power on."""
        self.feed, self._since = listener, asyncio.get_running_loop().time()

    async def stop(self) -> None:
        """The last stretch counts too."""
        self.pace(self._pace)

    def advertise(self, data: bytes) -> None:
        """A new advert."""
        self.counts.changes += 1

    def pace(self, pace: Pace) -> None:
        """Note how long the one before held."""
        now = asyncio.get_running_loop().time()
        self.counts.seconds[self._pace] = self.counts.seconds.get(self._pace, 0.0) + now - self._since
        self._pace, self._since = pace, now

    def silence(self) -> None:
        """A lock on its door is never silent."""

    def send(self, link: int, frame: bytes, suite: Suite = SUITE_1) -> None:
        """Keep it for the phone."""
        self.out[link].append(frame)

    def disconnect(self, link: int) -> None:
        """The link goes at once."""
        if self.out.pop(link, None) is not None:
            asyncio.get_running_loop().call_soon(self.feed, LinkDown(link))


class _Flash(MemoryFiles):
    """Counts what is written."""

    def __init__(self, counts: Counts) -> None:
        super().__init__()
        self.counts = counts

    def write(self, name: str, offset: int, data: bytes) -> None:
        """See `lockagent.storage.port.Files`."""
        self.counts.written += len(data)
        super().write(name, offset, data)

    def sync(self, name: str) -> None:
        """See `lockagent.storage.port.Files`."""
        self.counts.syncs += 1


class Doorstep:
    """One lock and everybody who comes to it."""

    def __init__(self, habits: Habits, days: int, seed: int) -> None:
        self.habits, self.counts = habits, Counts(days)
        self.chance = random.Random(seed)  # noqa: S311 - a story, told again with the same seed
        self.place = Place(Municipality(now=BEGIN), SECRETS.identity, settings=RELOCK)
        self.radio, self.motor = _Radio(self.counts), SimulatedMotor()
        store = store_over(_Flash(self.counts), SECRETS)
        store.create(BLANK.encode())
        parts = Parts(store, SECRETS, self.motor, RtcReading(BEGIN), self.chance.randbytes)
        self.agent = Agent(parts, radio=self.radio)
        self.agent.commission(commission.verify(self.place.package(time=BEGIN)))
        self._kind, self._link = "alone", 0
        self._held, self._receipt, self._news = 0, b"", b""
        self._watch()

    @property
    def now(self) -> int:
        """Unix time."""
        return BEGIN + int(asyncio.get_running_loop().time())

    async def live(self) -> Counts:
        """Go through the days."""
        await self.agent.start()
        self.counts.written = self.counts.syncs = 0
        loop = asyncio.get_running_loop()
        for day in range(self.counts.days):
            for at, kind in self._plan(day):
                await asyncio.sleep(max(0.0, day * DAY + at - loop.time()))
                await self._happens(kind)
        await asyncio.sleep(max(0.0, self.counts.days * DAY - loop.time()))
        await self.agent.stop()
        self.counts.runs = len(self.motor.runs)
        return self.counts

    def _plan(self, day: int) -> Sequence[tuple[float, str]]:
        """The day's events in order; staff between 7 and 22, an alarm at night."""
        habits, hours = self.habits, (7 * 3600.0, 22 * 3600.0)
        kinds = ["opening"] * habits.openings + ["knock"] * habits.knocks + ["look"] * habits.looks
        kinds += ["sit"] * habits.sits + ["guess"] * habits.guesses + ["hand"] * habits.hands
        plan = [(self.chance.uniform(*hours), kind) for kind in kinds]
        if day % habits.days_between_alarms == 0:
            plan.append((self.chance.uniform(23 * 3600.0, DAY - 600), "opening"))
        return sorted([*plan, (6 * 3600.0, "news"), (14 * 3600.0, "news")])

    async def _happens(self, kind: str) -> None:
        if kind == "news":
            self._news = self.place.news(time=self.now, receipt=self._receipt or None)
            return
        self.counts.visits[kind] += 1
        self._kind = kind
        match kind:
            case "opening":
                self._feed(Woken())
                await self._open()
            case "knock":
                self._feed(Woken())
            case "hand":
                await self._go_out()
            case _:
                await self._strange(kind)
        self._kind = "alone"

    async def _open(self) -> None:
        link = self._connect()
        session = PhoneSession(
            door=Door(self.place.binding, self.place.lock.static_public, self.place.adv_key),
            key=PHONE,
            request=Request(Command.OPEN, self.chance.randbytes(8), right(self.place, self.now - 60)),
            capacity=gatt.MAX_MTU - gatt.ATT_HEADER,
            random=self.chance.randbytes,
            news=self._news or None,
        )
        for _ in range(2):  # until m2, and once the bolt has moved
            while self.radio.out.get(link):
                step = session.receive(self.radio.out[link].pop(0))
                for said in step.said:
                    if isinstance(said, LogBatch):
                        self._received(said.sealed)
                for frame in step.send:
                    self._feed(FrameIn(link, frame))
            await asyncio.sleep(2.0)
        if session.outcome is None:
            raise RuntimeError(f"the lock did not open: {session.decision}")
        self._leave(link)

    async def _go_out(self) -> None:
        """The resident unlocks, goes out or in, and locks."""
        for turned in (Bolt.UNLOCKED, Bolt.LOCKED):
            self.motor.turn_by_hand(turned, asyncio.get_running_loop().time())
            self.agent.touch()
            await asyncio.sleep(20.0)

    async def _strange(self, kind: str) -> None:
        link = self._connect()
        while kind == "guess" and link in self.radio.out:
            for frame in framing.fragment(Kind.M1, self.chance.randbytes(240), 244):
                self._feed(FrameIn(link, frame))
            await asyncio.sleep(0.1)
        await asyncio.sleep(gatt.SESSION_SECONDS + 1.0 if kind == "sit" else 1.0)
        self._leave(link)

    def _connect(self) -> int:
        self._link += 1
        self.radio.out[self._link] = []
        self._feed(LinkUp(self._link))
        self._feed(Subscribed(self._link, gatt.MAX_MTU - gatt.ATT_HEADER))
        return self._link

    def _leave(self, link: int) -> None:
        if self.radio.out.pop(link, None) is not None:
            self._feed(LinkDown(link))

    def _received(self, sealed: bytes) -> None:
        """The server's part: receipt what follows on what it has."""
        batch = self.place.opened(sealed)
        if batch.first <= self._held + 1 <= batch.last:
            self._held, self._receipt = batch.last, self.place.receipt(batch)

    def _feed(self, event: Event) -> None:
        self.agent.feed(event)

    def _watch(self) -> None:
        """Count what the core computes, whatever event it is for."""
        core, handle = self.agent.core, self.agent.core.handle

        def counted(event: Event, mono: float) -> list[object]:
            with counting(self.counts.work.setdefault(self._kind, Counter())):
                return list(handle(event, mono))

        core.handle = counted  # type: ignore[method-assign, assignment]  # watched, not changed


def counted(days: int, *, habits: Habits | None = None, seed: int = 1) -> Counts:
    """Live so many days."""

    async def main() -> Counts:
        return await Doorstep(habits or Habits(), days, seed).live()

    return virtualtime.run(main())
