"""A door on the bench: real core and store, simulated motor, driven through time by hand, no radio."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from lockagent.bolt import Bolt, Order
from lockagent.core.clock import RtcReading
from lockagent.core.events import (
    Advertise,
    AppendLog,
    Commissioned,
    CommissionResult,
    Disconnect,
    Drive,
    Effect,
    Event,
    FrameIn,
    LinkDown,
    LinkUp,
    SaveState,
    Send,
    SetPace,
    Silence,
    Started,
    Stored,
    Subscribed,
    Tick,
)
from lockagent.core.identity import LockSecrets
from lockagent.core.machine import LockCore
from lockagent.core.memory import BLANK
from lockagent.core.pace import Pace
from lockagent.image import FirmwareBoot
from lockagent.motor.simulated import SimulatedMotor
from lockagent.storage.port import StorageError
from lockagent.storage.store import LockStore
from protocol import commission, log, suites
from protocol.entries import Entry, EntryType
from protocol.errors import ProtocolError
from protocol.messages import Command, Decision, LogBatch, Outcome, OutcomeCode, Request
from protocol.phone import Door as PhoneDoor
from protocol.phone import PhoneSession, PhoneState
from protocol.phonekeys import P256Key, PhoneKey, X25519Key
from protocol.reasons import Reason
from protocol.suites import SUITE_1, Suite
from tests.lockagent.crashdisk import CrashDisk, seeded
from tests.lockagent.world import T0, Issuer, Place, Right, right, secret

SECRETS = LockSecrets(secret("lock/static"), secret("lock/log"), secret("lock/seal"))


@dataclass
class Bench:
    """One lock. `mono` starts anew at each boot; `wall` is the true time, which the RTC follows."""

    place: Place
    capacity: int = 4096
    disk: CrashDisk = field(default_factory=CrashDisk)
    motor: SimulatedMotor = field(default_factory=SimulatedMotor)
    wall: float = T0
    rtc_offset: float = 1000.0 - T0
    rtc_lost: bool = False
    crystal: float = 1.0
    """Seconds that the lock's crystal counts in one."""
    rng: random.Random = field(default_factory=lambda: seeded(1))
    """Stands in for the operating system's randomness, so that a failing story can be told again."""
    secrets: LockSecrets = SECRETS

    def __post_init__(self) -> None:
        self.adverts: list[bytes] = []
        self.on_air = False
        self.pace = Pace.SLOW
        self.inbox: dict[int, list[bytes]] = {}
        self.ended: list[int] = []
        self.result: Reason | None = None
        self._next_link = 1
        self._made = self.wall
        self._store().create(BLANK.encode())
        self.boot()

    @property
    def mono(self) -> float:
        return (self.wall - self._booted) * self.crystal

    def boot(self, *, start: bool = True) -> None:
        """Power comes: everything in memory is new."""
        self._booted = self.wall
        self.inbox.clear()
        self.store = self._store()
        self.core = LockCore(
            self.store.boot(),
            self.secrets,
            RtcReading(int(self._rtc()), self.rtc_lost),
            self.mono,
            capacity=self.capacity,
            random=self.rng.randbytes,
            firmware=self.firmware_boot(),
        )
        if start:
            self.feed(Started(self.motor.bolt, ajar=self.motor.door_closed is False))

    def firmware_boot(self) -> FirmwareBoot | None:
        """What a loader would have to say; a bench has none."""
        return None

    def power_cut(self, seconds: float = 5.0) -> None:
        """Power goes and comes back; what was not flushed meets its fate."""
        self.disk = self.disk.power_cycle(self.rng)
        self.motor = SimulatedMotor(bolt=self._resting_bolt(), door_closed=self.motor.door_closed)
        self.wall = _on_grid(self.wall + seconds)
        self.boot()

    def commission(self, package: bytes) -> Reason | None:
        self.result = None
        self.feed(Commissioned(commission.verify(package)))
        return self.result

    def feed(self, event: Event) -> None:
        """One event, and everything that follows from it at once."""
        effects = self.core.handle(event, self.mono)
        while effects:
            effects = effects[1:] + self._carry_out(effects[0])

    def advance(self, seconds: float) -> None:
        """Let time pass, with ticks and motor events when they are due."""
        until = _on_grid(self.wall + seconds)
        while True:
            due = [at for at in (self.core.next_tick_at(), self.motor.next_event_at()) if at is not None]
            at = max(self.wall, self._booted + self._true(min(due, default=float("inf"))))
            if at > until:
                break
            self.wall = _on_grid(at)
            self.poll()
            self.feed(Tick())
        self.wall = until

    def _rtc(self) -> float:
        return self._made + (self.wall - self._made) * self.crystal + self.rtc_offset

    def _true(self, mono: float) -> float:
        """Seconds since boot that the crystal takes to count so many, and not a rounding error fewer."""
        return mono if self.crystal == 1.0 else mono / self.crystal + 1 / 1024

    def poll(self) -> None:
        for event in self.motor.poll(self.mono):
            self.feed(event)

    def turn_by_hand(self, bolt: Bolt) -> None:
        self.motor.turn_by_hand(bolt, self.mono)
        self.poll()

    def swing_door(self, *, closed: bool) -> None:
        self.motor.swing_door(closed=closed, now=self.mono)
        self.poll()

    def drain(self, percent: int) -> None:
        self.motor.drain(percent)
        self.poll()

    def link_up(self, capacity: int = 244, *, subscribe: bool = True, suite: Suite = SUITE_1) -> int:
        number, self._next_link = self._next_link, self._next_link + 1
        self.inbox[number] = []
        self.feed(LinkUp(number))
        if subscribe:
            self.feed(Subscribed(number, capacity, suite))
        return number

    def link_down(self, number: int) -> None:
        self.feed(LinkDown(number))

    def write(self, number: int, frame: bytes, suite: Suite = SUITE_1) -> None:
        self.feed(FrameIn(number, frame, suite))

    def entries(self) -> list[Entry]:
        """The whole log of this epoch as it is on the disk."""
        return [Entry.decode(record.entry) for record in self._store().boot().records]

    def kinds(self) -> list[str]:
        return [EntryType(entry.kind).name for entry in self.entries()]

    def _store(self) -> LockStore:
        lock_id = self.secrets.identity.lock_id
        return LockStore(
            self.disk,
            genesis=lambda epoch: log.genesis(lock_id, epoch),
            step=log.link,
            readable=lambda entry: bool(Entry.decode(entry)),
            capacity=self.capacity,
        )

    def _carry_out(self, effect: Effect) -> list[Effect]:
        match effect:
            case AppendLog():
                return self._stored(lambda: self.store.append(effect.epoch, effect.record, effect.keep))
            case SaveState():
                return self._stored(lambda: self.store.save(effect.image, alone=effect.alone))
            case Send():
                self.inbox[effect.link].append(effect.frame)
            case Disconnect():
                self.ended.append(effect.link)
                return self.core.handle(LinkDown(effect.link), self.mono)
            case Drive():
                self.motor.order(effect.order, self.mono, effect.hold)
            case Advertise():
                self.adverts.append(effect.data)
                self.on_air = True
            case Silence():
                self.on_air = False
            case SetPace():
                self.pace = effect.pace
            case CommissionResult():
                self.result = effect.reason
        return []

    def _stored(self, operation: Callable[[], None]) -> list[Effect]:
        try:
            operation()
        except StorageError:
            return self.core.handle(Stored(ok=False), self.mono)
        return self.core.handle(Stored(ok=True), self.mono)

    def _resting_bolt(self) -> Bolt:
        """Where a motor that loses its power leaves the bolt."""
        self.motor.order(Order.STOP, self.mono)
        return self.motor.bolt


