"""Sections 7, 9, 11 and 13: adverts, frames, and the judgement of a request."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from tests.protocol.independent.form import MalformedError, limit, read, shaped
from tests.protocol.independent.trust import TOKEN, InvalidError, Manifest, Signed, aad, signed


def resolve(data: bytes, keys: list[bytes]) -> int | None:
    """Section 7: which of the adv_keys an advert is of."""
    if len(data) != 17 or data[0] != 1:
        raise MalformedError("advert")
    for number, key in enumerate(keys):
        if hmac.digest(key, b"rid" + data[:9], "sha256")[:8] == data[9:]:
            return number
    return None


class Frames:
    """Section 9."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._begun: tuple[int, int, bytes] | None = None

    def feed(self, frame: bytes) -> tuple[int, bytes] | None:
        begun, self._begun = self._begun, None
        if not 2 <= len(frame) <= 512:
            raise MalformedError("frame length")
        kind, number = frame[0] >> 4 & 3, frame[0] & 15
        if frame[0] & 0x80:
            begun = (kind, 0, b"")
        if begun is None or begun[0] != kind or begun[1] % 16 != number:
            raise MalformedError("frame order")
        body = begun[2] + frame[1:]
        if len(body) > self._at_most:
            raise MalformedError("message too large")
        if frame[0] & 0x40:
            return kind, body
        self._begun = (kind, begun[1] + 1, body)
        return None


def token(data: bytes) -> Signed:
    """Section 11, the form of a token."""
    message = signed("token", data, limit("token"))
    claims = message.body
    if not claims[5] < claims[4] <= claims[5] + limit("token lifetime") or claims[6] >= claims[4]:
        raise MalformedError("window")
    return message


@dataclass
class Lock:
    """What a lock knows when it judges."""

    binding: bytes
    manifest: Manifest
    bulletin: dict[int, Any]
    now: int
    certain: bool
    openings: int
    busy: bool
    known: bool
    battery: int | None


def judge(lock: Lock, holder: bytes, plaintext: bytes) -> str:
    """Section 13, checks 4 to 16."""
    try:
        command, _, encoded = shaped("request", plaintext)
        message = token(encoded)
    except MalformedError:
        return "malformed"
    public = lock.manifest.key(TOKEN, message.kid)
    if public is None:
        return "key_unknown"
    if message.body[3] != lock.binding:
        return "wrong_binding"
    try:
        message.verify(public, aad("token", holder))
    except InvalidError:
        return "token_invalid"
    return _in_time(lock, message.body) or _in_force(lock, message.body, command) or "granted"


def _in_time(lock: Lock, claims: dict[int, Any]) -> str | None:
    expires, begins, issued = claims[4], claims[5], claims[6]
    tolerance = limit("window tolerance")
    now = max(lock.now, min(issued, lock.now + limit("clock, token")))
    if lock.certain and now < begins - tolerance:
        return "not_yet_valid"
    if now > expires + tolerance:
        return "expired"
    if issued - lock.bulletin[4] > limit("stale bulletin"):
        return "need_update"
    if not lock.certain and not lock.known and lock.openings >= limit("uncertain openings"):
        return "time_uncertain"
    return None


def _in_force(lock: Lock, claims: dict[int, Any], command: int) -> str | None:
    if hashlib.sha256(lock.binding + claims[7]).digest()[:8] in lock.bulletin[5]:
        return "revoked"
    if claims[6] < max(lock.bulletin[6].get(claims[-65537], 0), lock.bulletin[7]):
        return "provider_ended"
    if not claims[9] & (1 << (command - 1)):
        return "not_permitted"
    if lock.known:
        return None
    if lock.busy:
        return "busy"
    low = lock.battery is not None and lock.battery <= limit("battery reserve")
    return "battery_empty" if low and command == 1 and not lock.bulletin[8][6] else None


def message(rule: str, data: bytes) -> list[Any]:
    """Section 12."""
    items: list[Any] = shaped(rule, data, limit("session message"))
    return items


def claims(data: bytes) -> tuple[bytes, dict[int, Any]]:
    one = token(data)
    return one.kid, one.body


__all__ = ["Frames", "Lock", "claims", "judge", "message", "read", "resolve", "token"]
