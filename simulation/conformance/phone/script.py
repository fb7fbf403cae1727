"""A lock without a will of its own: it says what a case tells it to, and hands on what the phone says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from lockagent.core.events import Event, FrameIn, LinkDown, LinkUp, Subscribed
from lockagent.peripheral.port import Radio
from protocol import advert, framing, gatt, messages
from protocol.framing import Kind, Message, Reassembler
from protocol.handshake import Channel, LockHandshake
from protocol.messages import LockMessage, PhoneMessage, Request
from simulation.conformance.verdict import DeviationError

M = TypeVar("M")
PATIENCE = 10.0
"""Seconds within which a phone has answered."""
AT_ONCE = 2.0
"""Seconds within which a phone has left a lock that broke the rules."""


@dataclass
class PhoneLink:
    """One link from the phone under test, its notifications on."""

    radio: Radio
    number: int
    capacity: int
    shake: Callable[[], LockHandshake]
    """Makes the lock's side of a handshake with a fresh ephemeral."""
    frames: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    """What the phone writes; None when it hangs up."""
    gone: bool = False
    channel: Channel | None = field(default=None, repr=False)
    m0: bytes = b""

    def __post_init__(self) -> None:
        self._reassembler = Reassembler(gatt.MAX_SESSION_MESSAGE)
        self._handshake: LockHandshake | None = None

    # -- what the lock says ---------------------------------------------------------------------------------

    def frame(self, frame: bytes) -> None:
        """Notify one frame as it is."""
        if not self.gone:
            self.radio.send(self.number, frame)

    def send(self, kind: Kind, body: bytes) -> None:
        """Notify a message in frames."""
        for frame in framing.fragment(kind, body, self.capacity):
            self.frame(frame)

    def send_m0(self) -> bytes:
        """Begin a handshake, or begin it anew."""
        self._handshake = self.shake()
        self.m0 = self._handshake.m0
        self.send(Kind.M0, self.m0)
        return self.m0

    def tell(self, message: LockMessage) -> None:
        """Send a session message."""
        self.tell_plain(messages.encode(message))

    def tell_plain(self, plaintext: bytes) -> None:
        """Send any plaintext as a session message."""
        self.send(Kind.SESSION, self.sealed(plaintext))

    def sealed(self, plaintext: bytes) -> bytes:
        """Encrypt the session's next message; it counts whether it is sent or not."""
        if self.channel is None:
            raise DeviationError("the phone has begun no session")
        return self.channel.encrypt(plaintext)

    def hang_up(self) -> None:
        """End the link."""
        self.radio.disconnect(self.number)

    # -- what the phone says --------------------------------------------------------------------------------

    async def message(self, patience: float = PATIENCE) -> Message:
        """Return the phone's next message. Raises DeviationError when it says nothing or hangs up."""
        try:
            async with asyncio.timeout(patience):
                while True:
                    frame = await self.frames.get()
                    if frame is None:
                        raise DeviationError("the phone hung up")
                    if message := self._reassembler.feed(frame):
                        return message
        except TimeoutError:
            raise DeviationError("the phone said nothing") from None

    async def request(self) -> Request:
        """Read m1 and the request inside; the session stands afterwards."""
        message = await self.message()
        if message.kind is not Kind.M1 or self._handshake is None:
            raise DeviationError(f"expected an m1, got {message.kind.name}")
        _, plaintext, self.channel = self._handshake.read_m1(message.body)
        return Request.parse(plaintext)

    async def hear(self, kind: type[M]) -> M:
        """Return the phone's next session message, which must be of this kind."""
        message = await self.message()
        if message.kind is not Kind.SESSION or self.channel is None:
            raise DeviationError(f"expected a session message, got {message.kind.name}")
        said: PhoneMessage = messages.parse_from_phone(self.channel.decrypt(message.body))
        if not isinstance(said, kind):
            raise DeviationError(f"expected {kind.__name__}, got {type(said).__name__}")
        return said

    async def expect_hang_up(self, patience: float = PATIENCE) -> None:
        """The phone must leave; what it says before that is passed over."""
        try:
            async with asyncio.timeout(patience):
                while await self.frames.get() is not None:
                    pass
        except TimeoutError:
            raise DeviationError("expected the phone to hang up; it did not") from None

    async def expect_hang_up_at_once(self) -> None:
        """The phone must leave without another word."""
        try:
            async with asyncio.timeout(AT_ONCE):
                frame = await self.frames.get()
        except TimeoutError:
            raise DeviationError("expected the phone to hang up at once; it did not") from None
        if frame is not None:
            raise DeviationError("the phone answered instead of hanging up")

    async def expect_silence(self, seconds: float = 1.0) -> None:
        """The phone must say nothing for so long; it may leave."""
        try:
            async with asyncio.timeout(seconds):
                frame = await self.frames.get()
        except TimeoutError:
            return
        if frame is not None:
            raise DeviationError("the phone said something out of turn")
        self.frames.put_nowait(None)


class ScriptedLock:
    """On the air from `start` on, under one adv_key; links queue up until a case takes them."""

    def __init__(self, radio: Radio, *, adv_key: bytes, random: Callable[[int], bytes]) -> None:
        self._radio, self._adv_key, self._random = radio, adv_key, random
        self._links: dict[int, PhoneLink] = {}
        self._waiting: asyncio.Queue[PhoneLink] = asyncio.Queue()
        self.shake: Callable[[], LockHandshake] | None = None
        """How a handshake is begun; set by the bench."""

    async def start(self) -> None:
        """Go on the air."""
        await self._radio.start(self._heard)
        self.advertise()

    def advertise(self, data: bytes | None = None) -> None:
        """Show another advert: a good one, or these 17 bytes."""
        self._radio.advertise(data or advert.make(self._adv_key, self._random(advert.SALT_LENGTH)).data)

    async def stop(self) -> None:
        """Leave the air."""
        await self._radio.stop()

    async def link(self, patience: float = 25.0) -> PhoneLink:
        """Return the next link on which the phone has turned notifications on."""
        try:
            async with asyncio.timeout(patience):
                return await self._waiting.get()
        except TimeoutError:
            raise DeviationError("the phone did not connect") from None

    def forget(self) -> None:
        """Drop links that nobody took."""
        while not self._waiting.empty():
            self._waiting.get_nowait().hang_up()

    def _heard(self, event: Event) -> None:
        match event:
            case LinkUp():
                return
            case Subscribed():
                self._subscribed(event)
            case FrameIn():
                if event.link in self._links:
                    self._links[event.link].frames.put_nowait(event.frame)
            case LinkDown():
                link = self._links.pop(event.link, None)
                if link is not None:
                    link.gone = True
                    link.frames.put_nowait(None)
                self.advertise()

    def _subscribed(self, event: Subscribed) -> None:
        known = self._links.get(event.link)
        if known is not None:
            known.capacity = event.capacity
        elif self.shake is not None:
            link = PhoneLink(self._radio, event.link, event.capacity, self.shake)
            self._links[event.link] = link
            self._waiting.put_nowait(link)
