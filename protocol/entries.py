"""Log entries: [seq, time, type, cti, detail], and what the detail of each type says."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from protocol import cbor, fields
from protocol.errors import ProtocolError
from protocol.token import MAX_GRP, TOKEN_ID_LENGTH

MAX_SIZE = 128
"""Largest encoded entry (bytes)."""
MAX_DETAIL_ITEMS = 8


class EntryType(IntEnum):
    """Kinds of log entries; the detail array of each is documented in docs/protocol.md."""

    GRANTED = 1
    REFUSED = 2
    OUTCOME = 3
    BOUND = 4
    BOOT = 5
    RELOCKED = 6
    HAND = 7
    """Opened or locked by hand during a staff visit; never at gates."""
    HAND_COUNT = 8
    """How many openings by hand a day had; only with the resident's consent."""
    FAILURES = 9
    """Handshakes that failed since the last such entry: counted, not listed."""
    BULLETIN = 10
    CLOCK = 11
    LOW_BATTERY = 12
    STORE_CORRUPT = 13
    RECEIPT_ALARM = 14
    """A correctly signed receipt for another history than this lock's."""
    TAMPER = 15
    """Somebody opened or closed the lock's cover."""
    FIRMWARE = 16
    """The lock runs another program now, or one that was tried did not come up."""
    UNBOUND = 17
    """The lock has forgotten its binding, by the server's order."""


@dataclass(frozen=True)
class Entry:
    """One log entry. ``kind`` may be a number of a later version; it is carried and stored all the same."""

    seq: int
    time: int
    """The lock's clock, a lower bound of the true time (seconds since 1970 UTC)."""
    kind: int
    token_id: bytes | None
    detail: tuple[Any, ...]

    def as_array(self) -> list[Any]:
        """The entry as a CBOR array."""
        return [self.seq, self.time, int(self.kind), self.token_id, list(self.detail)]

    def encode(self) -> bytes:
        """The encoded entry, as it is hashed into the chain."""
        encoded = cbor.encode(self.as_array())
        if len(encoded) > MAX_SIZE:
            raise ProtocolError(f"log entry is larger than {MAX_SIZE} bytes")
        return encoded

    @classmethod
    def parse(cls, value: Any) -> "Entry":
        """Parse a decoded entry; the detail of known types is checked as well."""
        seq, time, kind, token_id, detail = fields.array(value, 5, "log entry")
        entry = cls(
            seq=fields.uint(seq, fields.MAX_COUNTER, "passage number"),
            time=fields.time(time, "entry time"),
            kind=fields.uint(kind, 255, "entry type"),
            token_id=None if token_id is None else fields.octets(token_id, TOKEN_ID_LENGTH, "cti"),
            detail=tuple(fields.items(detail, MAX_DETAIL_ITEMS, "entry detail")),
        )
        if entry.seq < 1:
            raise ProtocolError("passage numbers start at 1")
        entry.encode()
        check_detail(entry)
        return entry

    @classmethod
    def decode(cls, data: bytes) -> "Entry":
        """Parse an encoded entry."""
        return cls.parse(cbor.decode(data, max_size=MAX_SIZE))


@dataclass(frozen=True)
class Granted:
    """Detail of GRANTED: [command, request id, phone, grp, bulletin number, flags]."""

    command: int
    request_id: bytes
    phone: bytes
    """Fingerprint of the phone's key: a stable pseudonym."""
    grp: int
    bulletin_seq: int
    flags: int = 0
    """1 = the lock's clock was uncertain."""

    def detail(self) -> tuple[Any, ...]:
        """The detail array."""
        return (int(self.command), self.request_id, self.phone, self.grp, self.bulletin_seq, self.flags)

    @classmethod
    def parse(cls, detail: tuple[Any, ...]) -> "Granted":
        """Parse the detail array."""
        command, request_id, phone, grp, seq, flags = fields.array(list(detail), 6, "granted detail")
        return cls(
            command=fields.uint(command, 255, "command"),
            request_id=fields.octets(request_id, 8, "request id"),
            phone=fields.octets(phone, 8, "phone"),
            grp=fields.uint(grp, MAX_GRP, "grp"),
            bulletin_seq=fields.uint(seq, fields.MAX_COUNTER, "bulletin number"),
            flags=fields.uint(flags, 255, "flags"),
        )


