"""Whole sessions: phones, strangers, noise, time, hands and failing disks at one lock core, told by bytes.

The fuzzer holds the door's adv_key and the phones' keys, so what it alters lies behind mac1 and AEAD. A
witness that knows only the page looks at everything the lock does.
"""

from __future__ import annotations

import hashlib
import random

from fuzz import recipes
from fuzz.line import Line
from fuzz.luck import Luck
from fuzz.mutations import disturbed, mutated
from fuzz.target import FindingError, Tally, Target
from fuzz.witness import Asked, Witness
from lockagent.bolt import Battery, Bolt, DoorMoved, HandMoved, MotorDone, Order, Result
from lockagent.core.clock import RtcReading
from lockagent.core.events import (
    AppendLog,
    Commissioned,
    Disconnect,
    Drive,
    Effect,
    Event,
    FrameIn,
    LinkDown,
    LinkUp,
    SaveState,
    Send,
    Started,
    Stored,
    Subscribed,
    Tick,
)
from lockagent.core.identity import LockSecrets
from lockagent.core.machine import LockCore
from lockagent.core.memory import BLANK
from lockagent.records import Boot, Damage, LogRecord, StateImage
from protocol import cbor, commission, log, messages
from protocol.errors import ProtocolError
from protocol.framing import Kind
from protocol.installing import CommissionOffer, CommissionResult, RetireOffer
from protocol.keys import HolderKey
from protocol.messages import BulletinOffer, BulletinResult, Carry, Decision, FreshTime
from protocol.phonekeys import PhoneKey
from protocol.reasons import Reason
from protocol.receipt import Receipt
from tests.protocol.vectors import trust, world

SECRETS = LockSecrets(world.LOCK_STATIC, world.LOCK_LOG_SEED, world.LOCK_SEAL)
FIRST = trust.first_bulletin()
CAPACITY = 64
MAX_STEPS = 256
MAX_EFFECTS = 400
"""No event makes a lock do more than this."""
MAX_SAID = 20_000
"""Bytes that one event may put on the air."""


def _boot(records: list[LogRecord], image: StateImage) -> Boot:
    return Boot(state=image, records=records, torn_tail=False, salvaged=[])


def _core(boot: Boot, seed: int, *, lost: bool = False) -> LockCore:
    luck = random.Random(seed)  # noqa: S311 - so that a story can be told again
    reading = RtcReading(0, lost)
    return LockCore(boot, SECRETS, reading, 0.0, capacity=CAPACITY, random=luck.randbytes)


def _mounted() -> tuple[StateImage, list[LogRecord]]:
    """What the disk of a lock holds that has just been bound to its door."""
    core = _core(_boot([], StateImage(1, 0, 0, Damage.NONE, BLANK.encode())), 0)
    image, records = StateImage(1, 0, 0, Damage.NONE, b""), []
    package = commission.verify(commission.encode(world.TRUSTED, world.MANIFEST_BYTES, FIRST))
    for event in (Started(Bolt.LOCKED), Commissioned(package)):
        effects = core.handle(event, 0.0)
        while effects:
            effect, *effects = effects
            if isinstance(effect, AppendLog | SaveState):
                if isinstance(effect, AppendLog):
                    records.append(effect.record)
                else:
                    image = effect.image
                effects += core.handle(Stored(True), 0.0)
    return image, records


_IMAGE, _RECORDS = _mounted()