def _on_grid(time: float) -> float:
    """Rounded up to 1/1024 s, which floats of this size hold exactly, and sums of them too."""
    return math.ceil(min(time, 2.0**40) * 1024) / 1024


@dataclass
class Attempt:
    """One phone's attempt on one link, fed by hand."""

    bench: Bench
    session: PhoneSession
    link: int
    said: list[object] = field(default_factory=list)
    error: ProtocolError | None = None

    def run(self, seconds: float = 0.0) -> Attempt:
        """Exchange frames until nobody has anything to say; then let time pass and go on."""
        self._exchange()
        if seconds:
            self.bench.advance(seconds)
            self._exchange()
        return self

    def step(self) -> bool:
        """Let the phone take in one frame."""
        inbox = self.bench.inbox.get(self.link, [])
        if not inbox or self.error is not None:
            return False
        try:
            step = self.session.receive(inbox.pop(0))
        except ProtocolError as error:
            self.error = error
            return False
        self.said += step.said
        for frame in step.send:
            self.bench.write(self.link, frame, suites.of_key(self.session.key.holder.key_type))
        return True

    def drop(self) -> None:
        self.bench.link_down(self.link)
        self.bench.inbox[self.link] = []

    @property
    def decision(self) -> Decision | None:
        return self.session.decision

    @property
    def reason(self) -> Reason | None:
        return Reason(self.session.decision.reason) if self.session.decision else None

    @property
    def outcome(self) -> Outcome | None:
        return self.session.outcome

    @property
    def code(self) -> OutcomeCode | None:
        return self.session.outcome.code if self.session.outcome else None

    @property
    def batches(self) -> list[bytes]:
        return [one.sealed for one in self.said if isinstance(one, LogBatch)]

    @property
    def ended(self) -> bool:
        return self.session.state is PhoneState.ENDED

    def _exchange(self) -> None:
        while self.step():
            pass


