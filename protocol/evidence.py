"""The file a completeness statement travels as: signed claims, the manifest, the evidence for each."""

import hashlib
from dataclasses import dataclass
from typing import Any

from protocol import batchhead, cbor, entries, fields, manifest, receipt
from protocol.errors import ProtocolError
from protocol.identity import LockIdentity
from protocol.log import HASH_LENGTH
from protocol.statement import MAX_CLAIMS, MAX_STRETCHES

MAX_FILE = 64 * 1024 * 1024
_NAME, _VERSION = "nyckelfri-statement", 1


@dataclass(frozen=True)
class Run:
    """Entries without a hole: each as the lock encoded it, with the chain hash after it."""

    first: int
    h_start: bytes
    entries: tuple[tuple[bytes, bytes], ...]

    @property
    def last(self) -> int:
        """The number of the last entry."""
        return self.first + len(self.entries) - 1


@dataclass(frozen=True)
class Evidence:
    """What proves one claim: the lock's public keys, the runs of entries, heads, and the newest receipt."""

    identity: LockIdentity
    runs: tuple[Run, ...]
    heads: tuple[bytes, ...]
    receipt: bytes | None

    def as_array(self) -> list[Any]:
        """The evidence as a CBOR array."""
        keys = self.identity
        return [
            [
                keys.protocol_version,
                keys.static_public,
                keys.log_public,
                keys.seal_public,
                keys.suites,
            ],
            [[run.first, run.h_start, [list(pair) for pair in run.entries]] for run in self.runs],
            list(self.heads),
            self.receipt,
        ]

    @property
    def digest(self) -> bytes:
        """SHA-256 of the encoded evidence."""
        return hashlib.sha256(cbor.encode(self.as_array())).digest()


@dataclass(frozen=True)
class Statement:
    """A parsed file, not verified: signed claims, their manifest, the evidence in order."""

    signed_claims: bytes
    manifest: bytes
    evidence: tuple[Evidence, ...]


def encode(statement: Statement) -> bytes:
    """Return the file."""
    return cbor.encode(
        [
            _NAME,
            _VERSION,
            statement.manifest,
            statement.signed_claims,
            [one.as_array() for one in statement.evidence],
        ]
    )


def parse(data: bytes) -> Statement:
    """Parse a file strictly, verifying nothing."""
    values = fields.array(cbor.decode(data, max_size=MAX_FILE), 5, "statement")
    name, version, keys, claims, evidence = values
    if name != _NAME or version != _VERSION or isinstance(version, bool):
        raise ProtocolError("not a completeness statement of this version")
    return Statement(
        manifest=fields.blob(keys, manifest.MAX_SIZE, "manifest"),
        signed_claims=fields.blob(claims, MAX_CLAIMS, "claims"),
        evidence=tuple(_evidence(one) for one in fields.items(evidence, MAX_STRETCHES, "evidence")),
    )


def _evidence(value: object) -> Evidence:
    identity, runs, heads, given = fields.array(value, 4, "evidence")
    version, static, log_key, seal, suites = fields.array(identity, 5, "lock keys")
    return Evidence(
        identity=LockIdentity(
            static_public=fields.octets(static, 32, "static key"),
            log_public=fields.octets(log_key, 32, "log key"),
            seal_public=fields.octets(seal, 32, "seal key"),
            protocol_version=fields.uint(version, 255, "protocol version"),
            suites=fields.uint(suites, 255, "suites"),
        ),
        runs=tuple(_run(one) for one in fields.items(runs, MAX_FILE, "runs")),
        heads=tuple(
            fields.blob(one, batchhead.MAX_SIZE, "head") for one in fields.items(heads, MAX_FILE, "heads")
        ),
        receipt=None if given is None else fields.blob(given, receipt.MAX_SIZE, "receipt"),
    )


def _run(value: object) -> Run:
    first, h_start, chained = fields.array(value, 3, "run")
    pairs = []
    for one in fields.items(chained, MAX_FILE, "entries"):
        entry, digest = fields.array(one, 2, "entry and hash")
        pairs.append(
            (fields.blob(entry, entries.MAX_SIZE, "entry"), fields.octets(digest, HASH_LENGTH, "chain hash"))
        )
    return Run(
        fields.uint(first, fields.MAX_COUNTER, "first"),
        fields.octets(h_start, HASH_LENGTH, "h_start"),
        tuple(pairs),
    )
