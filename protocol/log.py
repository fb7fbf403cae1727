"""A lock's log: numbered entries, a hash chain over them, and signed batches for the way home.

    h_0 = SHA-256(0x01 || lock id || epoch, 4 bytes)
    h_n = SHA-256(0x02 || h_(n-1) || entry_n)

The chain belongs to the device and survives moves; a lost store starts a new epoch. What was overwritten when
memory was full is stated by a gap inside the signed batch, with the hash that lets the chain go on.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from protocol import cbor, cose, fields
from protocol.entries import Entry
from protocol.errors import ProtocolError
from protocol.identity import LOCK_ID_LENGTH
from protocol.keys import SigningKey, VerifyKey

MAX_BATCH = 4608
"""Largest signed batch before sealing (bytes)."""
MAX_ENTRIES = 256
FINGERPRINT_LENGTH = 8
HASH_LENGTH = 32

_CONTEXT = cose.context("log-batch")
_VERSION = 1


@dataclass(frozen=True)
class Gap:
    """Entries ``first`` to ``last`` were overwritten unreceipted; ``hash`` is the chain after ``last``."""

    first: int
    last: int
    hash: bytes


@dataclass(frozen=True)
class Batch:
    """A stretch of one lock's log as signed for one courier."""

    lock_id: bytes
    epoch: int
    boot: int
    now: int
    """The lock's clock when it signed."""
    courier: bytes
    """Fingerprint of the phone that carries it."""
    acked: int
    """The newest entry number of this epoch that the lock holds a receipt for; 0 = none."""
    first: int
    h_start: bytes
    """The chain hash before entry ``first``."""
    gap: Gap | None
    entries: tuple[Entry, ...]

    @property
    def last(self) -> int:
        """The number of the last entry, ``first - 1`` when there is none."""
        return self.first + len(self.entries) - 1

    @property
    def h_end(self) -> bytes:
        """The chain hash after the last entry."""
        return chain(self.h_start, (entry.encode() for entry in self.entries))


def genesis(lock_id: bytes, epoch: int) -> bytes:
    """The chain hash before entry 1 of an epoch."""
    fields.octets(lock_id, LOCK_ID_LENGTH, "lock")
    return hashlib.sha256(b"\x01" + lock_id + epoch.to_bytes(4, "big")).digest()


def link(previous: bytes, entry: bytes) -> bytes:
    """The chain hash after one encoded entry."""
    return hashlib.sha256(b"\x02" + previous + entry).digest()


def chain(start: bytes, entries: Iterable[bytes]) -> bytes:
    """The chain hash after all of the encoded ``entries``."""
    for entry in entries:
        start = link(start, entry)
    return start


def sign(batch: Batch, key: SigningKey) -> bytes:
    """Return the batch signed by the lock's log key (kid = lock id)."""
    encoded = cose.sign1(_payload(batch), key, _CONTEXT)
    if len(encoded) > MAX_BATCH:
        raise ProtocolError(f"batch is larger than {MAX_BATCH} bytes")
    return encoded


def verify_detached(batch: Batch, signature: bytes, key: VerifyKey) -> None:
    """Raise unless ``signature``, kept apart from it, is the lock's over just this batch.

    ProtocolError when no lock would sign such a batch, SignatureError when this one did not.
    """
    message = cose.Sign1(cose.protected_header(key.kid), key.kid, _payload(batch), signature)
    message.verify(key, _CONTEXT)


def _payload(batch: Batch) -> bytes:
    _check(batch)
    gap = None if batch.gap is None else [batch.gap.first, batch.gap.last, batch.gap.hash]
    return cbor.encode(
        [
            _VERSION,
            batch.lock_id,
            batch.epoch,
            batch.boot,
            batch.now,
            batch.courier,
            batch.acked,
            batch.first,
            batch.h_start,
            gap,
            [entry.as_array() for entry in batch.entries],
        ]
    )


@dataclass(frozen=True)
class UnverifiedBatch:
    """A well-formed batch; ``body.lock_id`` says whose key to verify it with."""

    message: cose.Sign1
    body: Batch

    def verify(self, key: VerifyKey) -> Batch:
        """Return the batch if the lock's log key signed it; raise SignatureError if not."""
        self.message.verify(key, _CONTEXT)
        return self.body


def parse(data: bytes) -> UnverifiedBatch:
    """Parse a signed batch strictly, without verifying the signature."""
    message = cose.parse1(data, max_size=MAX_BATCH)
    values = fields.array(cbor.decode(message.payload, max_size=MAX_BATCH), 11, "batch")
    version, lock_id, epoch, boot, now, courier, acked, first, h_start, gap, entries = values
    if version != _VERSION or isinstance(version, bool):
        raise ProtocolError("batch of another version")
    batch = Batch(
        lock_id=fields.octets(lock_id, LOCK_ID_LENGTH, "lock"),
        epoch=fields.uint(epoch, fields.MAX_COUNTER, "epoch"),
        boot=fields.uint(boot, fields.MAX_COUNTER, "boot"),
        now=fields.time(now, "lock time"),
        courier=fields.octets(courier, FINGERPRINT_LENGTH, "courier"),
        acked=fields.uint(acked, fields.MAX_COUNTER, "acked"),
        first=fields.uint(first, fields.MAX_COUNTER, "first"),
        h_start=fields.octets(h_start, HASH_LENGTH, "h_start"),
        gap=None if gap is None else parse_gap(gap),
        entries=tuple(Entry.parse(one) for one in fields.items(entries, MAX_ENTRIES, "entries")),
    )
    _check(batch)
    if message.kid != batch.lock_id:
        raise ProtocolError("batch names another lock than its key id")
    return UnverifiedBatch(message, batch)


def parse_gap(value: object) -> Gap:
    """Parse the record of overwritten entries."""
    first, last, digest = fields.array(value, 3, "gap")
    return Gap(
        fields.uint(first, fields.MAX_COUNTER, "gap first"),
        fields.uint(last, fields.MAX_COUNTER, "gap last"),
        fields.octets(digest, HASH_LENGTH, "gap hash"),
    )


def _check(batch: Batch) -> None:
    if batch.first < 1 or batch.epoch < 1:
        raise ProtocolError("epochs and passage numbers start at 1")
    if [entry.seq for entry in batch.entries] != list(range(batch.first, batch.last + 1)):
        raise ProtocolError("batch entries are not numbered without a hole")
    if batch.first == 1 and batch.h_start != genesis(batch.lock_id, batch.epoch):
        raise ProtocolError("batch does not start at the epoch's genesis")
    gap = batch.gap
    if gap is not None and not 1 <= gap.first <= gap.last < batch.first:
        raise ProtocolError("gap runs backwards or into the batch")
    if gap is not None and batch.first == gap.last + 1 and batch.h_start != gap.hash:
        raise ProtocolError("batch does not continue its gap's chain")
