"""One run over the histories that an upload touches: hold them, weigh the batches, store what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from protocol import log
from protocol.batchhead import Head
from server.locks.domain.firmware import learn_versions
from server.locks.domain.receipts import sign_receipts
from server.locks.models import Binding, Lock, LockStatus, LogPosition
from server.locks.queries import mark_known
from server.passages import intake_queries as queries
from server.passages.domain.deviations import about_log, from_passages, open_deviations
from server.passages.domain.drift import note as note_clock
from server.passages.domain.history import FORKED, HELD, History, Verdict
from server.passages.domain.meanwhile import classify
from server.passages.domain.opening import Opened
from server.passages.domain.rows import COLUMNS, Told, make_rows
from server.passages.intake_queries import Epoch, Key
from server.passages.live import notify_passages
from server.passages.models import BatchHead, Deviation, LockClock, LogGap, Passage
from server.tenancy.bulk import insert_rows
from server.tenancy.models import Municipality


@dataclass
class Run:
    """The state of one run; everything happens in the caller's transaction."""

    municipality: Municipality
    at: datetime
    positions: dict[Epoch, LogPosition] = field(default_factory=dict)
    histories: dict[Epoch, History] = field(default_factory=dict)
    statuses: dict[int, LockStatus] = field(default_factory=dict)
    clocks: dict[int, LockClock] = field(default_factory=dict)
    locks: dict[int, Lock] = field(default_factory=dict)
    deviations: list[Deviation] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    """Bindings whose bulletin has a newer receipt to bring."""

    def hold(self, batches: Sequence[Opened]) -> None:
        """Lock the log positions concerned, making those of new epochs."""
        self.locks = {one.lock.pk: one.lock for one in batches}
        wanted = {_epoch(one) for one in batches}
        before = queries.newest_epochs(self.locks)
        LogPosition.objects.bulk_create(
            (self._new_position(epoch) for epoch in sorted(wanted)), ignore_conflicts=True
        )
        self.positions = queries.hold_positions(wanted)
        for epoch, position in self.positions.items():
            self.histories[epoch] = History(
                position.acked_seq,
                bytes(position.acked_hash),
                known_hash=partial(queries.stored_hash, epoch),
                known_link=partial(queries.stored_link, epoch),
                erased=partial(queries.erased, epoch),
            )
            if epoch[1] > before.get(epoch[0], epoch[1]):
                lock = self.locks[epoch[0]]
                self.deviations.append(about_log(Deviation.Kind.NEW_EPOCH, lock, at=self.at))
        self.statuses = queries.statuses(self.locks)
        LockClock.objects.bulk_create(
            (LockClock(municipality=self.municipality, lock_id=pk) for pk in sorted(self.locks)),
            ignore_conflicts=True,
        )
        self.clocks = {one.lock_id: one for one in LockClock.objects.filter(lock__in=self.locks)}
        for pk in self.locks.keys() - self.statuses.keys():
            self.statuses[pk] = LockStatus.objects.create(municipality=self.municipality, lock_id=pk)

    def _new_position(self, epoch: Epoch) -> LogPosition:
        return LogPosition(
            municipality=self.municipality,
            lock_id=epoch[0],
            epoch=epoch[1],
            acked_seq=0,
            acked_hash=log.genesis(bytes(self.locks[epoch[0]].lock_id), epoch[1]),
        )

    def weigh(self, batches: Iterable[Opened]) -> dict[bytes, Verdict]:
        """Return a verdict on every batch; earlier numbers first, and again as long as holes are filled."""
        verdicts: dict[bytes, Verdict] = {}
        pending = sorted(batches, key=lambda one: (_epoch(one), one.body.first, one.body.last))
        for one in pending:
            status = self.statuses[one.lock.pk]
            status.boot = max(status.boot or 0, one.body.boot)
            note_clock(status, self.clocks[one.lock.pk], one.body, at=self.at)
        moved = True
        while pending and moved:
            waiting = []
            for one in pending:
                verdict = verdicts[one.digest] = self.histories[_epoch(one)].take(one)
                if verdict.status == HELD:
                    waiting.append(one)
                if verdict.code == FORKED:
                    self.deviations.append(about_log(Deviation.Kind.LOG_FORKED, one.lock, at=self.at))
            moved = len(waiting) < len(pending)
            pending = waiting
        return verdicts

    def settle(self, batches: Mapping[bytes, int]) -> dict[bytes, int]:
        """Store everything accepted; returns how many new passages each batch (by digest) brought."""
        told = make_rows(
            self.histories,
            statuses=self.statuses,
            batches=batches,
            municipality_id=self.municipality.pk,
            at=self.at,
        )
        inserted = insert_rows(Passage, COLUMNS, told.rows, new=("id", "lock", "epoch", "seq"))
        new: dict[Key, int] = {(lock, epoch, seq): pk for pk, lock, epoch, seq in inserted}
        LockClock.objects.bulk_update(self.clocks.values(), ["boot", "weeks"])
        self._store_heads()
        self._store_gaps()
        self._advance()
        self._learn(told, new)
        self.deviations += from_passages(told, new, municipality_id=self.municipality.pk, at=self.at)
        open_deviations(self.deviations)
        classify([new[key] for key in told.revoked if key in new], at=self.at)
        notify_passages(self.municipality.pk, list(new.values()))
        return self._counted(new)

    def _store_heads(self) -> None:
        """Keep what the locks signed over what was taken in, and over what they say was overwritten."""
        kept = {id(one.source): one.source for h in self.histories.values() for one in h.accepted.values()}
        kept |= {id(one): one for h in self.histories.values() for one in h.with_gap}
        BatchHead.objects.bulk_create(
            (
                BatchHead(
                    municipality=self.municipality,
                    lock_id=one.lock.pk,
                    epoch=one.body.epoch,
                    first_seq=one.body.first,
                    last_seq=one.body.last,
                    document=Head.of(one.body, one.signature).encode(),
                )
                for one in kept.values()
            ),
            ignore_conflicts=True,
        )

    def _counted(self, new: Mapping[Key, int]) -> dict[bytes, int]:
        counts: dict[bytes, int] = defaultdict(int)
        for epoch, history in self.histories.items():
            for seq, one in history.accepted.items():
                counts[one.source.digest] += (*epoch, seq) in new
        return counts

    def _advance(self) -> None:
        """Move the positions on and sign receipts for where they stand now."""
        moved = []
        for epoch, history in self.histories.items():
            position = self.positions[epoch]
            if history.seq > position.acked_seq:
                position.acked_seq, position.acked_hash = history.seq, history.hash
                moved.append(position)
        sign_receipts(moved, municipality_id=self.municipality.pk, at=self.at)
        locks = {position.lock_id for position in moved}
        self.touched |= set(
            Binding.objects.filter(lock__in=locks, ends_at__isnull=True).values_list("pk", flat=True)
        )

    def _store_gaps(self) -> None:
        for epoch, history in self.histories.items():
            for hole in history.holes:
                LogGap.objects.get_or_create(
                    municipality=self.municipality,
                    lock_id=epoch[0],
                    epoch=epoch[1],
                    first_seq=hole.first,
                    defaults={"last_seq": hole.last, "signed": hole.signed, "noticed_at": self.at},
                )
                self.deviations.append(about_log(Deviation.Kind.LOG_GAP, self.locks[epoch[0]], at=self.at))
        for gap in queries.open_gaps(self.locks):
            if queries.stored_in(gap) == gap.last_seq - gap.first_seq + 1:
                LogGap.objects.filter(pk=gap.pk).update(closed_at=self.at)

    def _learn(self, told: Told, new: Mapping[Key, int]) -> None:
        """Note what the passages say of locks, bindings and bulletins."""
        if not new:
            return
        Binding.objects.filter(pk__in=told.bound, commissioned_at__isnull=True).update(
            commissioned_at=self.at
        )
        for binding, seq in told.bulletins.items():
            mark_known(binding, up_to_seq=seq, at=self.at)
        learn_versions(told.programs)
        for row in told.rows:
            self._learn_row(self.statuses[row[1]], dict(zip(COLUMNS, row, strict=True)))
        LockStatus.objects.bulk_update(
            self.statuses.values(),
            [
                "last_contact_at",
                "last_passage_at",
                "battery_percent",
                "battery_at",
                "clock_uncertain",
                "clock_offset_s",
                "clock_ppm",
                "bulletin_seq",
                "boot",
            ],
        )

    def _learn_row(self, status: LockStatus, row: dict[str, object]) -> None:
        happened, detail = row["happened_at"], row["detail"]
        assert isinstance(happened, datetime)  # noqa: S101
        assert isinstance(detail, dict)  # noqa: S101
        status.last_contact_at = self.at
        if status.last_passage_at is not None and happened < status.last_passage_at:
            return
        status.last_passage_at = happened
        percent = detail.get("battery") if row["kind"] == "outcome" else detail.get("percent")
        if percent is not None and _is_of_these_batteries(status, happened):
            status.battery_percent, status.battery_at = min(percent, 100), happened
        status.bulletin_seq = detail.get("bulletin_seq") or status.bulletin_seq


def _is_of_these_batteries(status: LockStatus, happened: datetime) -> bool:
    """Say whether a level is not one of the batteries that were taken out; a late log may tell of those."""
    if status.battery_changed_at is None or happened > status.battery_changed_at:
        return True
    # A lock that lost its power dates too early for a while, but it has booted since.
    return (status.boot or 0) > (status.battery_changed_boot or 0)


def _epoch(batch: Opened) -> Epoch:
    return batch.lock.pk, batch.body.epoch