class Story:
    """One lock between boot and the end of the input."""

    def __init__(self, data: bytes, tally: Tally) -> None:
        self.luck, self.tally = Luck(data), tally
        lost = self.luck.below(8) == 7
        self.mono, self._disk_fails = 1.0, 0
        self.core = _core(_boot(list(_RECORDS), _IMAGE), self.luck.byte(), lost=lost)
        self.lines: list[Line] = []
        self.motor: Order | None = None
        self.told: list[tuple[bytes, HolderKey, int]] = []
        self.witness = Witness(self._time, FIRST, world.MANIFEST_BYTES, tally)
        last = _RECORDS[-1]
        self.witness.head = (last.seq, log.link(last.hash_before, last.entry))
        self._numbers = 0
        self.offers: list[bytes] = []
        self._steps = (
            (self.talk,) * 36 + (self.ask,) * 4 + (self.wait,) * 3 + (self.run_motor,) * 5
            + (self.stranger, self.stranger, self.hang_up, self.hand, self.disk, self.repeat, self.noise)
            + (self.power, self.door)
        )  # fmt: skip
        self.feed(Started(Bolt.LOCKED))

    def tell(self) -> None:
        """Tell it to the end."""
        for _ in range(MAX_STEPS):
            if not self.luck.left:
                break
            self.luck.pick(self._steps)()

    # -- what happens --------------------------------------------------------------------------------------

    def ask(self) -> None:
        """A phone with keys connects and asks."""
        self._numbers += 1
        self._ask(recipes.PHONES[self.luck.below(3)], b"rid" + self._numbers.to_bytes(5, "big"))

    def repeat(self) -> None:
        """The same request again, in a new session."""
        if self.told:
            plaintext, _, which = self.luck.pick(self.told)
            self._ask(recipes.PHONES[which], b"", plaintext)

    def talk(self) -> None:
        """A session message of an authenticated phone."""
        line = self._line(introduced=True)
        if line is None:
            self.ask()
            return
        how, plaintext = self.luck.below(64), b""
        if how < 26:
            plaintext = self._offer(line)
        elif how < 46:
            statement = recipes.statement(self.luck, hashlib.sha256(line.m0).digest(), self._time()[0])
            plaintext = messages.encode(FreshTime(statement[:192] or b"\0"))
        elif how < 52:
            plaintext = cbor.encode(recipes.service(self.luck, self._time()[0]))
        elif how < 61:
            plaintext = messages.encode(Carry(self.luck.pick((0, 1, 400, 4096, 2**32 - 1))))
        if how > 60 or self.luck.below(64) == 63:
            plaintext = mutated(plaintext or messages.encode(Carry(9)), self.luck)
        try:
            said = messages.parse_from_phone(plaintext)
        except ProtocolError:
            said = None
        if isinstance(said, BulletinOffer):
            line.offered.append(said.bulletin)
        if isinstance(said, CommissionOffer | RetireOffer):
            line.orders.append(said)
        self.tally.past += 1
        self._write(line, line.frames(Kind.SESSION, line.sealed(plaintext)))

    def stranger(self) -> None:
        """An m1 that somebody without keys could make, or a good one spoilt on the way."""
        line = self._connect(recipes.PHONES[0])
        holder = recipes.HOLDERS[0]
        request = recipes.request(self.luck, holder, self._time()[0], bytes(8))
        self.witness.asked.append(Asked(holder.encoded, holder.fingerprint, request))
        good = (
            line.m1(request, world.seed("ephemeral"), world.ADV_KEY) if self._readable(line) else bytes(200)
        )
        self._write(line, line.frames(Kind.M1, disturbed(good, self.luck) or b"\0"))

    def noise(self) -> None:
        """Any frame on any link."""
        line = self._line() or self._connect(recipes.PHONES[0])
        header = self.luck.byte()
        self._write(line, [bytes([header]) + self.luck.take(self.luck.below(40))])

    def wait(self) -> None:
        """Time passes, with ticks when they are due."""
        until = self.mono + self.luck.pick((0.1, 0.5, 1.0, 2.5, 6.0, 0.2, 31.0, 4000.0))
        for _ in range(200):
            due = self.core.next_tick_at()
            if due is None or due > until:
                break
            self.mono = max(self.mono, due)
            self.feed(Tick())
        self.mono = until
        self.feed(Tick())

    def run_motor(self) -> None:
        """The motor answers what it was told."""
        if self.motor is not None:
            order, self.motor = self.motor, None
            self.witness.locking = False
            self.feed(MotorDone(order, self.luck.pick((Result.MOVED, Result.MOVED, *Result))))

    def hand(self) -> None:
        """Knob or key."""
        self.feed(HandMoved(self.luck.pick((Bolt.LOCKED, Bolt.UNLOCKED))))

    def power(self) -> None:
        """The battery is measured."""
        self.witness.battery = self.luck.pick((None, 90, 34, 19, 5, 0))
        self.feed(Battery(self.witness.battery))

    def door(self) -> None:
        """The door moves, where a sensor sees it."""
        closed = bool(self.luck.below(2))
        self.witness.ajar = not closed
        self.feed(DoorMoved(closed))

    def hang_up(self) -> None:
        """A phone leaves."""
        line = self._line()
        if line is not None:
            line.alive = False
            self.feed(LinkDown(line.number))

    def disk(self) -> None:
        """The next writes fail."""
        self._disk_fails = self.luck.below(3)

    # -- how -----------------------------------------------------------------------------------------------

    def feed(self, event: Event) -> None:
        """One event, and everything that follows from it at once."""
        effects, said = self.core.handle(event, self.mono), 0
        for count in range(MAX_EFFECTS):
            if not effects:
                break
            effect, *effects = effects
            said += len(effect.frame) if isinstance(effect, Send) else 0
            effects += self._carry_out(effect)
            if count == MAX_EFFECTS - 1 or said > MAX_SAID:
                raise FindingError("one event made the lock do without end")

    def _carry_out(self, effect: Effect) -> list[Effect]:
        if isinstance(effect, AppendLog | SaveState):
            ok = self._disk_fails == 0
            self._disk_fails = max(0, self._disk_fails - 1)
            if isinstance(effect, AppendLog):
                self.witness.appended(effect, ok)
            return self.core.handle(Stored(ok), self.mono)
        if isinstance(effect, Drive):
            self.witness.driven(effect)
            self.motor = None if effect.order is Order.STOP else effect.order
        elif isinstance(effect, Send):
            self._said(effect)
        elif isinstance(effect, Disconnect):
            self._find(effect.link).alive = False
            return self.core.handle(LinkDown(effect.link), self.mono)
        return []

    def _said(self, effect: Send) -> None:
        line = self._find(effect.link)
        before = len(line.heard)
        line.receive(effect.frame)
        for said in line.heard[before:]:
            if isinstance(said, BulletinResult):
                self._answered(line, said)
            if isinstance(said, CommissionResult) and said.reason == Reason.GRANTED:
                self.witness.ordered(line.orders.pop())

    def _answered(self, line: Line, said: BulletinResult) -> None:
        if not line.offered:
            raise FindingError("an answer to a bulletin that nobody offered")
        offered = line.offered.pop(0)
        if said.reason == Reason.GRANTED:
            self.tally.accepted += 1
            self.witness.took(offered)

    def _ask(self, phone: PhoneKey, request_id: bytes, plaintext: bytes | None = None) -> None:
        line = self._connect(phone)
        if not line.alive or not self._readable(line):
            return  # a lock that has left its door says nothing that these phones could read
        holder = recipes.HOLDERS[recipes.PHONES.index(phone)]
        if plaintext is None:
            plaintext = recipes.request(self.luck, holder, self._time()[0], request_id)
            self.told.append((plaintext, holder, recipes.PHONES.index(phone)))
        self.witness.asked.append(Asked(holder.encoded, holder.fingerprint, plaintext))
        m1 = line.m1(plaintext[:400], self.luck.take(2) + bytes(30), world.ADV_KEY)
        self._write(line, line.frames(Kind.M1, m1))
        self.tally.past += line.introduced
        decision = next((one for one in line.heard if isinstance(one, Decision)), None)
        if decision is not None and decision.granted:
            self.tally.accepted += 1

    def _readable(self, line: Line) -> bool:
        return bool(line.m0) and not self.witness.retired

    def _offer(self, line: Line) -> bytes:
        now, binding = self._time()[0], self.core.binding
        seq, digest = self.witness.head
        known = Receipt(world.LOCK.lock_id, 1, seq, digest, now)
        held = binding.bulletin.seq if binding is not None else 0
        if self.offers and self.luck.below(4) == 3:
            offered = disturbed(self.luck.pick(self.offers), self.luck)[:8192] or b"\0"
        else:
            offered = recipes.news(self.luck, held, now, known)[:8192] or b"\0"
            self.offers.append(offered)
        return messages.encode(BulletinOffer(offered))

    def _connect(self, phone: PhoneKey) -> Line:
        line = Line(len(self.lines), self.luck.pick((244, 244, 244, 20, 512)), phone)
        self.lines.append(line)
        self.feed(LinkUp(line.number))
        if line.alive:
            self.feed(Subscribed(line.number, line.capacity, line.suite))
        return line

    def _write(self, line: Line, frames: list[bytes]) -> None:
        self.tally.inputs += 1
        for frame in frames:
            if line.alive:
                self.feed(FrameIn(line.number, frame, line.suite))

    def _line(self, *, introduced: bool = False) -> Line | None:
        open_lines = [one for one in self.lines if one.alive and (one.introduced or not introduced)]
        return self.luck.pick(open_lines) if open_lines else None

    def _find(self, number: int) -> Line:
        return self.lines[number]

    def _time(self) -> tuple[int, bool]:
        clock = self.core._context.clock
        return clock.now(self.mono), clock.certain


def run(data: bytes, tally: Tally) -> None:
    """One story."""
    Story(data, tally).tell()


def seeds() -> list[bytes]:
    """Stories of any kind: their bytes are decisions, and all bytes are some story."""
    luck = random.Random(1)  # noqa: S311 - the same ones every time
    return [luck.randbytes(length) for length in (8, 40, 120, 300, 600, 1000, 2000, 4000)]


def change(data: bytes, luck: Luck) -> bytes:
    """Decisions changed, mostly without moving those that follow."""
    return disturbed(data, luck)


LOCK_STORY = Target("lock-session", run, seeds, change, share=60, max_size=4096)
