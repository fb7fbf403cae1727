"""The log as the core sees it: numbers, chain, what is receipted, and what goes into a batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from lockagent.core.disk import DiskQueue
from lockagent.core.events import AppendLog
from lockagent.records import Boot, LogRecord
from protocol import log
from protocol.entries import Entry, EntryType
from protocol.log import Gap

BATCH_COST = 320
"""Bytes of a sealed batch that are not entries."""


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
        self._head_hash = log.genesis(lock_id, self.epoch)
        if self._records:
            newest = self._records[-1]
            self._head_hash = log.link(newest.hash_before, newest.entry)

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
        """How many entries are still to be carried home (those overwritten not counted)."""
        return self.head - max(self.acked, self._oldest - 1)

    def append(
        self,
        kind: EntryType,
        detail: tuple[Any, ...],
        then: Callable[[int | None], None],
        cti: bytes | None = None,
    ) -> None:
        """Log an entry; `then(seq)` when it is on the disk, `then(None)` when it could not be written."""
        made: list[LogRecord] = []

        def make() -> AppendLog:
            seq = self.head + 1
            entry = Entry(seq=seq, time=self._now(), kind=kind, token_id=cti, detail=detail)
            made.append(LogRecord(seq, self._head_hash, entry.encode()))
            return AppendLog(self.epoch, made[0])

        def stored(ok: bool) -> None:
            if ok:
                self._records.append(made[0])
                self._head_hash = log.link(made[0].hash_before, made[0].entry)
            then(made[0].seq if ok else None)

        self._disk.push(make, stored)

    def hash_after(self, seq: int) -> bytes | None:
        """The chain hash after entry `seq`, or None when the lock does not know it (any more)."""
        if seq == self.head:
            return self._head_hash
        at = seq + 1 - self._oldest
        return self._records[at].hash_before if 0 <= at < len(self._records) else None

    def gap(self) -> Gap | None:
        """What was overwritten before it was receipted."""
        last = self._oldest - 1
        if last <= self.acked:
            return None
        return Gap(self.acked + 1, last, self._records[0].hash_before)

    def first_unreceipted(self) -> int:
        """Number of the oldest entry that is still to be carried home; head + 1 when there is none."""
        return max(self.acked + 1, self._oldest)

    def reach(self, first: int, max_bytes: int) -> int:
        """The last entry number that a sealed batch of `max_bytes` starting at `first` has room for."""
        room, last = max_bytes - BATCH_COST, first - 1
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

    @property
    def _oldest(self) -> int:
        return self._records[0].seq if self._records else 1

    def _from(self, first: int) -> Iterable[LogRecord]:
        return (record for record in self._records if record.seq >= first)