@dataclass
class Phone:
    """A phone with one key pair, whose type is that of its suite."""

    name: str = "anna"
    suite: Suite = SUITE_1

    def __post_init__(self) -> None:
        self.private = secret(f"phone/{self.name}")
        self.key: PhoneKey = (X25519Key if self.suite is SUITE_1 else P256Key)(self.private)
        self._count = 0

    @property
    def fingerprint(self) -> bytes:
        return self.key.holder.fingerprint

    def right(self, bench: Bench, **how: object) -> Right:
        how.setdefault("now", int(bench.wall))
        return right(bench.place, self.key.holder, **how)  # type: ignore[arg-type]

    def request_id(self) -> bytes:
        self._count += 1
        return secret(f"{self.name}/request/{self._count}")[:8]

    def attempt(
        self,
        bench: Bench,
        held: Right,
        command: Command = Command.OPEN,
        *,
        request_id: bytes | None = None,
        news: bytes | None = None,
        capacity: int = 244,
        carry: int = 4096,
        adv_key: bytes | None = None,
        link: int | None = None,
    ) -> Attempt:
        """Connect and begin; call `run` to go on."""
        session = PhoneSession(
            door=PhoneDoor(
                bench.place.binding, SECRETS.identity.static_public, adv_key or bench.place.adv_key
            ),
            key=self.key,
            request=Request(command, request_id or self.request_id(), held.encoded),
            capacity=capacity,
            random=bench.rng.randbytes,
            news=news,
            carry_bytes=carry,
        )
        here = bench.link_up(capacity, suite=self.suite) if link is None else link
        return Attempt(bench, session, here)

    def open(self, bench: Bench, held: Right | None = None, **how: object) -> Attempt:
        """A whole opening, motor run and all."""
        return self.attempt(bench, held or self.right(bench), **how).run(2.0)  # type: ignore[arg-type]


def commissioned(**how: object) -> Bench:
    """A lock on a door, its own boot behind it."""
    place_how = {key: how.pop(key) for key in ("settings", "binding") if key in how}
    place = Place(Issuer(), SECRETS.identity, **place_how)  # type: ignore[arg-type]
    bench = Bench(place, **how)  # type: ignore[arg-type]
    assert bench.commission(place.commission(time=int(bench.wall))) is Reason.GRANTED
    return bench