@dataclass(frozen=True)
class Refused:
    """Detail of REFUSED: [reason, command or null, request id or null, phone, bulletin number].

    Command and request id are null when the request could not be parsed; the token id of the entry is set as
    soon as the token could be parsed, even if its signature did not hold.
    """

    reason: int
    command: int | None
    request_id: bytes | None
    phone: bytes
    bulletin_seq: int

    def detail(self) -> tuple[Any, ...]:
        """The detail array."""
        command = None if self.command is None else int(self.command)
        return (int(self.reason), command, self.request_id, self.phone, self.bulletin_seq)

    @classmethod
    def parse(cls, detail: tuple[Any, ...]) -> "Refused":
        """Parse the detail array."""
        code, command, request_id, phone, seq = fields.array(list(detail), 5, "refused detail")
        return cls(
            reason=fields.uint(code, 255, "reason"),
            command=None if command is None else fields.uint(command, 255, "command"),
            request_id=None if request_id is None else fields.octets(request_id, 8, "request id"),
            phone=fields.octets(phone, 8, "phone"),
            bulletin_seq=fields.uint(seq, fields.MAX_COUNTER, "bulletin number"),
        )


@dataclass(frozen=True)
class OutcomeDetail:
    """Detail of OUTCOME: [number of the granted entry, outcome, battery or null, offered].

    ``offered`` is null or [first, last]: the entries this session's phone is about to be offered for the way
    home, so that the server knows who withheld what.
    """

    granted_seq: int
    outcome: int
    battery: int | None = None
    offered: tuple[int, int] | None = None

    def detail(self) -> tuple[Any, ...]:
        """The detail array."""
        offered = None if self.offered is None else list(self.offered)
        return (self.granted_seq, int(self.outcome), self.battery, offered)

    @classmethod
    def parse(cls, detail: tuple[Any, ...]) -> "OutcomeDetail":
        """Parse the detail array."""
        granted, outcome, battery, offered = fields.array(list(detail), 4, "outcome detail")
        span = None
        if offered is not None:
            first, last = fields.array(offered, 2, "offered range")
            span = (
                fields.uint(first, fields.MAX_COUNTER, "offered first"),
                fields.uint(last, fields.MAX_COUNTER, "offered last"),
            )
        return cls(
            granted_seq=fields.uint(granted, fields.MAX_COUNTER, "granted number"),
            outcome=fields.uint(outcome, 255, "outcome"),
            battery=None if battery is None else fields.uint(battery, 100, "battery"),
            offered=span,
        )


_COUNTER, _TIME, _FLAG, _CODE, _PERCENT = fields.MAX_COUNTER, fields.MAX_TIME, 1, 255, 100
_DETAIL_LIMITS: dict[int, tuple[int, ...]] = {
    # entry type -> largest value of each plain integer in its detail array
    EntryType.BOOT: (_COUNTER, _FLAG),  # boot number, 1 if the clock is certain
    EntryType.RELOCKED: (_COUNTER, _CODE),  # number of the granted entry, outcome
    EntryType.HAND: (_FLAG,),  # 1 = unlocked, 0 = locked
    EntryType.HAND_COUNT: (_COUNTER, _COUNTER),  # day (days since 1970), openings
    EntryType.FAILURES: (_COUNTER, _TIME),  # count, time of the first
    EntryType.BULLETIN: (_COUNTER,),  # bulletin number
    EntryType.CLOCK: (_TIME, _TIME),  # clock before, clock after
    EntryType.LOW_BATTERY: (_PERCENT,),
    EntryType.STORE_CORRUPT: (3,),  # what: 0 unknown, 1 state, 2 log, 3 entries kept apart
    EntryType.RECEIPT_ALARM: (_COUNTER, _COUNTER),  # epoch, number named by the receipt
    EntryType.TAMPER: (_CODE, _COUNTER),  # what: 1 cover opened, 2 cover closed; how many times
    EntryType.FIRMWARE: (_COUNTER, _COUNTER, 3),  # version before, version after, result
}


def check_detail(entry: Entry) -> None:
    """Raise ProtocolError unless an entry of a known type has its form; later types pass."""
    if entry.kind == EntryType.GRANTED:
        fields.octets(entry.token_id, TOKEN_ID_LENGTH, "cti of a granted entry")
        Granted.parse(entry.detail)
    elif entry.kind == EntryType.REFUSED:
        Refused.parse(entry.detail)
    elif entry.kind == EntryType.OUTCOME:
        OutcomeDetail.parse(entry.detail)
    elif entry.kind in set(EntryType):
        _check_own_affair(entry)


def _check_own_affair(entry: Entry) -> None:
    """What a lock logs of itself belongs to no token."""
    if entry.token_id is not None:
        raise ProtocolError("entry of this type names a token")
    if entry.kind == EntryType.BOUND:
        binding, seq = fields.array(list(entry.detail), 2, "bound detail")
        fields.octets(binding, 8, "binding")
        fields.uint(seq, fields.MAX_COUNTER, "bulletin number")
        return
    if entry.kind == EntryType.UNBOUND:
        (ended,) = fields.array(list(entry.detail), 1, "unbound detail")
        fields.octets(ended, 8, "binding")
        return
    limits = _DETAIL_LIMITS[entry.kind]
    for value, at_most in zip(fields.array(list(entry.detail), len(limits), "detail"), limits, strict=True):
        fields.uint(value, at_most, "entry detail")
