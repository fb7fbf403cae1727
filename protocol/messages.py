"""What travels inside the handshake and the session: request, decision, outcome and what rides along.

Every session message is one deterministic CBOR array whose first item is its number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

from protocol import bulletin, cbor, fields, gatt, servicing, token
from protocol.errors import ProtocolError
from protocol.reasons import Reason, reason
from protocol.servicing import ServiceAnswer, ServiceMessage
from protocol.token import Scope

REQUEST_ID_LENGTH = 8
MAX_STATEMENT = 192
_MAX_REQUEST = 1 + 1 + 1 + REQUEST_ID_LENGTH + 2 + token.MAX_SIZE


class Command(IntEnum):
    """What a phone asks a lock to do."""

    OPEN = 1
    LOCK = 2
    SERVICE = 3
    """Moves nothing: opens a session in which an installer hands over and asks for more than others may."""

    @property
    def scope(self) -> Scope:
        """The operation a token must permit."""
        return {Command.OPEN: Scope.OPEN, Command.LOCK: Scope.LOCK, Command.SERVICE: Scope.SERVICE}[self]


class OutcomeCode(IntEnum):
    """What came of a granted command; the phone says "open" for MOVED and ALREADY only."""

    MOVED = 0
    ALREADY = 1
    JAM = 2
    TIMEOUT = 3
    """The bolt's sensor did not report the new place in time."""
    BY_HAND = 4
    """Knob or metal key took over while the motor ran."""
    UNKNOWN = 5
    """The lock restarted before it knew."""
    AJAR = 6
    """The door stands open, so the bolt was not thrown."""
    NOTHING_TO_MOVE = 7
    """A service session stands; no bolt was asked to move."""


class DecisionFlag(IntFlag):
    """What else the phone should know with a decision."""

    NONE = 0
    REPEATED = 1
    """The request id was known: this is what was decided then, and nothing is done again."""
    TIME_UNCERTAIN = 2
    """The lock lost its clock; a phone with coverage should fetch fresh time."""


@dataclass(frozen=True)
class Request:
    """The content of m1; the token still as bytes, to be judged in its own step."""

    command: int
    request_id: bytes
    token: bytes

    def encode(self) -> bytes:
        """CBOR [command, request id, token]."""
        return cbor.encode([self.command, self.request_id, self.token])

    @classmethod
    def parse(cls, data: bytes) -> "Request":
        """Parse strictly; an unknown command is malformed."""
        command, request_id, encoded = fields.array(cbor.decode(data, max_size=_MAX_REQUEST), 3, "request")
        return cls(
            command=fields.member(command, Command, "command"),
            request_id=fields.octets(request_id, REQUEST_ID_LENGTH, "request id"),
            token=fields.blob(encoded, token.MAX_SIZE, "token"),
        )


@dataclass(frozen=True)
class Decision:
    """m2: granted or why not; sent after the log holds it. (epoch, seq) names its log entry."""

    reason: int
    epoch: int
    seq: int
    bulletin_seq: int
    flags: DecisionFlag = DecisionFlag.NONE

    @property
    def granted(self) -> bool:
        """True when the lock acts, or has acted, on the request."""
        return self.reason == Reason.GRANTED


@dataclass(frozen=True)
class Outcome:
    """m3: what came of it, the second log entry of the passage; ``battery`` in percent, None on mains."""

    code: OutcomeCode
    seq: int
    battery: int | None = None


@dataclass(frozen=True)
class LogBatch:
    """A sealed batch of the lock's log, to be carried to the server unread."""

    sealed: bytes


@dataclass(frozen=True)
class BulletinResult:
    """What became of a bulletin: GRANTED or a reason from 32 on, and the number the lock now has."""

    reason: int
    bulletin_seq: int


@dataclass(frozen=True)
class TimeResult:
    """What became of a fresh time statement: GRANTED or a reason from 48 on."""

    reason: int


@dataclass(frozen=True)
class Done:
    """The lock has nothing more for this phone; ``remaining`` entries stay for later couriers."""

    remaining: int


@dataclass(frozen=True)
class BulletinOffer:
    """A bulletin for this lock, newer than the number in its m2."""

    bulletin: bytes


@dataclass(frozen=True)
class FreshTime:
    """Server time signed over this session's m0."""

    statement: bytes


@dataclass(frozen=True)
class Carry:
    """The phone has handed over what it had and takes up to ``max_bytes`` of sealed log."""

    max_bytes: int


LockMessage = Decision | Outcome | LogBatch | BulletinResult | TimeResult | Done | ServiceAnswer
PhoneMessage = BulletinOffer | FreshTime | Carry | ServiceMessage

_DECISION, _OUTCOME, _LOG, _BULLETIN_RESULT, _TIME_RESULT, _DONE = 2, 3, 4, 5, 6, 7
_BULLETIN, _FRESH_TIME, _CARRY = 16, 17, 18
_MAX_CODE = 255


