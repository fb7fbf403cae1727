"""From log entries to rows: whose passage it was, at which door, under which key, and in whose words."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from protocol.entries import Entry, EntryType, Granted, OutcomeDetail, Refused
from protocol.messages import Command, OutcomeCode
from protocol.reasons import reason
from server.locks.rules import LOW_BATTERY_PERCENT
from server.passages.intake_queries import KnownToken, Whose

TIME_UNCERTAIN = 1
"""Flag of a granted entry."""

EARLY = "early"
"""Reason of a battery's early warning: for planning, there is nothing to handle yet."""

FIRMWARE_RESULTS = ("kept", "fell_back", "took_over", "damaged")
"""What came of a new program, by the protocol's number."""

_NAMES: dict[int, tuple[str, ...]] = {
    EntryType.BOOT: ("boot", "certain"),
    EntryType.RELOCKED: ("granted_seq", "outcome"),
    EntryType.HAND: ("unlocked",),
    EntryType.HAND_COUNT: ("day", "count"),
    EntryType.FAILURES: ("count", "first_at"),
    EntryType.BULLETIN: ("bulletin_seq",),
    EntryType.CLOCK: ("before", "after"),
    EntryType.LOW_BATTERY: ("percent",),
    EntryType.STORE_CORRUPT: ("what",),
    EntryType.RECEIPT_ALARM: ("epoch", "seq"),
    EntryType.FIRMWARE: ("before", "after", "result"),
    EntryType.TAMPER: ("what", "times"),
}


@dataclass
class Directory:
    """Look-ups for one run, fetched in a constant number of queries."""

    tokens: dict[bytes, KnownToken] = field(default_factory=dict)
    bearers: dict[bytes, tuple[int, int]] = field(default_factory=dict)
    """(bearer, provider) by phone key fingerprint."""
    bindings: dict[bytes, int] = field(default_factory=dict)
    """Binding by its 8-byte id."""
    grants: dict[int, Whose] = field(default_factory=dict)
    """Of one history: whose the granted entry of a number was."""


@dataclass
class Reader:
    """Reads one lock's entries in order; binding and clock certainty carry over from entry to entry."""

    lock: int
    directory: Directory
    binding: int | None
    clock_uncertain: bool

    def read(self, entry: Entry) -> tuple[Whose, dict[str, Any]]:
        """Return whose the entry is, and the columns that say what happened."""
        self._carry_over(entry)
        whose = self._whose(entry)
        if entry.kind == EntryType.GRANTED:
            self.directory.grants[entry.seq] = whose
        uncertain = self.clock_uncertain or _flagged(entry)
        return whose, {
            "kind": kind_name(entry.kind),
            "reason": reason_of(entry),
            "detail": detail_of(entry),
            "happened_at": datetime.fromtimestamp(entry.time, UTC),
            "time_uncertain": uncertain,
        }

    def _carry_over(self, entry: Entry) -> None:
        if entry.kind == EntryType.BOUND:
            self.binding = self.directory.bindings.get(entry.detail[0], self.binding)
        elif entry.kind == EntryType.BOOT:
            self.clock_uncertain = entry.detail[1] == 0
        elif entry.kind == EntryType.CLOCK:
            self.clock_uncertain = False

    def _whose(self, entry: Entry) -> Whose:
        if entry.kind in (EntryType.OUTCOME, EntryType.RELOCKED):
            return self.directory.grants.get(entry.detail[0], Whose(self.binding))
        if entry.kind not in (EntryType.GRANTED, EntryType.REFUSED):
            return Whose(self.binding)
        # The handshake proved who holds the phone's key; the token id of a refused entry is only a claim.
        bearer, provider = self.directory.bearers.get(_phone(entry), (None, None))
        token = self.directory.tokens.get(entry.token_id or b"")
        if token is None:
            return Whose(self.binding, None, bearer, provider)
        binding = token.binding if token.lock == self.lock else self.binding
        if entry.kind == EntryType.GRANTED and _phone(entry) != token.phone:
            # Not the token that we issued: somebody with a token key gave one of their own its id.
            return Whose(self.binding, None, bearer, provider)
        if entry.kind == EntryType.GRANTED:
            return Whose(binding, token.pk, token.bearer, token.provider)
        return Whose(self.binding, token.pk, bearer, provider)


def _phone(entry: Entry) -> bytes:
    phone: bytes = entry.detail[2] if entry.kind == EntryType.GRANTED else entry.detail[3]
    return phone


def _flagged(entry: Entry) -> bool:
    return entry.kind == EntryType.GRANTED and bool(entry.detail[5] & TIME_UNCERTAIN)


def kind_name(kind: int) -> str:
    """Return the protocol's name of an entry type in lower case; a later version's type by its number."""
    return EntryType(kind).name.lower() if kind in set(EntryType) else f"type_{kind}"


def reason_of(entry: Entry) -> str:
    """Return the slug of a refusal's reason, of an outcome or of an early warning, else an empty string."""
    if entry.kind == EntryType.REFUSED:
        known = reason(entry.detail[0])
        return known.slug if known is not None else f"reason_{entry.detail[0]}"
    if entry.kind in (EntryType.OUTCOME, EntryType.RELOCKED):
        return _outcome_name(entry.detail[1])
    if entry.kind == EntryType.LOW_BATTERY and entry.detail[0] > LOW_BATTERY_PERCENT:
        return EARLY
    if entry.kind == EntryType.FIRMWARE:
        return FIRMWARE_RESULTS[entry.detail[2]]
    return ""


def detail_of(entry: Entry) -> dict[str, Any]:
    """Return the entry's detail with names, bytes as hexadecimal."""
    if entry.kind == EntryType.GRANTED:
        granted = Granted.parse(entry.detail)
        return {
            "command": _command_name(granted.command),
            "request_id": granted.request_id.hex(),
            "phone": granted.phone.hex(),
            "grp": granted.grp,
            "bulletin_seq": granted.bulletin_seq,
            "flags": granted.flags,
        }
    if entry.kind == EntryType.REFUSED:
        refused = Refused.parse(entry.detail)
        return {
            "command": _command_name(refused.command),
            "request_id": refused.request_id.hex() if refused.request_id else None,
            "phone": refused.phone.hex(),
            "bulletin_seq": refused.bulletin_seq,
        }
    if entry.kind == EntryType.OUTCOME:
        outcome = OutcomeDetail.parse(entry.detail)
        return {
            "granted_seq": outcome.granted_seq,
            "battery": outcome.battery,
            "offered": list(outcome.offered) if outcome.offered else None,
        }
    if entry.kind in (EntryType.BOUND, EntryType.UNBOUND):
        names = ("binding", "bulletin_seq")[: len(entry.detail)]
        return dict(zip(names, (entry.detail[0].hex(), *entry.detail[1:]), strict=True))
    if entry.kind in _NAMES:
        return dict(zip(_NAMES[entry.kind], entry.detail, strict=True))
    return {"values": [_plain(value) for value in entry.detail]}


def _plain(value: Any) -> Any:
    """Return a later version's value as any database holds it in JSON; the entry itself is kept too."""
    if isinstance(value, bytes):
        return value.hex()
    if value is None or isinstance(value, int | bool):
        return value
    return str(value)[:128].replace("\0", "\ufffd")  # PostgreSQL stores no NUL in text


def _command_name(command: int | None) -> str:
    if command is None:
        return ""
    return Command(command).name.lower() if command in set(Command) else f"command_{command}"


def _outcome_name(code: int) -> str:
    return OutcomeCode(code).name.lower() if code in set(OutcomeCode) else f"outcome_{code}"
