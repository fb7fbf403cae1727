"""A lock at the other end of the link, driven by hand, for the tests of the phone's side."""

from dataclasses import replace
from typing import Any

from protocol import bulletin, framing, gatt, messages
from protocol.framing import Kind, Reassembler
from protocol.handshake import Channel
from protocol.messages import Decision, Outcome, OutcomeCode
from protocol.phone import Door, PhoneSession, PhoneState, Step
from protocol.phonekeys import X25519Key
from protocol.reasons import Reason
from tests.protocol.vectors import world
from tests.protocol.vectors.opening import REQUEST, lock_side
from tests.protocol.vectors.world import seed

NEWS = bulletin.sign(replace(world.BULLETIN, seq=9), world.BULLETIN_KEY)
GRANTED = Decision(Reason.GRANTED, 1, 5, 9)
MOVED = Outcome(OutcomeCode.MOVED, 6, 80)


class Lock:
    """The other end of a link, driven by hand."""

    def __init__(self, capacity: int = 244) -> None:
        self.capacity = capacity
        self._handshakes = 0
        self._reader = Reassembler(gatt.MAX_SESSION_MESSAGE)
        self.channel: Channel | None = None
        self.request = b""
        self.speak()

    def speak(self) -> None:
        self._handshakes += 1
        self.handshake = lock_side(ephemeral=seed(f"m0 number {self._handshakes}"))

    @property
    def m0(self) -> list[bytes]:
        return framing.fragment(Kind.M0, self.handshake.m0, self.capacity)

    def take(self, frames: tuple[bytes, ...]) -> list[Any]:
        """What the phone says with these frames."""
        said: list[Any] = []
        for frame in frames:
            assert len(frame) <= self.capacity
            message = self._reader.feed(frame)
            if message is not None and message.kind is Kind.M1:
                _, self.request, self.channel = self.handshake.read_m1(message.body)
            elif message is not None:
                assert self.channel is not None
                said.append(messages.parse_from_phone(self.channel.decrypt(message.body)))
        return said

    def say(self, message: Any) -> list[bytes]:
        assert self.channel is not None
        return framing.fragment(Kind.SESSION, self.channel.encrypt(messages.encode(message)), self.capacity)


def session(**changes: Any) -> PhoneSession:
    counter = iter(range(100))
    values: dict[str, Any] = {
        "door": Door(world.BINDING, world.LOCK.static_public, world.ADV_KEY),
        "key": X25519Key(world.PHONE),
        "request": REQUEST,
        "capacity": 244,
        "random": lambda n: seed(f"phone randomness {next(counter)}", n),
    }
    return PhoneSession(**(values | changes))


def feed(phone: PhoneSession, frames: list[bytes]) -> Step:
    """Hand in the frames of one message; return what came of the last."""
    *early, last = frames
    for frame in early:
        assert phone.receive(frame) == Step()
    return phone.receive(last)


def shaken(**changes: Any) -> tuple[PhoneSession, Lock]:
    phone, lock = session(**changes), Lock(changes.get("capacity", 244))
    lock.take(feed(phone, lock.m0).send)
    return phone, lock


def stands(phone: PhoneSession) -> PhoneState:
    """Where the attempt stands at this moment."""
    return phone.state
