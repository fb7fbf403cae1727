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
    signature: bytes
    """The lock's own, over the batch."""

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


class Opener:
    """Opens and verifies the documents of one upload; keys and locks are looked up once."""

    def __init__(self, municipality_id: int) -> None:
        self._municipality_id = municipality_id
        self._keys: dict[bytes, bytes] = {}
        self._locks: dict[bytes, Lock | None] = {}

    def open(self, document: bytes) -> Opened:
        """Return the verified batch in a sealed document; raises `RejectedError`."""
        try:
            sealed = seal.parse_log(document)
        except ProtocolError as error:
            raise RejectedError("malformed") from error
        private = self._private(sealed.kid)
        try:
            signed = sealed.open(private)
        except ProtocolError as error:
            # Altered on the way, or never sealed to us: AEAD does not say which.
            raise RejectedError("seal_broken") from error
        return self._verified(document, signed)

    def _private(self, kid: bytes) -> bytes:
        if kid not in self._keys:
            try:
                self._keys[kid] = keyring.sealing_private(self._municipality_id, kid)
            except keyring.KeyMissingError as error:
                raise RejectedError("sealing_key_unknown") from error
        return self._keys[kid]

    def _lock(self, lock_id: bytes) -> Lock:
        if lock_id not in self._locks:
            found = Lock.unscoped.filter(municipality=self._municipality_id, lock_id=lock_id)
            self._locks[lock_id] = found.first()
        lock = self._locks[lock_id]
        if lock is None:
            raise RejectedError("lock_unknown")
        return lock

    def _verified(self, document: bytes, signed: bytes) -> Opened:
        try:
            unverified = log.parse(signed)
        except ProtocolError as error:
            raise RejectedError("malformed") from error
        lock = self._lock(unverified.body.lock_id)
        try:
            body = unverified.verify(VerifyKey(bytes(lock.lock_id), bytes(lock.log_public_key)))
        except SignatureError as error:
            raise RejectedError("signature_invalid", lock) from error
        return Opened(digest_of(document), document, lock, body, unverified.message.signature)
