"""A lock's log: numbered entries, a hash chain over them, and signed batches for the way home.

    h_0 = SHA-256(0x01 || lock id || epoch, 4 bytes)
    h_n = SHA-256(0x02 || h_(n-1) || entry_n)

The chain belongs to the device and survives moves; a lost store starts a new epoch. What was overwritten when
memory was full is stated by a gap inside the signed batch, with the hash that lets the chain go on, and with
those of its entries that the lock keeps apart: what is done to the lock must survive what is done at it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from protocol import cbor, cose, fields
from protocol.entries import Entry
from protocol.errors import ProtocolError
from protocol.identity import LOCK_ID_LENGTH
from protocol.keys import SigningKey, VerifyKey

MAX_BATCH = 4608
"""Largest signed batch before sealing (bytes)."""
MAX_ENTRIES = 256
MAX_KEPT = 64
FINGERPRINT_LENGTH = 8
HASH_LENGTH = 32

_CONTEXT = cose.context("log-batch")
_VERSION = 1


@dataclass(frozen=True)
class Kept:
    """An entry of a gap that was kept apart; ``hash_before`` is the chain hash before it."""

    hash_before: bytes
    entry: Entry

    @property
    def hash(self) -> bytes:
        """The chain hash after the entry."""
        return link(self.hash_before, self.entry.encode())


@dataclass(frozen=True)
class Gap:
    """Entries ``first`` to ``last`` were overwritten unreceipted; ``hash`` is the chain after ``last``."""

    first: int
    last: int
    hash: bytes
    kept: tuple[Kept, ...] = ()
    """Those of them that survive, in order."""

    def as_array(self) -> list[Any]:
        """The gap as a CBOR array."""
        kept = [[one.hash_before, one.entry.as_array()] for one in self.kept]
        return [self.first, self.last, self.hash, kept]

    def lost(self) -> list[tuple[int, int]]:
        """The runs of numbers, as (first, last), of which nothing is left."""
        found, begins = [], self.first
        for number in [*(one.entry.seq for one in self.kept), self.last + 1]:
            if begins < number:
                found.append((begins, number - 1))
            begins = number + 1
        return found


@dataclass(frozen=True)
class Batch:
    """A stretch of one lock's log as signed for one courier."""

    lock_id: bytes
    epoch: int
    boot: int
    ran: int
    """Seconds of the lock's own crystal since that boot, uncorrected."""
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
    return cbor.encode(
        [
            _VERSION,
            batch.lock_id,
            batch.epoch,
            batch.boot,
            batch.ran,
            batch.now,
            batch.courier,
            batch.acked,
            batch.first,
            batch.h_start,
            None if batch.gap is None else batch.gap.as_array(),
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
    values = fields.array(cbor.decode(message.payload, max_size=MAX_BATCH), 12, "batch")
    version, lock_id, epoch, boot, ran, now, courier, acked, first, h_start, gap, entries = values
    if version != _VERSION or isinstance(version, bool):
        raise ProtocolError("batch of another version")
    batch = Batch(
        lock_id=fields.octets(lock_id, LOCK_ID_LENGTH, "lock"),
        epoch=fields.uint(epoch, fields.MAX_COUNTER, "epoch"),
        boot=fields.uint(boot, fields.MAX_COUNTER, "boot"),
        ran=fields.uint(ran, fields.MAX_COUNTER, "seconds since boot"),
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
    first, last, digest, kept = fields.array(value, 4, "gap")
    return Gap(
        fields.uint(first, fields.MAX_COUNTER, "gap first"),
        fields.uint(last, fields.MAX_COUNTER, "gap last"),
        fields.octets(digest, HASH_LENGTH, "gap hash"),
        tuple(_parse_kept(one) for one in fields.items(kept, MAX_KEPT, "kept entries")),
    )


def _parse_kept(value: object) -> Kept:
    before, entry = fields.array(value, 2, "kept entry")
    return Kept(fields.octets(before, HASH_LENGTH, "chain hash before a kept entry"), Entry.parse(entry))


def _check(batch: Batch) -> None:
    if batch.first < 1 or batch.epoch < 1:
        raise ProtocolError("epochs and passage numbers start at 1")
    if [entry.seq for entry in batch.entries] != list(range(batch.first, batch.last + 1)):
        raise ProtocolError("batch entries are not numbered without a hole")
    if batch.first == 1 and batch.h_start != genesis(batch.lock_id, batch.epoch):
        raise ProtocolError("batch does not start at the epoch's genesis")
    if batch.gap is not None:
        _check_gap(batch.gap, batch)


def _check_gap(gap: Gap, batch: Batch) -> None:
    if not 1 <= gap.first <= gap.last < batch.first:
        raise ProtocolError("gap runs backwards or into the batch")
    if batch.first == gap.last + 1 and batch.h_start != gap.hash:
        raise ProtocolError("batch does not continue its gap's chain")
    before, after = 0, genesis(batch.lock_id, batch.epoch)
    for one in gap.kept:
        if not max(gap.first, before + 1) <= one.entry.seq <= gap.last:
            raise ProtocolError("kept entries are out of order or outside their gap")
        if one.entry.seq == before + 1 and one.hash_before != after:
            raise ProtocolError("kept entry does not continue the chain")
        before, after = one.entry.seq, one.hash
    if gap.kept and before == gap.last and after != gap.hash:
        raise ProtocolError("gap does not end in its kept entry's chain")
