"""Strict reading of the server's JSON: what is not as agreed is a `server_error`, never half used."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from mobile.engine.content import DoorRecord
from mobile.engine.errors import ServerError
from mobile.engine.state import Alarm, AlarmStage, DoorKind, Fallback, Shift, Support, Visit
from protocol.fields import MAX_TIME

MAX_TEXT = 4000
MAX_NAME = 100
MAX_CURSOR = 512 * 1024
"""Characters; the server takes no longer ones back, and a night patrol's 4 000 rights need about 100 000."""
MAX_ITEMS = 50_000
MAX_BLOB = 12 * 1024
_SECRET = re.compile(r"[!-~]{1,512}")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_CURSOR = re.compile(r"[!-~]*")


class Body:
    """One JSON object, read field by field. Raises ServerError `server_error` naming the field."""

    def __init__(self, value: Any, what: str = "answer") -> None:
        if not isinstance(value, dict):
            raise _bad(what)
        self._value: dict[str, Any] = value

    def text(self, name: str, *, default: str | None = None) -> str:
        """A string; `default` when it is absent or null."""
        value = self._value.get(name)
        return default if value is None and default is not None else plain(value, name)

    def name(self, name: str) -> str:
        """What is shown beside what the person compares by eye: one short line of visible signs, or empty."""
        value = self.text(name, default="")
        if len(value) > MAX_NAME or not value.isprintable():
            raise _bad(name)
        return value

    def secret(self, name: str, *, default: str | None = None) -> str:
        """A device token or session: what may stand in a header and nothing else."""
        value = self.text(name, default=default)
        if not _SECRET.fullmatch(value):
            raise _bad(name)
        return value

    def cursor(self, name: str) -> str:
        """A sync cursor: it grows with every right and is for the server alone; empty when absent or null."""
        value = self._value.get(name) or ""
        if not isinstance(value, str) or len(value) > MAX_CURSOR or not _CURSOR.fullmatch(value):
            raise _bad(name)
        return value

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._value.get(name) is not None

    def number(self, name: str) -> int:
        """An integer from 0 to the last second the protocol can name."""
        value = self._value.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_TIME:
            raise _bad(name)
        return value

    def flag(self, name: str) -> bool:
        """Yes or no."""
        value = self._value.get(name)
        if not isinstance(value, bool):
            raise _bad(name)
        return value

    def blob(self, name: str, *, length: int | None = None, most: int = MAX_BLOB) -> bytes:
        """Bytes in base64url without padding, `most` of them at most."""
        return blob(self._value.get(name), name, length, most)

    def optional_blob(self, name: str, *, length: int | None = None) -> bytes | None:
        """The same, or None when absent, null or empty."""
        return blob(self._value[name], name, length) if self._value.get(name) else None

    def optional(self, name: str) -> Body | None:
        """An object, or None."""
        value = self._value.get(name)
        return None if value is None else Body(value, name)

    def items(self, name: str) -> list[Any]:
        """A list; an absent one is empty."""
        value = self._value.get(name, [])
        if not isinstance(value, list) or len(value) > MAX_ITEMS:
            raise _bad(name)
        return value

    def objects(self, name: str) -> list[Body]:
        """A list of objects."""
        return [Body(one, name) for one in self.items(name)]


def _bad(what: str) -> ServerError:
    return ServerError("server_error", why=f"unexpected {what}")


def plain(value: Any, what: str) -> str:
    """A string that can be stored and shown; database keys may come as numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 2**63 else None
    if (
        not isinstance(value, str)
        or len(value) > MAX_TEXT
        or any("\ud800" <= sign <= "\udfff" for sign in value)
    ):
        raise _bad(what)
    return value


def blob(value: Any, what: str, length: int | None = None, most: int = MAX_BLOB) -> bytes:
    """Decode base64url without padding; ServerError when it is not, too long, or of another length."""
    if not isinstance(value, str) or len(value) > most * 2 or not _BASE64URL.fullmatch(value):
        raise _bad(what)
    try:
        data = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (binascii.Error, ValueError):
        raise _bad(what) from None
    if len(data) > most or (length is not None and len(data) != length):
        raise _bad(what)
    return data


def text_of(data: bytes) -> str:
    """Encode bytes as the API wants them."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def mark_of(cursor: str) -> str:
    """What stands for a whole cursor when a phone only asks whether anything has changed."""
    return text_of(hashlib.sha256(cursor.encode()).digest()[:16])


