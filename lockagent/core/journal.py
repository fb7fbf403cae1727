"""The log as the core sees it: numbers, chain, what is receipted, and what goes into a batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import chain, islice
from typing import Any

from lockagent.core.disk import DiskQueue
from lockagent.core.events import AppendLog
from lockagent.core.keeping import Keeping
from lockagent.records import Boot, KeptRecord, LogRecord
from protocol import log
from protocol.entries import Entry, EntryType
from protocol.log import Gap, Kept

BATCH_COST = 320
"""Bytes of a sealed batch that are neither entries nor kept."""
KEPT_COST = 36
"""What a kept entry costs beside its own bytes: the chain hash before it, and two heads."""
NEWS_ROOM = 256
"""Bytes of a batch that the entries kept apart leave to the others."""


class Journal:
    """Appends entries one after the other; nothing is believed logged before the disk said so."""

    def __init__(
        self, boot: Boot, *, lock_id: bytes, capacity: int, disk: DiskQueue, now: Callable[[], int]
    ) -> None:
        self.epoch = boot.state.epoch
        self.acked = boot.state.acked
        self._records: deque[LogRecord] = deque(boot.records, maxlen=capacity)
        self._lock_id = lock_id
        self._disk = disk
        self._now = now
        self._keeping = Keeping(boot.kept)
        self._head_hash = log.genesis(lock_id, self.epoch)
        if self._records:
            newest = self._records[-1]
            self._head_hash = log.link(newest.hash_before, newest.entry)
        # A place that the power cut tore while its entry was still in the ring has lost nothing.
        torn = 1 if self._overwritten_next() is not None else 0
        self.kept_lost = boot.kept_unreadable > torn
        """Whether entries kept apart cannot be read any more."""

    @property
    def head(self) -> int:
        """Number of the newest entry on the disk; 0 when there is none."""
        return self._records[-1].seq if self._records else 0

    @property
    def newest_time(self) -> int:
        """Time of the newest entry; 0 when there is none."""
        return Entry.decode(self._records[-1].entry).time if self._records else 0

    @property
    def unreceipted(self) -> int:
        """How many entries are still to be carried home (those lost not counted)."""
        apart = self._keeping.before(self._oldest, acked=self.acked)
        return self.head - max(self.acked, self._oldest - 1) + len(apart)

    def append(
        self,
        kind: EntryType,
        detail: tuple[Any, ...],
        then: Callable[[int | None], None],
        cti: bytes | None = None,
    ) -> None:
        """Log an entry; `then(seq)` when it is on the disk, `then(None)` when it could not be written."""
        made: list[LogRecord] = []
        keep: list[KeptRecord | None] = []

        def make() -> AppendLog:
            seq = self.head + 1
            entry = Entry(seq=seq, time=self._now(), kind=kind, token_id=cti, detail=detail)
            made.append(LogRecord(seq, self._head_hash, entry.encode()))
            keep.append(self._overwritten_next())
            return AppendLog(self.epoch, made[0], keep[0])

        def stored(ok: bool) -> None:
            if ok:
                if keep[0] is not None:
                    self._keeping.add(keep[0])
                self._records.append(made[0])
                self._head_hash = log.link(made[0].hash_before, made[0].entry)
            then(made[0].seq if ok else None)

        self._disk.push(make, stored)

    def ended(self, binding: bytes) -> bool:
        """Whether the newest word on a binding in the log is that it has ended."""
        for record in reversed(self._records):
            entry = Entry.decode(record.entry)
            if entry.kind in (EntryType.BOUND, EntryType.UNBOUND):
                return entry.kind == EntryType.UNBOUND and entry.detail[0] == binding
        return False

    def hash_after(self, seq: int) -> bytes | None:
        """The chain hash after entry `seq`, or None when the lock does not know it (any more)."""
        if seq == self.head:
            return self._head_hash
        at = seq + 1 - self._oldest
        if at >= 0:
            return self._records[at].hash_before if at < len(self._records) else None
        for record in self._keeping.before(self._oldest, acked=self.acked):
            if record.seq == seq:
                return log.link(record.hash_before, record.entry)
            if record.seq == seq + 1:
                return record.hash_before
        return None

    def numbers(self, first: int) -> Iterable[int]:
        """The numbers of everything that is there from `first` on."""
        apart = self._keeping.before(self._oldest, acked=self.acked)
        older = (record.seq for record in apart if record.seq >= first)
        return chain(older, range(max(first, self._oldest), self.head + 1))

    def gap(self, max_bytes: int = log.MAX_BATCH) -> Gap | None:
        """What was overwritten before it was receipted, as far as a sealed batch of `max_bytes` can say it.

        It ends before an entry that was kept and for which there is no room: that one is to come home first.
        """
        last = self._oldest - 1
        if last <= self.acked:
            return None
        room = max_bytes - BATCH_COST - NEWS_ROOM
        kept: list[LogRecord] = []
        for record in self._keeping.before(self._oldest, acked=self.acked):
            room -= len(record.entry) + KEPT_COST
            if room < 0:
                return self._gap(record.seq - 1, record.hash_before, kept)
            kept.append(record)
        return self._gap(last, self._records[0].hash_before, kept)

    def _gap(self, last: int, digest: bytes, kept: list[LogRecord]) -> Gap | None:
        if last <= self.acked:
            return None
        told = tuple(Kept(record.hash_before, Entry.decode(record.entry)) for record in kept)
        return Gap(self.acked + 1, last, digest, told)

    def first_unreceipted(self, max_bytes: int = log.MAX_BATCH) -> int:
        """Number of the oldest entry that is still to be carried home; head + 1 when there is none.

        For a courier of `max_bytes` that may be one kept apart, with only as much of the gap before it.
        """
        gap = self.gap(max_bytes)
        return max(self.acked, gap.last if gap is not None else 0) + 1

    def reach(self, first: int, max_bytes: int, gap_bytes: int | None = None) -> int:
        """The last entry number that a sealed batch of `max_bytes` starting at `first` has room for.

        `gap_bytes`: what the gap in it was made for, `max_bytes` when None.
        """
        gap = self.gap(max_bytes if gap_bytes is None else gap_bytes)
        kept = gap.kept if gap is not None else ()
        taken = sum(len(one.entry.encode()) + KEPT_COST for one in kept)
        room, last = max_bytes - BATCH_COST - taken, first - 1
        for record in self._from(first):
            room -= len(record.entry)
            if room < 0 or record.seq - first >= log.MAX_ENTRIES:
                break
            last = record.seq
        return last

    def stretch(self, first: int, last: int) -> tuple[bytes, tuple[Entry, ...]]:
        """Return (chain hash before `first`, the entries `first` to `last`)."""
        records = [record for record in self._from(first) if record.seq <= last]
        before = records[0].hash_before if records else self._head_hash
        return before, tuple(Entry.decode(record.entry) for record in records)

    def since(self, first: int) -> Iterable[Entry]:
        """The entries from `first` on, as far as they have not been overwritten."""
        records = islice(self._records, max(0, first - self._oldest), None)
        return (Entry.decode(record.entry) for record in records)

    @property
    def _oldest(self) -> int:
        return self._records[0].seq if self._records else 1

    def _from(self, first: int) -> Iterable[LogRecord]:
        """The records from `first` on, up to the next that is missing."""
        if first >= self._oldest:
            return islice(self._records, first - self._oldest, None)
        apart = [one for one in self._keeping.before(self._oldest, acked=self.acked) if one.seq >= first]
        run = [one for place, one in enumerate(apart) if one.seq == first + place]
        return chain(run, self._records) if run and run[-1].seq == self._oldest - 1 else run

    def _overwritten_next(self) -> KeptRecord | None:
        """What the next entry overwrites, with its place, if it is to be kept."""
        if len(self._records) < (self._records.maxlen or 0):
            return None
        oldest = self._records[0]
        place = self._keeping.place_for(oldest, self.acked)
        return None if place is None else KeptRecord(place, oldest)
