"""What a bearer's vault holds, as values that nobody changes, and their encoding.

A change makes a new `Content`; `mobile.engine.keyring` stores it whole, so that a vault never holds half of a
sync. Encoding: deterministic CBOR, maps by field name, so that a later version may add fields.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

from mobile.engine.errors import VaultCorruptError, VaultTooNewError
from mobile.engine.state import (
    Alarm,
    AlarmStage,
    DoorKind,
    Fallback,
    HistoryEntry,
    OpeningState,
    Operation,
    Shift,
    Support,
    Visit,
)
from mobile.engine.storage.vaultfile import MAX_VAULT_BYTES
from protocol import cbor
from protocol.errors import ProtocolError
from protocol.token import Scope

VERSION = 1
_TABLES = frozenset({"doors", "locks", "rights"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this vault's bearer is to the server and to the locks; fixed at enrolment."""

    server_url: str
    phone_id: str
    bearer_id: str
    device_token: str = field(repr=False)
    private_key: bytes = field(repr=False)
    """X25519, 32 bytes, made on this phone and never sent anywhere; empty when the hardware holds the key."""
    staff_name: str = ""
    username: str = ""
    provider_name: str = ""
    municipality_name: str = ""
    hardware_key: str = ""
    """The name of the bearer's P-256 key in the phone's hardware; "" for one in software."""
    public_key: bytes = b""
    """Its public half, 33 bytes."""


@dataclass(frozen=True, slots=True)
class Trust:
    """The root keys pinned at enrolment, or rotated since as the old ones signed, and the newest manifest."""

    roots: tuple[bytes, ...]
    threshold: int
    manifest: bytes


@dataclass(frozen=True, slots=True)
class DoorRecord:
    """A door as the server described it. `binding` is empty when no lock sits on it."""

    id: str
    kind: DoorKind
    binding: bytes = b""
    address: str = ""
    entrance: str = ""
    floor: str = ""
    number: str = ""
    lock_name: str = ""
    fallback: Fallback = field(default_factory=Fallback)


@dataclass(frozen=True, slots=True)
class LockInfo:
    """What a verified lock record says, and the newest verified bulletin for the same binding."""

    binding: bytes
    lock_id: bytes
    static_public: bytes
    adv_keys: tuple[bytes, ...] = field(repr=False)
    issued_at: int
    bulletin: bytes
    bulletin_seq: int
    kind: str = ""
    """The kind of door as the record says it, signed; a slug of `DoorKind` or `practice`."""


@dataclass(frozen=True, slots=True)
class Right:
    """One verified token."""

    token_id: bytes
    binding: bytes
    token: bytes = field(repr=False)
    not_before: int
    expires: int
    scope: int

    def permits(self, scope: Scope) -> bool:
        """Say whether the token's scope holds the operation."""
        return bool(self.scope & scope)


