"""Opening sealed batches: envelope, sealing key, HPKE, strict parsing, the lock's own signature."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from protocol import log, seal
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import VerifyKey
from protocol.log import Batch
from server.locks.models import Lock
from server.tenancy.domain import keyring


class RejectedError(Exception):
    """A batch that cannot be what a lock of ours sealed; `code` says why, `lock` whose it claims to be."""

    def __init__(self, code: str, lock: Lock | None = None) -> None:
        super().__init__(code)
        self.code, self.lock = code, lock


@dataclass(frozen=True)
class Opened:
    """A verified batch with everything hashed once."""

    digest: bytes
    """SHA-256 of the sealed bytes."""
    document: bytes
    lock: Lock
    body: Batch

    @cached_property
    def encoded(self) -> list[bytes]:
        """The entries' bytes as they are chained."""
        return [entry.encode() for entry in self.body.entries]

    @cached_property
    def hashes(self) -> list[bytes]:
        """The chain hash after each entry."""
        found, previous = [], self.body.h_start
        for entry in self.encoded:
            previous = log.link(previous, entry)
            found.append(previous)
        return found

    def hash_after(self, seq: int) -> bytes:
        """Return the chain hash after entry `seq`, from `first - 1` to `last`."""
        return self.body.h_start if seq == self.body.first - 1 else self.hashes[seq - self.body.first]


def digest_of(document: bytes) -> bytes:
    """Return what a sealed document is known by."""
    return hashlib.sha256(document).digest()


def open_batch(document: bytes, *, municipality_id: int) -> Opened:
    """Open and verify one sealed document; raises `RejectedError`."""
    try:
        sealed = seal.parse_log(document)
    except ProtocolError as error:
        raise RejectedError("malformed") from error
    try:
        private = keyring.sealing_private(municipality_id, sealed.kid)
    except keyring.KeyMissingError as error:
        raise RejectedError("sealing_key_unknown") from error
    try:
        signed = sealed.open(private)
    except ProtocolError as error:
        # Altered on the way, or never sealed to us: AEAD does not say which.
        raise RejectedError("seal_broken") from error
    return _verified(document, signed, municipality_id)


def _verified(document: bytes, signed: bytes, municipality_id: int) -> Opened:
    try:
        unverified = log.parse(signed)
    except ProtocolError as error:
        raise RejectedError("malformed") from error
    lock = Lock.unscoped.filter(municipality=municipality_id, lock_id=unverified.body.lock_id).first()
    if lock is None:
        raise RejectedError("lock_unknown")
    try:
        body = unverified.verify(VerifyKey(bytes(lock.lock_id), bytes(lock.log_public_key)))
    except SignatureError as error:
        raise RejectedError("signature_invalid", lock) from error
    return Opened(digest_of(document), document, lock, body)
