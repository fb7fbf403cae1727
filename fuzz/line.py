"""One phone on one link: it shakes hands with another implementation than the lock's, and listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fuzz.target import FindingError
from protocol import framing, gatt, messages
from protocol.errors import ProtocolError
from protocol.framing import Kind, Reassembler
from protocol.handshake import PhoneHandshake
from protocol.messages import LockMessage, PhoneMessage
from protocol.phonekeys import PhoneKey, X25519Key
from protocol.suites import Suite, of_key
from tests.protocol.independent import noise
from tests.protocol.vectors import world


@dataclass
class Line:
    """A link as the phone sees it."""

    number: int
    capacity: int
    phone: PhoneKey
    m0: bytes = b""
    alive: bool = True
    alerts: int = 0
    heard: list[LockMessage] = field(default_factory=list)
    offered: list[bytes] = field(default_factory=list)
    """Bulletins sent and not answered yet."""
    orders: list[PhoneMessage] = field(default_factory=list)
    """Packages and orders sent and not answered yet."""

    def __post_init__(self) -> None:
        self._reassembler = Reassembler(gatt.MAX_SESSION_MESSAGE)
        self._open: Callable[[bytes], bytes] | None = None
        self._seal: Callable[[bytes], bytes] | None = None

    @property
    def suite(self) -> Suite:
        """That of the phone's key."""
        return of_key(self.phone.holder.key_type)

    @property
    def introduced(self) -> bool:
        """Whether the lock has answered under this session's keys."""
        return bool(self.heard)

    def m1(self, plaintext: bytes, ephemeral: bytes, adv_key: bytes) -> bytes:
        """A good m1 for the m0 on the table; in suite 1 by the independent reader, in suite 2 by ours."""
        static, m0 = world.LOCK.static_public, self.m0[:48]
        if isinstance(self.phone, X25519Key):
            one = noise.Phone(self.phone.private, ephemeral, adv_key, world.BINDING, static)
            made, from_lock, to_lock = one.answer(m0, plaintext)
            self._open, self._seal = from_lock.open, to_lock.seal
            return made
        two = PhoneHandshake(
            key=self.phone, lock_static=static, adv_key=adv_key, binding=world.BINDING, ephemeral=ephemeral
        )
        made, channel = two.answer(m0, plaintext)
        self._open, self._seal = channel.decrypt, channel.encrypt
        return made

    def sealed(self, plaintext: bytes) -> bytes:
        """A session message as the lock will open it."""
        if self._seal is None:
            raise RuntimeError("no session yet")
        return self._seal(plaintext)

    def frames(self, kind: Kind, message: bytes) -> list[bytes]:
        """The message in frames that this link carries."""
        return framing.fragment(kind, message, self.capacity)

    def receive(self, frame: bytes) -> None:
        """Take in a notification; what a lock says must always be well formed."""
        try:
            message = self._reassembler.feed(frame)
            if message is None:
                return
            if message.kind is Kind.M0:
                self.m0, self._open, self._seal = message.body, None, None
            elif message.kind is Kind.ALERT:
                self.alerts += 1
            elif self._open is not None:
                self.heard.append(messages.parse_from_lock(self._open(message.body)))
        except (ProtocolError, noise.HandshakeError) as error:
            raise FindingError(f"the lock sent something malformed: {error}") from error