@dataclass(frozen=True, slots=True)
class Content:
    """Everything behind the PIN."""

    identity: Identity
    trust: Trust
    session: str = field(default="", repr=False)
    """The second login's session, empty when signed out."""
    cursor: str | None = None
    synced_at: int | None = None
    """Server time of the last whole sync."""
    clock_offset: int = 0
    """Server time minus the phone's clock at the last answer (seconds); never used to judge a right."""
    shift: Shift | None = None
    visits: tuple[Visit, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    doors: Mapping[str, DoorRecord] = field(default_factory=dict)
    locks: Mapping[bytes, LockInfo] = field(default_factory=dict)
    rights: Mapping[bytes, Right] = field(default_factory=dict)
    support: Support = field(default_factory=Support)
    history: tuple[HistoryEntry, ...] = ()
    left_unlocked: frozenset[str] = frozenset()
    practised: frozenset[str] = frozenset()
    """Steps of the guided first opening that are done: it can be left and taken up again."""

    def without_work(self) -> Content:
        """Signed out or revoked: no session, rights, doors or visits; who the bearer is and history stay."""
        return Content(
            identity=self.identity,
            trust=self.trust,
            clock_offset=self.clock_offset,
            support=self.support,
            history=self.history,
            practised=self.practised,
        )

    def without_rights(self, token_ids: Collection[bytes]) -> Content:
        """Some rights have been taken back; their locks' bulletins stay, to be carried."""
        return replace(
            self, rights={key: right for key, right in self.rights.items() if key not in token_ids}
        )

    def rights_for(self, binding: bytes) -> list[Right]:
        """The tokens for one binding."""
        return [right for right in self.rights.values() if right.binding == binding]


class Encoder:
    """Encodes content field by field, and each field only when it has become another object since.

    A night patrol's 4 000 rights take half a second to encode; a tap adds one line of history to them.
    """

    def __init__(self) -> None:
        self._last: dict[str, tuple[object, bytes]] = {}

    def encode(self, content: Content) -> bytes:
        """Return the bytes to seal in the vault."""
        parts = {each.name: self._part(each.name, getattr(content, each.name)) for each in fields(content)}
        return cbor.encode({"version": VERSION, "parts": parts})

    def _part(self, name: str, value: Any) -> bytes:
        held = self._last.get(name)
        if held is not None and held[0] is value:
            return held[1]
        encoded = cbor.encode(_plain(list(value.values()) if name in _TABLES else value))
        self._last[name] = (value, encoded)
        return encoded


def encode(content: Content) -> bytes:
    """Return the bytes to seal in the vault."""
    return Encoder().encode(content)


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return str(value)
    return sorted(value) if isinstance(value, frozenset) else value


def decode(data: bytes) -> Content:
    """Return the content; VaultCorruptError or VaultTooNewError when it cannot be read."""
    try:
        body = cbor.decode(data, max_size=MAX_VAULT_BYTES)
        if body["version"] > VERSION:
            raise VaultTooNewError
        parts = body["parts"].items()
        return Content(**{name: _read(name, cbor.decode(part, max_size=len(part))) for name, part in parts})
    except (ProtocolError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise VaultCorruptError from error


def _read(name: str, value: Any) -> Any:
    reader = _READERS.get(name)
    return value if reader is None or value is None else reader(value)


def _make(kind: type[T], body: dict[str, Any]) -> T:
    return kind(**body)


def _door(body: dict[str, Any]) -> DoorRecord:
    record = _make(DoorRecord, body | {"fallback": _make(Fallback, body["fallback"])})
    return replace(record, kind=DoorKind(body["kind"]))


def _lock(body: dict[str, Any]) -> LockInfo:
    return _make(LockInfo, body | {"adv_keys": tuple(body["adv_keys"])})


def _visit(body: dict[str, Any]) -> Visit:
    return _make(Visit, body | {"door_ids": tuple(body["door_ids"])})


def _alarm(body: dict[str, Any]) -> Alarm:
    return _make(Alarm, body | {"door_ids": tuple(body["door_ids"]), "stage": AlarmStage(body["stage"])})


def _history(body: dict[str, Any]) -> HistoryEntry:
    changed = {"operation": Operation(body["operation"]), "state": OpeningState(body["state"])}
    return _make(HistoryEntry, body | changed)


def _trust(body: dict[str, Any]) -> Trust:
    return Trust(tuple(body["roots"]), body["threshold"], body["manifest"])


_READERS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda body: _make(Identity, body),
    "trust": _trust,
    "shift": lambda body: _make(Shift, body),
    "visits": lambda rows: tuple(_visit(row) for row in rows),
    "alarms": lambda rows: tuple(_alarm(row) for row in rows),
    "doors": lambda rows: {row["id"]: _door(row) for row in rows},
    "locks": lambda rows: {row["binding"]: _lock(row) for row in rows},
    "rights": lambda rows: {row["token_id"]: _make(Right, row) for row in rows},
    "support": lambda body: _make(Support, body),
    "history": lambda rows: tuple(_history(row) for row in rows),
    "left_unlocked": frozenset,
    "practised": frozenset,
}
