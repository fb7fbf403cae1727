"""One lock's history in one log epoch: does a batch continue it, repeat it, run ahead of it or contradict it?

Pure but for two look-ups. Because entries are hash-chained, one equal hash proves every entry before it
equal: a batch is compared at a single number, the last one that both sides know.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from protocol import log
from protocol.entries import Entry
from protocol.log import Gap
from server.passages.domain.opening import Opened

STORED, HELD, REJECTED = "stored", "held", "rejected"
FORKED = "history_forked"


@dataclass(frozen=True)
class Verdict:
    """What becomes of a batch: a status, and a reason code where there is one."""

    status: str
    code: str = ""


@dataclass(frozen=True)
class Hole:
    """Numbers that will not come: overwritten, as the lock itself signed, or lost at the server."""

    first: int
    last: int
    signed: bool


@dataclass(frozen=True)
class Accepted:
    """An entry to be stored."""

    entry: Entry
    encoded: bytes
    hash: bytes
    source: Opened


@dataclass
class History:
    """How far the history is known without a hole, and what this run adds to it."""

    seq: int
    hash: bytes
    known_hash: Callable[[int], bytes | None]
    """The stored chain hash after a number, None where the number is not stored."""
    known_link: Callable[[int], tuple[bytes, bytes] | None]
    """The stored entry of a number and the chain hash after it, None where the number is not stored."""
    erased: Callable[[int, int], set[int]] = field(default=lambda _first, _last: set())
    """Numbers of a range that were stored once and have been erased after their time."""
    accepted: dict[int, Accepted] = field(default_factory=dict)
    holes: list[Hole] = field(default_factory=list)
    with_gap: list[Opened] = field(default_factory=list)
    """Batches whose record of overwritten entries was believed."""

    def take(self, batch: Opened) -> Verdict:
        """Weigh one batch, and take in what of it continues or fills the history."""
        if not self._take_gap(batch):
            return Verdict(REJECTED, FORKED)
        start, last = batch.body.first - 1, batch.body.last
        if not batch.body.entries:
            return Verdict(STORED)
        if start > self.seq:
            if batch.body.acked < start:
                return Verdict(HELD, "waits_for_earlier")
            # The lock holds our receipt for what is missing here: we lost it, and must not wait for ever.
            self.holes.append(Hole(self.seq + 1, start, signed=False))
            self.seq, self.hash = start, batch.body.h_start
        if last <= self.seq:
            return self._repeat(batch)
        if batch.hash_after(self.seq) != self.hash:
            return Verdict(REJECTED, FORKED)
        self._accept(batch, after=self.seq)
        self.seq, self.hash = last, batch.hash_after(last)
        return Verdict(STORED)

    def _take_gap(self, batch: Opened) -> bool:
        """Take in the lock's record of overwritten entries; False when it contradicts what is known."""
        gap = batch.body.gap
        if gap is None:
            return True
        if any(self._known(one.entry.seq) not in (None, one.hash) for one in gap.kept):
            return False
        if gap.last <= self.seq:
            known = self._known(gap.last)
            return known is None or known == gap.hash
        if gap.first <= self.seq + 1:
            lost = [(max(first, self.seq + 1), last) for first, last in gap.lost() if last > self.seq]
            self.holes += [Hole(first, last, signed=True) for first, last in lost]
            self._accept_kept(gap, batch)
            self.with_gap.append(batch)
            self.seq, self.hash = gap.last, gap.hash
        return True

    def _accept_kept(self, gap: Gap, batch: Opened) -> None:
        """Take in what the lock kept of the entries that it overwrote."""
        for one in gap.kept:
            if one.entry.seq > self.seq:
                accepted = Accepted(one.entry, one.entry.encode(), one.hash, batch)
                self.accepted.setdefault(one.entry.seq, accepted)

    def _repeat(self, batch: Opened) -> Verdict:
        """Compare what should be known already; numbers that a hole had swallowed are still welcome."""
        body = batch.body
        for number in (body.last, body.first - 1):
            known = self._known(number)
            if known is not None and known != batch.hash_after(number):
                return Verdict(REJECTED, FORKED)
            if known is not None and number == body.last:
                break
        if not self._leads_on(batch):
            return Verdict(REJECTED, FORKED)
        self._accept(batch, after=body.first - 1, but=self._gone(body.first, body.last))
        return Verdict(STORED)

    def _gone(self, first: int, last: int) -> set[int]:
        """Return numbers that have been erased: a late courier must not bring them back."""
        swallowed = {
            number
            for hole in self.holes  # which a lock may say is as long as all numbers there are
            for number in range(max(hole.first, first), min(hole.last, last) + 1)
        }
        return self.erased(first, last) - swallowed

    def _leads_on(self, batch: Opened) -> bool:
        """Return whether what is stored after the batch is chained to it: what fills a hole must fit."""
        last = batch.body.last
        if last >= self.seq or self._known(last) is not None:
            return True
        after = self.accepted.get(last + 1)
        link = (after.encoded, after.hash) if after is not None else self.known_link(last + 1)
        return link is None or log.link(batch.hash_after(last), link[0]) == link[1]

    def _accept(self, batch: Opened, *, after: int, but: Collection[int] = ()) -> None:
        for entry, encoded, digest in zip(batch.body.entries, batch.encoded, batch.hashes, strict=True):
            if entry.seq > after and entry.seq not in but:
                self.accepted.setdefault(entry.seq, Accepted(entry, encoded, digest, batch))

    def _known(self, seq: int) -> bytes | None:
        if seq == self.seq:
            return self.hash
        if seq in self.accepted:
            return self.accepted[seq].hash
        return self.known_hash(seq)
