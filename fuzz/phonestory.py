"""A phone before a lock that holds its keys and says anything: nothing trips it, and it believes in order.

What the phone knows afterwards must be what was said to it under the session's keys: a decision before an
outcome, an outcome only after a grant, and no more log than it offered to carry.
"""

from __future__ import annotations

import random

from fuzz import recipes
from fuzz.luck import Luck
from fuzz.mutations import disturbed, mutated
from fuzz.target import FindingError, Tally, Target
from protocol import framing, messages
from protocol.errors import ProtocolError
from protocol.framing import Kind
from protocol.messages import Command, Decision, Done, LockMessage, LogBatch, Outcome, OutcomeCode, Request
from protocol.phone import Alert, Door, PhoneSession, PhoneState
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from tests.protocol.independent import noise
from tests.protocol.vectors import world

CARRY = 4096
MAX_STEPS = 24
_DOOR = Door(world.BINDING, world.LOCK.static_public, world.ADV_KEY)


class Story:
    """One attempt, from m0 to whatever ends it."""

    def __init__(self, data: bytes, tally: Tally) -> None:
        self.luck, self.tally = Luck(data), tally
        fresh = random.Random(self.luck.byte())  # noqa: S311 - so that a story can be told again
        self.lock = noise.Lock(world.LOCK_STATIC, fresh.randbytes(32), world.ADV_KEY, world.BINDING)
        self.to_phone: noise.Cipher | None = None
        self.said: list[LockMessage | Alert] = []
        key = recipes.PHONES[0]
        if not isinstance(key, X25519Key):
            raise TypeError("the first phone is of suite 1")
        command = self.luck.pick((Command.OPEN, Command.LOCK, Command.SERVICE))
        self.phone = PhoneSession(
            door=_DOOR,
            key=key,
            request=Request(command, bytes(8), world.TOKEN),
            capacity=self.luck.pick((20, 244, 512)),
            random=fresh.randbytes,
            news=self.luck.pick((None, world.BULLETIN_BYTES)),
            carry_bytes=CARRY,
        )

    def tell(self) -> None:
        """Tell it to the end, or until the phone has hung up."""
        self._hear(Kind.M0, self.lock.m0)
        for _ in range(MAX_STEPS):
            if not self.luck.left or self.phone.state is PhoneState.ENDED:
                break
            self._next()
        self._check()

    def _next(self) -> None:
        how = self.luck.below(16)
        if how == 15 or self.to_phone is None:
            self._hear(self.luck.pick(list(Kind)), self.luck.take(1 + self.luck.below(60)))
            return
        message = self._good()
        plain = messages.encode(message)
        if how < 4:
            plain = mutated(plain, self.luck)
        sealed = self.to_phone.seal(plain)
        self.tally.past += 1
        self._hear(Kind.SESSION, sealed if how != 14 else disturbed(sealed, self.luck) or b"\0")

    def _good(self) -> LockMessage:
        luck = self.luck
        reason = luck.pick((Reason.GRANTED, Reason.GRANTED, Reason.NEED_UPDATE, Reason.REVOKED))
        choices: tuple[LockMessage, ...] = (
            Decision(reason, 1, 10, luck.pick((0, 5, 2**32 - 1))),
            Outcome(luck.pick(list(OutcomeCode)), 11, luck.pick((None, 0, 100))),
            LogBatch(bytes(1 + luck.below(5000))),
            Done(luck.below(9)),
            messages.BulletinResult(luck.pick((0, 32, 200)), 7),
            messages.TimeResult(0),
        )
        return luck.pick(choices)

    def _hear(self, kind: Kind, message: bytes) -> None:
        """The phone takes in a message; what it answers is read by the other implementation."""
        self.tally.inputs += 1
        for frame in framing.fragment(kind, message, self.phone.capacity):
            if self.phone.state is PhoneState.ENDED:
                return
            try:
                step = self.phone.receive(frame)
            except ProtocolError:
                return
            self.said += step.said
            if kind is Kind.M0 and step.send:
                self._shaken(step.send)

    def _shaken(self, frames: tuple[bytes, ...]) -> None:
        m1 = b"".join(frame[1:] for frame in frames)
        try:
            _, request, self.to_phone, _ = self.lock.read(m1)
        except noise.HandshakeError:
            self.to_phone = None  # an answer to somebody else's m0
            return
        if request != self.phone.request.encode():
            raise FindingError("the phone asked for something else than it was to")

    def _check(self) -> None:
        kinds = [type(one) for one in self.said]
        granted = self.phone.decision is not None and self.phone.decision.granted
        if self.phone.outcome is not None and not granted:
            raise FindingError("an outcome without a grant")
        if Outcome in kinds and (Decision not in kinds or kinds.index(Outcome) < kinds.index(Decision)):
            raise FindingError("an outcome before the decision")
        if sum(len(one.sealed) for one in self.said if isinstance(one, LogBatch)) > CARRY:
            raise FindingError("more log than the phone carries")


def run(data: bytes, tally: Tally) -> None:
    """One story."""
    Story(data, tally).tell()


def seeds() -> list[bytes]:
    """Stories of any kind."""
    luck = random.Random(2)  # noqa: S311 - the same ones every time
    return [luck.randbytes(length) for length in (4, 30, 100, 300)]


PHONE_STORY = Target("phone-session", run, seeds, disturbed, ("phone.PhoneSession.receive",), 6, 1024)
