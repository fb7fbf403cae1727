"""Receipts: the server's signed word that it holds a lock's log up to a number, so the lock may forget it."""

from dataclasses import dataclass

from protocol import cbor, cose, fields
from protocol.errors import SignatureError
from protocol.identity import LOCK_ID_LENGTH
from protocol.keys import SigningKey
from protocol.manifest import Manifest, Role

MAX_SIZE = 192
HASH_LENGTH = 32

_CONTEXT = cose.context("receipt")


@dataclass(frozen=True)
class Receipt:
    """Everything of this lock and log epoch up to and including ``seq``, contiguous and verified."""

    lock_id: bytes
    epoch: int
    seq: int
    hash: bytes
    """The chain hash after entry ``seq``; a receipt for another history does not fit."""
    time: int


def sign(receipt: Receipt, key: SigningKey) -> bytes:
    """Return the receipt signed by the server's receipt key."""
    payload = cbor.encode([receipt.lock_id, receipt.epoch, receipt.seq, receipt.hash, receipt.time])
    _parse(payload)  # whatever a lock would refuse must fail here
    return cose.sign1(payload, key, _CONTEXT)


def verify(data: bytes, manifest: Manifest) -> Receipt:
    """Parse and verify a receipt under the manifest's receipt keys."""
    message = cose.parse1(data, max_size=MAX_SIZE)
    key = manifest.verify_key(Role.RECEIPT, message.kid)
    if key is None:
        raise SignatureError("receipt is signed by an unknown key")
    message.verify(key, _CONTEXT)
    return _parse(message.payload)


def _parse(payload: bytes) -> Receipt:
    lock_id, epoch, seq, digest, time = fields.array(cbor.decode(payload, max_size=MAX_SIZE), 5, "receipt")
    return Receipt(
        lock_id=fields.octets(lock_id, LOCK_ID_LENGTH, "lock"),
        epoch=fields.uint(epoch, fields.MAX_COUNTER, "epoch"),
        seq=fields.uint(seq, fields.MAX_COUNTER, "passage number"),
        hash=fields.octets(digest, HASH_LENGTH, "chain hash"),
        time=fields.time(time, "receipt time"),
    )
