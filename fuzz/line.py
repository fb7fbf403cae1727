"""One phone on one link: it shakes hands with another implementation than the lock's, and listens."""

from __future__ import annotations

from dataclasses import dataclass, field

from fuzz.recipes import Phone
from fuzz.target import FindingError
from protocol import framing, gatt, messages
from protocol.errors import ProtocolError
from protocol.framing import Kind, Reassembler
from protocol.messages import LockMessage
from tests.protocol.independent import noise
from tests.protocol.vectors import world


@dataclass
class Line:
    """A link as the phone sees it."""

    number: int
    capacity: int
    phone: Phone
    m0: bytes = b""
    alive: bool = True
    alerts: int = 0
    heard: list[LockMessage] = field(default_factory=list)
    offered: list[bytes] = field(default_factory=list)
    """Bulletins sent and not answered yet."""

    def __post_init__(self) -> None:
        self._reassembler = Reassembler(gatt.MAX_SESSION_MESSAGE)
        self._from_lock: noise.Cipher | None = None
        self._to_lock: noise.Cipher | None = None

    @property
    def introduced(self) -> bool:
        """Whether the lock has answered under this session's keys."""
        return bool(self.heard)

    def m1(self, plaintext: bytes, ephemeral: bytes, adv_key: bytes) -> bytes:
        """A good m1 for the m0 on the table."""
        static = world.LOCK.static_public
        side = noise.Phone(self.phone.private, ephemeral, adv_key, world.BINDING, static)
        made, self._from_lock, self._to_lock = side.answer(self.m0[:48], plaintext)
        return made

    def sealed(self, plaintext: bytes) -> bytes:
        """A session message as the lock will open it."""
        if self._to_lock is None:
            raise RuntimeError("no session yet")
        return self._to_lock.seal(plaintext)

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
                self.m0, self._from_lock, self._to_lock = message.body, None, None
            elif message.kind is Kind.ALERT:
                self.alerts += 1
            elif self._from_lock is not None:
                self.heard.append(messages.parse_from_lock(self._from_lock.open(message.body)))
        except (ProtocolError, noise.HandshakeError) as error:
            raise FindingError(f"the lock sent something malformed: {error}") from error
