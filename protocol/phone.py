"""The phone's side of one attempt at one door, as a state machine: frames in, frames and answers out.

    WAIT_M0 -> (m0) -> WAIT_M2 -> granted -> WAIT_M3 -> (outcome) -> CARRYING -> (done) -> ENDED
                          +-> refused, nothing to hand over -> ENDED
                          +-> refused, newer bulletin at hand -> HANDING_OVER -> (its result) -> ENDED
                          +-> the same, and it may cure -> CURING -> (its result, m2 again) -> as from WAIT_M2

A refused phone stays until the lock has answered its bulletin: whoever hangs up earlier may cut it off on
the way. The session keeps no clock and does no I/O; the caller sends what ``receive`` returns and decides how
long to wait. A new attempt with the same request id never acts twice, whatever was lost of this one.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from protocol import bulletin, framing, gatt, handshake, messages
from protocol.errors import HandshakeFailedError, ProtocolError
from protocol.firmware import FirmwareResult
from protocol.framing import Kind, Reassembler
from protocol.installing import CommissionResult, Identity
from protocol.messages import (
    BulletinOffer,
    BulletinResult,
    Carry,
    Command,
    Decision,
    Done,
    FreshTime,
    LockMessage,
    LogBatch,
    Outcome,
    PhoneMessage,
    Request,
    TimeResult,
)
from protocol.phonekeys import PhoneKey
from protocol.reasons import CURABLE_BY_BULLETIN, Reason


class PhoneState(Enum):
    """Where an attempt stands."""

    WAIT_M0 = "wait_m0"
    WAIT_M2 = "wait_m2"
    CURING = "curing"
    """Refused; a bulletin is on its way that may make the lock judge the request once more."""
    HANDING_OVER = "handing_over"
    """Refused for good; the lock still has to say what became of the bulletin."""
    WAIT_M3 = "wait_m3"
    CARRYING = "carrying"
    SERVING = "serving"
    """A service session stands: what an installer asks is answered, one question at a time."""
    ENDED = "ended"


@dataclass(frozen=True)
class Door:
    """What the phone knows of the lock it is about to talk to (from lock record and resolved advert)."""

    binding: bytes
    lock_static: bytes
    adv_key: bytes = field(repr=False)


@dataclass(frozen=True)
class Alert:
    """An unauthenticated word from the air; it may be anybody's and says nothing certain about the door."""

    reason: Reason | None


@dataclass(frozen=True)
class Step:
    """What came of one frame: frames to send, in order, and what the lock said."""

    send: tuple[bytes, ...] = ()
    said: tuple[LockMessage | Alert, ...] = ()