@dataclass(frozen=True, slots=True)
class RightOffer:
    """One right as the server sent it, not yet verified."""

    binding: bytes
    token_id: bytes
    token: bytes = field(repr=False)
    lock_record: bytes = field(repr=False)
    bulletin: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    """One answer to a sync, read but not verified."""

    server_time: int
    minimum_app_version: str
    cursor: str | None
    manifest: bytes | None
    shift: Shift | None
    visits: tuple[Visit, ...]
    alarms: tuple[Alarm, ...]
    doors: tuple[DoorRecord, ...]
    rights: tuple[RightOffer, ...]
    removed_rights: tuple[bytes, ...]
    removed_doors: tuple[str, ...]
    bulletins: tuple[tuple[bytes, bytes], ...]
    """(binding, bulletin)."""
    support: Support


def sync_answer(value: dict[str, Any]) -> SyncAnswer:
    """Read the body of `POST /api/v1/sync`."""
    body = Body(value)
    shift, support = body.optional("shift"), body.optional("support")
    return SyncAnswer(
        server_time=body.number("server_time"),
        minimum_app_version=body.text("minimum_app_version", default=""),
        cursor=body.cursor("cursor") or None,
        manifest=body.optional_blob("manifest"),
        shift=None if shift is None else _shift(shift),
        visits=tuple(_visit(one) for one in body.objects("visits")),
        # A state of a later server must not keep staff from the alarms that are understood.
        alarms=tuple(_alarm(one) for one in body.objects("alarms") if one.text("state") in set(AlarmStage)),
        doors=tuple(_door(one) for one in body.objects("doors")),
        rights=tuple(_right(one) for one in body.objects("rights")),
        removed_rights=tuple(blob(one, "removed right", 8) for one in body.items("removed_rights")),
        removed_doors=tuple(plain(one, "removed door") for one in body.items("removed_doors")),
        bulletins=tuple(
            (one.blob("binding", length=8), one.blob("bulletin")) for one in body.objects("bulletins")
        ),
        support=Support() if support is None else _support(support),
    )


def _shift(body: Body) -> Shift:
    return Shift(body.text("id"), body.text("team"), body.number("starts_at"), body.number("ends_at"))


def _visit(body: Body) -> Visit:
    return Visit(
        id=body.text("id"),
        starts_at=body.number("starts_at"),
        ends_at=body.number("ends_at"),
        alarm_code=body.text("alarm_code", default=""),
        door_ids=tuple(plain(one, "door id") for one in body.items("door_ids")),
    )


def _alarm(body: Body) -> Alarm:
    return Alarm(
        id=body.text("id"),
        alarm_code=body.text("alarm_code"),
        door_ids=tuple(plain(one, "door id") for one in body.items("door_ids")),
        stage=AlarmStage(body.text("state")),
        raised_at=body.number("raised_at"),
        respond_by=body.number("respond_by"),
        expires=body.number("expires"),
    )


def _door(body: Body) -> DoorRecord:
    kind, fallback = body.text("kind"), body.optional("fallback")
    return DoorRecord(
        id=body.text("id"),
        # A kind of a later server must not keep staff from every other door.
        kind=DoorKind(kind) if kind in set(DoorKind) else DoorKind.COMMON,
        binding=body.optional_blob("binding", length=8) or b"",
        address=body.text("address", default=""),
        entrance=body.text("entrance", default=""),
        floor=body.text("floor", default=""),
        number=body.text("number", default=""),
        lock_name=body.text("lock_name", default=""),
        fallback=Fallback() if fallback is None else _fallback(fallback),
    )


def _fallback(body: Body) -> Fallback:
    return Fallback(*(body.text(name, default="") for name in ("kind", "place", "phone", "hours")))


def _right(body: Body) -> RightOffer:
    return RightOffer(
        binding=body.blob("binding", length=8),
        token_id=body.blob("token_id", length=8),
        token=body.blob("token"),
        lock_record=body.blob("lock_record"),
        bulletin=body.blob("bulletin"),
    )


def _support(body: Body) -> Support:
    return Support(
        phone=body.text("phone", default=""),
        routine_sv=body.text("deviation_routine_sv", default=""),
        routine_en=body.text("deviation_routine_en", default=""),
    )
