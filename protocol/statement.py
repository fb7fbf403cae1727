"""Completeness statements: what an issuer says of a stretch of locks' logs, with everything that proves it.

A statement travels as one file, deterministic CBOR. Its claims are signed by the issuer's receipt key under
the manifest; the entries are numbered and chained as the locks wrote them; the head of every batch is kept
with the lock's own signature, so that head and entries together are again what the lock signed. A verifier
needs this file and the fingerprint of the municipality's root keys, and nothing of ours. `protocol.proof`
judges.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from protocol import cbor, cose, fields
from protocol.errors import ProtocolError, SignatureError
from protocol.identity import LOCK_ID_LENGTH
from protocol.keys import SigningKey, VerifyKey
from protocol.log import HASH_LENGTH

MAX_FILE = 64 * 1024 * 1024
MAX_CLAIMS = 1024 * 1024
MAX_STRETCHES = 1024
MAX_RANGES = 65536
MAX_TEXT = 256
BINDING_LENGTH = 8

_CONTEXT = cose.context("completeness")
_VERSION = 1


class Missing(IntEnum):
    """Why numbers inside a stretch are not there."""

    OVERWRITTEN = 1
    """The lock's memory was full; the lock itself signed which numbers it lost."""
    LOST = 2
    """The lock holds a receipt for them, and the issuer does not have them."""
    AWAITED = 3
    """Later numbers have come home, these have not yet."""


class OnlyIssuer(IntEnum):
    """Why numbers are not under a lock's signature any more."""

    NOT_KEPT = 1
    """They came home before signatures were kept."""
    ERASED_BESIDE = 2
    """Older entries of the same batch were erased after their time."""


@dataclass(frozen=True)
class Range:
    """Numbers ``first`` to ``last`` and why they are named."""

    first: int
    last: int
    why: int

    def as_array(self) -> list[int]:
        """The range as a CBOR array."""
        return [self.first, self.last, int(self.why)]


@dataclass(frozen=True)
class Claim:
    """What the issuer says of numbers ``first`` to ``last`` of one lock's log in one epoch."""

    lock_id: bytes
    binding: bytes
    epoch: int
    first: int
    last: int
    end: bytes
    """The chain hash after ``last``."""
    received: int
    """The newest number of this epoch that the issuer had when it made the statement."""
    ended: bool
    """Whether the lock has begun a newer epoch since: what came after ``received`` will never be known."""
    missing: tuple[Range, ...]
    only_issuer: tuple[Range, ...]
    evidence: bytes
    """SHA-256 of the evidence that belongs to this claim: nothing of it can be left out unnoticed."""

    def as_array(self) -> list[Any]:
        """The claim as a CBOR array."""
        return [
            self.lock_id,
            self.binding,
            self.epoch,
            self.first,
            self.last,
            self.end,
            self.received,
            self.ended,
            [one.as_array() for one in self.missing],
            [one.as_array() for one in self.only_issuer],
            self.evidence,
        ]


@dataclass(frozen=True)
class Claims:
    """What a statement says: of which door and period, made when, and of which stretches."""

    door: str
    """As people call it; never a resident's name."""
    made_at: int
    start: int
    end: int
    """Times of the period [start, end), by the locks' clocks."""
    kept_from: int
    """Older entries were erased to counts before the statement was made."""
    stretches: tuple[Claim, ...]


def sign(claims: Claims, key: SigningKey) -> bytes:
    """Return the claims signed by the issuer's receipt key."""
    payload = cbor.encode(
        [
            _VERSION,
            claims.door,
            claims.made_at,
            claims.start,
            claims.end,
            claims.kept_from,
            [one.as_array() for one in claims.stretches],
        ]
    )
    _parse_claims(payload)
    return cose.sign1(payload, key, _CONTEXT)


def parse_claims(data: bytes) -> tuple[cose.Sign1, Claims]:
    """Parse signed claims without verifying them."""
    message = cose.parse1(data, max_size=MAX_CLAIMS)
    return message, _parse_claims(message.payload)


def verify_claims(data: bytes, key: VerifyKey | None) -> Claims:
    """Return the claims if the issuer's key signed them."""
    message, claims = parse_claims(data)
    if key is None:
        raise SignatureError("the statement is signed by a key that the manifest does not name")
    message.verify(key, _CONTEXT)
    return claims


def _parse_claims(payload: bytes) -> Claims:
    values = fields.array(cbor.decode(payload, max_size=MAX_CLAIMS), 7, "claims")
    version, door, made_at, start, end, kept_from, stretches = values
    if version != _VERSION or isinstance(version, bool):
        raise ProtocolError("claims of another version")
    if not isinstance(door, str) or len(door) > MAX_TEXT:
        raise ProtocolError(f"door must be text of at most {MAX_TEXT} characters")
    return Claims(
        door=door,
        made_at=fields.time(made_at, "made at"),
        start=fields.time(start, "start"),
        end=fields.time(end, "end"),
        kept_from=fields.time(kept_from, "kept from"),
        stretches=tuple(_claim(one) for one in fields.items(stretches, MAX_STRETCHES, "stretches")),
    )


def _claim(value: object) -> Claim:
    values = fields.array(value, 11, "claim")
    lock_id, binding, epoch, first, last, end, received, ended, missing, only_issuer, evidence = values
    if not isinstance(ended, bool):
        raise ProtocolError("ended must be true or false")
    return Claim(
        lock_id=fields.octets(lock_id, LOCK_ID_LENGTH, "lock"),
        binding=fields.octets(binding, BINDING_LENGTH, "binding"),
        epoch=fields.uint(epoch, fields.MAX_COUNTER, "epoch"),
        first=fields.uint(first, fields.MAX_COUNTER, "first"),
        last=fields.uint(last, fields.MAX_COUNTER, "last"),
        end=fields.octets(end, HASH_LENGTH, "end"),
        received=fields.uint(received, fields.MAX_COUNTER, "received"),
        ended=ended,
        missing=tuple(_range(one, Missing) for one in fields.items(missing, MAX_RANGES, "missing")),
        only_issuer=tuple(
            _range(one, OnlyIssuer) for one in fields.items(only_issuer, MAX_RANGES, "unsigned")
        ),
        evidence=fields.octets(evidence, HASH_LENGTH, "digest of the evidence"),
    )


def _range(value: object, kind: type[IntEnum]) -> Range:
    first, last, why = fields.array(value, 3, "range")
    found = Range(
        fields.uint(first, fields.MAX_COUNTER, "range first"),
        fields.uint(last, fields.MAX_COUNTER, "range last"),
        fields.member(why, kind, "reason"),
    )
    if not 1 <= found.first <= found.last:
        raise ProtocolError("range runs backwards")
    return found