@dataclass
class PhoneSession:
    """One attempt. ``random(n)`` must return n fresh secret bytes."""

    door: Door
    key: PhoneKey
    """The phone's own; its type chooses the suite."""
    request: Request
    capacity: int
    """Bytes one write without response carries (ATT MTU - 3)."""
    random: Callable[[int], bytes] = field(repr=False)
    news: bytes | None = None
    """The newest bulletin for this binding, if the phone holds one."""
    carry_bytes: int = gatt.LOG_SESSION_BYTES
    """How much sealed log this phone takes along; a lock that sends more has left the protocol."""
    state: PhoneState = field(default=PhoneState.WAIT_M0, init=False)
    decision: Decision | None = field(default=None, init=False)
    outcome: Outcome | None = field(default=None, init=False)
    m0_hash: bytes | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._reassembler = Reassembler(gatt.MAX_SESSION_MESSAGE)
        self._channel: handshake.Channel | None = None
        self._m0_seen = 0
        self._offered = False
        self._results_due = 0
        self._times_due = 0
        self._carried = 0
        self._asked = False
        self._news_seq = bulletin.parse(self.news).body.seq if self.news else 0

    def receive(self, frame: bytes) -> Step:
        """Take in one notification.

        Raises ProtocolError (or a subclass) when the peer does not follow the protocol; the attempt is over
        then and its result is unknown unless ``decision`` and ``outcome`` already tell it.
        """
        try:
            message = self._reassembler.feed(frame)
            return Step() if message is None else self._take(message)
        except ProtocolError:
            self.state = PhoneState.ENDED
            raise

    def offer_time(self, statement: bytes) -> tuple[bytes, ...]:
        """Return the frames that hand the lock a fresh time statement for this session's m0.

        Raises ProtocolError before the lock has decided: until then it has not proved itself.
        """
        if self.decision is None:
            raise ProtocolError("no decision yet")
        self._times_due += 1
        return self._frames(FreshTime(statement))

    @property
    def serves(self) -> bool:
        """Whether a service session was asked for."""
        return self.request.command == Command.SERVICE

    def serve(self, message: PhoneMessage) -> tuple[bytes, ...]:
        """Return the frames that ask a lock in a service session something: what only an installer asks,
        more log (carry), or a newer bulletin. Raises ProtocolError before the answer to the last has come.
        """
        if self.state is not PhoneState.SERVING or self._asked or self._results_due:
            raise ProtocolError("no service session, or the last answer has not come")
        match message:
            case Carry():
                self.state, self._carried, self.carry_bytes = PhoneState.CARRYING, 0, message.max_bytes
            case BulletinOffer():
                self._results_due = 1
            case _:
                self._asked = True
        return self._frames(message)

    def _take(self, message: framing.Message) -> Step:
        if message.kind is Kind.ALERT:
            return Step(said=(Alert(messages.parse_alert(message.body)),))
        if message.kind is Kind.M0 and self.state in (PhoneState.WAIT_M0, PhoneState.WAIT_M2):
            return self._answer(message.body)
        if message.kind is Kind.SESSION and self._channel is not None:
            return self._session(messages.parse_from_lock(self._channel.decrypt(message.body)))
        raise ProtocolError("the lock sent a message out of turn")

    def _answer(self, m0: bytes) -> Step:
        """Answer an m0; a second one means that the lock gave up waiting: the same request is made anew."""
        self._m0_seen += 1
        if self._m0_seen > gatt.MAX_M0_PER_LINK:
            raise HandshakeFailedError("the lock keeps starting over")
        attempt = handshake.PhoneHandshake(
            key=self.key,
            lock_static=self.door.lock_static,
            adv_key=self.door.adv_key,
            binding=self.door.binding,
            ephemeral=self.random(32),
        )
        m1, self._channel = attempt.answer(m0, self.request.encode())
        self.m0_hash = handshake.m0_hash(m0)
        self.state = PhoneState.WAIT_M2
        return Step(send=tuple(framing.fragment(Kind.M1, m1, self.capacity)))

    def _session(self, said: LockMessage) -> Step:
        send: tuple[bytes, ...] = ()
        match said:
            case Decision() if self.state in (PhoneState.WAIT_M2, PhoneState.CURING):
                send = self._decided(said)
            case Outcome() if self.state is PhoneState.WAIT_M3:
                self.outcome = said
                self.state = PhoneState.CARRYING
            case BulletinResult() if self._results_due:
                self._bulletin_taken(said)
            case Done() if self.state is PhoneState.CARRYING:
                self.state = PhoneState.SERVING if self.serves else PhoneState.ENDED
                self._asked = False
            case LogBatch() if self.state is PhoneState.CARRYING:
                self._carry(said)
            case FirmwareResult() | CommissionResult() | Identity() if self._asked:
                self._asked = False
            case TimeResult() if self._times_due:
                self._times_due -= 1
            case _:
                raise ProtocolError("the lock sent a message out of turn")
        return Step(send=send, said=(said,))

    def _decided(self, decision: Decision) -> tuple[bytes, ...]:
        self.decision = decision
        offer = self._offer(decision)
        if decision.granted:
            self.state = PhoneState.WAIT_M3
            return offer + self._frames(Carry(self.carry_bytes))
        if not offer:
            self.state = PhoneState.ENDED
        elif decision.reason in CURABLE_BY_BULLETIN:
            self.state = PhoneState.CURING
        else:
            self.state = PhoneState.HANDING_OVER
        return offer

    def _offer(self, decision: Decision) -> tuple[bytes, ...]:
        if self.news is None or self._offered or decision.bulletin_seq >= self._news_seq:
            return ()
        self._offered = True
        self._results_due = 1
        return self._frames(BulletinOffer(self.news))

    def _bulletin_taken(self, result: BulletinResult) -> None:
        self._results_due = 0
        cured = self.state is PhoneState.CURING and result.reason == Reason.GRANTED
        if not cured and self.state in (PhoneState.CURING, PhoneState.HANDING_OVER):
            self.state = PhoneState.ENDED

    def _carry(self, batch: LogBatch) -> None:
        self._carried += len(batch.sealed)
        if self._carried > self.carry_bytes:
            raise ProtocolError("the lock sends more log than the phone takes")

    def _frames(self, message: PhoneMessage) -> tuple[bytes, ...]:
        if self._channel is None:
            raise ProtocolError("no session yet")
        sealed = self._channel.encrypt(messages.encode(message))
        return tuple(framing.fragment(Kind.SESSION, sealed, self.capacity))
