"""The installer's phone and a lock without a door: the key of the label instead of an adv_key.

    WAIT_HELLO -> (m0 and identity) -> WAIT_M2 -> granted -> SERVING

The lock proves by the handshake that it holds the static key of the identity it stated, and the label says
which identity that must be. Whoever only knows the label cannot pose as the lock; whoever knows it and stands
by the lock while it is being set up can give it a door, which is what the label is for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from protocol import framing, gatt, handshake, identity, messages
from protocol.errors import HandshakeFailedError, ProtocolError
from protocol.framing import Kind, Message, Reassembler
from protocol.identity import LockIdentity
from protocol.installing import CommissionResult, Identity, SetupRequest
from protocol.label import Label
from protocol.messages import Decision, PhoneMessage
from protocol.phone import Alert, Step
from protocol.phonekeys import PhoneKey
from protocol.reasons import Reason


class WrongLockError(ProtocolError):
    """A lock that is not the one of the label: another one's label, or somebody who knows it."""


@dataclass
class SetupSession:
    """One attempt to talk to the lock of a label. ``random(n)`` must return n fresh secret bytes."""

    label: Label
    key: PhoneKey
    capacity: int
    """Bytes one write without response carries (ATT MTU - 3)."""
    random: Callable[[int], bytes] = field(repr=False)
    identity: LockIdentity | None = field(default=None, init=False)
    document: bytes = field(default=b"", init=False)
    """The lock's signed identity, for the server."""
    decision: Decision | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._reassembler = Reassembler(gatt.MAX_SESSION_MESSAGE)
        self._channel: handshake.Channel | None = None
        self._heard = 0

    @property
    def serving(self) -> bool:
        """Whether the lock has proved itself and listens."""
        return self.decision is not None and self.decision.granted

    def receive(self, frame: bytes) -> Step:
        """Take in one notification. Raises ProtocolError when the peer is not this lock, or not a lock."""
        message = self._reassembler.feed(frame)
        return Step() if message is None else self._take(message)

    def serve(self, message: PhoneMessage) -> tuple[bytes, ...]:
        """Return the frames that ask the lock something; ProtocolError before it has proved itself."""
        if self._channel is None or not self.serving:
            raise ProtocolError("the lock has not answered yet")
        sealed = self._channel.encrypt(messages.encode(message))
        return tuple(framing.fragment(Kind.SESSION, sealed, self.capacity))

    def _take(self, message: Message) -> Step:
        if message.kind is Kind.ALERT:
            return Step(said=(Alert(messages.parse_alert(message.body)),))
        if message.kind is Kind.M0 and self.decision is None:
            return self._answer(message.body)
        if message.kind is Kind.SESSION and self._channel is not None:
            return self._said(self._channel.decrypt(message.body))
        raise ProtocolError("the lock sent a message out of turn")

    def _answer(self, hello: bytes) -> Step:
        self._heard += 1
        if self._heard > gatt.MAX_M0_PER_LINK:
            raise HandshakeFailedError("the lock keeps starting over")
        m0, self.document = hello[: handshake.M0_LENGTH], hello[handshake.M0_LENGTH :]
        self.identity = identity.verify(self.document)
        if self.identity.lock_id != self.label.lock_id:
            raise WrongLockError("this is not the lock of the label")
        attempt = handshake.PhoneHandshake(
            key=self.key,
            lock_static=self.identity.static_public,
            adv_key=self.label.setup_key,
            binding=self.label.lock_id,
            ephemeral=self.random(32),
        )
        m1, self._channel = attempt.answer(m0, SetupRequest(self.random(8)).encode())
        return Step(send=tuple(framing.fragment(Kind.M1, m1, self.capacity)))

    def _said(self, plaintext: bytes) -> Step:
        said = messages.parse_from_lock(plaintext)
        if isinstance(said, Decision) and self.decision is None:
            self.decision = said
        elif not (self.serving and isinstance(said, Identity | CommissionResult)):
            raise ProtocolError("the lock sent a message out of turn")
        return Step(said=(said,))


def fits(result: CommissionResult, binding: bytes) -> bool:
    """Say whether a lock has taken the package of this binding in."""
    return result.reason == Reason.GRANTED and result.binding == binding
