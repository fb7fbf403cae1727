"""Sections 16 to 18: bulletins, fresh time, entries, batches, receipts."""

import hashlib
from dataclasses import dataclass
from typing import Any

import cbor2

from tests.protocol import page
from tests.protocol.independent import sealing
from tests.protocol.independent.form import MalformedError, limit, shaped
from tests.protocol.independent.trust import (
    BULLETIN,
    RECEIPT,
    InvalidError,
    Manifest,
    Signed,
    aad,
    signed,
    successor,
)


@dataclass
class Held:
    """What a lock has when a bulletin comes."""

    binding: bytes
    lock_id: bytes
    seq: int
    manifest: Manifest
    seal_private: bytes


@dataclass
class Taken:
    body: dict[int, Any]
    manifest: Manifest
    adv_keys: list[bytes] | None


def bulletin_form(data: bytes) -> Signed:
    message = signed("bulletin", data, limit("bulletin"))
    revoked = message.body[5]
    if revoked != sorted(set(revoked)):
        raise MalformedError("revoked list")
    return message


def take(data: bytes, held: Held) -> tuple[str, Taken | None]:
    """Section 16.1."""
    try:
        message = bulletin_form(data)
    except MalformedError:
        return "bulletin_invalid", None
    body = message.body
    if (body[1], body[2]) != (held.binding, held.lock_id):
        return "bulletin_wrong_binding", None
    if body[3] <= held.seq:
        return "bulletin_old", None
    roles = held.manifest
    if 9 in body:
        try:
            roles = successor(body[9], held.manifest)
        except (MalformedError, InvalidError):
            return "manifest_invalid", None
    try:
        message.verify(roles.key(BULLETIN, message.kid), aad("bulletin"))
        keys = None
        if 11 in body:
            keys = sealing.open_adv_keys(body[11], held.seal_private, body[1], body[3])
    except (InvalidError, MalformedError, sealing.SealError):
        return "bulletin_invalid", None
    return "granted", Taken(body, roles, keys)


def fresh_time(data: bytes, held: Manifest, binding: bytes, m0_hash: bytes, now: int) -> str:
    """Section 17.2."""
    try:
        message = signed("fresh-time", data, limit("fresh time, bytes"))
        message.verify(held.key(BULLETIN, message.kid), aad("fresh-time"))
    except (MalformedError, InvalidError):
        return "time_invalid"
    if message.body[:2] != [binding, m0_hash]:
        return "time_not_for_session"
    return "time_jump_refused" if message.body[2] < now - limit("clock, back") else "granted"


_KNOWN_TYPES = {int(row[0]) for row in page.table("### 18.1 Entries and chain", "type")}


def genesis(lock_id: bytes, epoch: int) -> bytes:
    return hashlib.sha256(b"\x01" + lock_id + epoch.to_bytes(4, "big")).digest()


def link(before: bytes, entry: bytes) -> bytes:
    return hashlib.sha256(b"\x02" + before + entry).digest()


def entry(data: bytes) -> list[Any]:
    """Section 18.1."""
    items: list[Any] = shaped("log-entry", data, limit("log entry"))
    if items[2] in _KNOWN_TYPES:
        shaped("known-entry", data)
    return items


def batch(data: bytes, lock_id: bytes, log_public: bytes) -> list[Any]:
    """Section 18.2: the twelve items of a batch that is what it says."""
    message = signed("log-batch-signed", data, limit("log batch"))
    body: list[Any] = message.body
    _, lock, epoch, _, _, _, _, _, first, h_start, gap, entries = body
    if message.kid != lock or lock != lock_id:
        raise InvalidError("another lock's")
    for one in entries:
        entry(cbor2.dumps(one))
    if [one[0] for one in entries] != [first + n for n in range(len(entries))]:
        raise MalformedError("entries not numbered")
    if first == 1 and h_start != genesis(lock, epoch):
        raise MalformedError("not the genesis")
    if gap is not None:
        _check_gap(gap, lock, epoch)
        if not gap[1] < first or (gap[1] + 1 == first and gap[2] != h_start):
            raise MalformedError("gap")
    message.verify(log_public, aad("log-batch"))
    return body


def _check_gap(gap: list[Any], lock: bytes, epoch: int) -> None:
    """Section 18.2: kept entries stand in order inside the gap, and wherever two hashes meet they agree."""
    begins, ends, after, kept = gap
    if not begins <= ends:
        raise MalformedError("gap")
    numbers = [one[0] for _, one in kept]
    if numbers != sorted(set(numbers)) or not all(begins <= number <= ends for number in numbers):
        raise MalformedError("kept entries")
    known = {0: genesis(lock, epoch), ends: after}
    for before, one in kept:
        encoded = cbor2.dumps(one)
        entry(encoded)
        places = ((one[0] - 1, before), (one[0], link(before, encoded)))
        if any(known.setdefault(number, digest) != digest for number, digest in places):
            raise MalformedError("chain of the kept entries")


@dataclass
class Log:
    """A lock's own log when a receipt comes; ``hashes[n]`` is h_n."""

    lock_id: bytes
    epoch: int
    acked: int
    hashes: list[bytes]


def read_receipt(data: bytes, held: Manifest, own: Log) -> str:
    """Section 18.5."""
    try:
        message = signed("receipt", data, limit("receipt"))
        message.verify(held.key(RECEIPT, message.kid), aad("receipt"))
    except (MalformedError, InvalidError):
        return "ignored"
    lock, epoch, seq, digest, _ = message.body
    if lock != own.lock_id or epoch < own.epoch or (epoch == own.epoch and seq <= own.acked):
        return "ignored"
    if epoch > own.epoch or seq >= len(own.hashes) or own.hashes[seq] != digest:
        return "alarm"
    return "frees"
