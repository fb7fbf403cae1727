"""The head of a batch: what a lock signed over a stretch of its log, kept apart from the entries themselves.

Head and entries together are again the batch that the lock signed, so the signature stays verifiable for as
long as both are kept, without the sealed document.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocol import cbor, fields, log
from protocol.entries import Entry
from protocol.keys import SIGNATURE_LENGTH, VerifyKey
from protocol.log import FINGERPRINT_LENGTH, HASH_LENGTH, MAX_ENTRIES, Batch, Gap

MAX_SIZE = log.MAX_BATCH


@dataclass(frozen=True)
class Head:
    """A signed batch without its entries."""

    boot: int
    ran: int
    now: int
    courier: bytes
    acked: int
    first: int
    h_start: bytes
    gap: Gap | None
    count: int
    signature: bytes

    @property
    def last(self) -> int:
        """The number of the last entry, ``first - 1`` when there is none."""
        return self.first + self.count - 1

    @classmethod
    def of(cls, batch: Batch, signature: bytes) -> "Head":
        """The head of a signed batch."""
        return cls(
            batch.boot,
            batch.ran,
            batch.now,
            batch.courier,
            batch.acked,
            batch.first,
            batch.h_start,
            batch.gap,
            len(batch.entries),
            signature,
        )

    def encode(self) -> bytes:
        """The encoded head."""
        return cbor.encode(
            [
                self.boot,
                self.ran,
                self.now,
                self.courier,
                self.acked,
                self.first,
                self.h_start,
                None if self.gap is None else self.gap.as_array(),
                self.count,
                self.signature,
            ]
        )

    @classmethod
    def decode(cls, data: bytes) -> "Head":
        """Parse an encoded head."""
        values = fields.array(cbor.decode(data, max_size=MAX_SIZE), 10, "batch head")
        boot, ran, now, courier, acked, first, h_start, gap, count, signature = values
        return cls(
            boot=fields.uint(boot, fields.MAX_COUNTER, "boot"),
            ran=fields.uint(ran, fields.MAX_COUNTER, "seconds since boot"),
            now=fields.time(now, "lock time"),
            courier=fields.octets(courier, FINGERPRINT_LENGTH, "courier"),
            acked=fields.uint(acked, fields.MAX_COUNTER, "acked"),
            first=fields.uint(first, fields.MAX_COUNTER, "first"),
            h_start=fields.octets(h_start, HASH_LENGTH, "h_start"),
            gap=None if gap is None else log.parse_gap(gap),
            count=fields.uint(count, MAX_ENTRIES, "entries"),
            signature=fields.octets(signature, SIGNATURE_LENGTH, "signature"),
        )

    def verify(self, lock: VerifyKey, epoch: int, entries: Sequence[Entry]) -> None:
        """Raise ProtocolError or SignatureError unless the lock signed this head with just these entries."""
        batch = Batch(
            lock.kid,
            epoch,
            self.boot,
            self.ran,
            self.now,
            self.courier,
            self.acked,
            self.first,
            self.h_start,
            self.gap,
            tuple(entries),
        )
        log.verify_detached(batch, self.signature, lock)