def encode(message: LockMessage | PhoneMessage) -> bytes:
    """Return the plaintext of a session message."""
    return cbor.encode(_as_array(message))


def _as_array(message: LockMessage | PhoneMessage) -> list[Any]:  # noqa: PLR0911 - one line a message
    match message:
        case Decision():
            flags = int(message.flags)
            return [_DECISION, message.reason, message.epoch, message.seq, message.bulletin_seq, flags]
        case Outcome():
            return [_OUTCOME, message.code, message.seq, message.battery]
        case LogBatch():
            return [_LOG, message.sealed]
        case BulletinResult():
            return [_BULLETIN_RESULT, message.reason, message.bulletin_seq]
        case TimeResult():
            return [_TIME_RESULT, message.reason]
        case Done():
            return [_DONE, message.remaining]
        case BulletinOffer():
            return [_BULLETIN, message.bulletin]
        case FreshTime():
            return [_FRESH_TIME, message.statement]
        case Carry():
            return [_CARRY, message.max_bytes]
        case _:
            return servicing.as_array(message)


def parse_from_lock(data: bytes) -> LockMessage:
    """Parse a session message as the phone receives it."""
    number, body = _split(data)
    parsers: dict[int, Callable[[list[Any]], LockMessage]] = {
        _DECISION: _decision,
        _OUTCOME: _outcome,
        _LOG: lambda b: LogBatch(fields.blob(_one(b), gatt.MAX_SEALED_LOG, "sealed batch")),
        _BULLETIN_RESULT: _bulletin_result,
        _TIME_RESULT: lambda b: TimeResult(fields.uint(_one(b), _MAX_CODE, "reason")),
        _DONE: lambda b: Done(fields.uint(_one(b), fields.MAX_COUNTER, "remaining")),
        **servicing.FROM_LOCK,
    }
    if number not in parsers:
        raise ProtocolError("unknown message from the lock")
    return parsers[number](body)


def parse_from_phone(data: bytes) -> PhoneMessage:
    """Parse a session message as the lock receives it."""
    number, body = _split(data)
    parsers: dict[int, Callable[[list[Any]], PhoneMessage]] = {
        _BULLETIN: lambda b: BulletinOffer(fields.blob(_one(b), bulletin.MAX_SIZE, "bulletin")),
        _FRESH_TIME: lambda b: FreshTime(fields.blob(_one(b), MAX_STATEMENT, "time statement")),
        _CARRY: lambda b: Carry(fields.uint(_one(b), fields.MAX_COUNTER, "bytes to carry")),
        **servicing.FROM_PHONE,
    }
    if number not in parsers:
        raise ProtocolError("unknown message from the phone")
    return parsers[number](body)


def _split(data: bytes) -> tuple[int, list[Any]]:
    parts = fields.items(cbor.decode(data, max_size=gatt.MAX_SESSION_MESSAGE), 8, "session message")
    if not parts:
        raise ProtocolError("session message is empty")
    return fields.uint(parts[0], _MAX_CODE, "message number"), parts[1:]


def _one(body: list[Any]) -> Any:
    return fields.array(body, 1, "message body")[0]


def _decision(body: list[Any]) -> Decision:
    code, epoch, seq, bulletin_seq, flags = fields.array(body, 5, "decision")
    return Decision(
        reason=fields.uint(code, _MAX_CODE, "reason"),
        epoch=fields.uint(epoch, fields.MAX_COUNTER, "epoch"),
        seq=fields.uint(seq, fields.MAX_COUNTER, "passage number"),
        bulletin_seq=fields.uint(bulletin_seq, fields.MAX_COUNTER, "bulletin number"),
        flags=DecisionFlag(fields.uint(flags, 3, "flags")),
    )


def _outcome(body: list[Any]) -> Outcome:
    code, seq, battery = fields.array(body, 3, "outcome")
    return Outcome(
        code=fields.member(code, OutcomeCode, "outcome"),
        seq=fields.uint(seq, fields.MAX_COUNTER, "passage number"),
        battery=None if battery is None else fields.uint(battery, 100, "battery"),
    )


def _bulletin_result(body: list[Any]) -> BulletinResult:
    code, seq = fields.array(body, 2, "bulletin result")
    return BulletinResult(
        fields.uint(code, _MAX_CODE, "reason"), fields.uint(seq, fields.MAX_COUNTER, "bulletin number")
    )


def encode_alert(code: Reason) -> bytes:
    """Return the body of an unauthenticated alert: one byte."""
    return bytes([code])


def parse_alert(data: bytes) -> Reason | None:
    """Return the reason an alert claims; it says nothing certain about the door."""
    return reason(fields.octets(data, 1, "alert")[0])
