"""Cutting power thousands of times: `python -m tests.lockagent.powercuts [--cuts N] [--locks N] [--seed N]`.

A story of appends, saves, receipts and floods runs on a forgetful disk (`blockdisk`) until the power goes at
some write or flush; the store comes back, is compared with a model that knows nothing of files, and the story
goes on from there, cut again and again on the same disk. The model: everything acknowledged and still due is
there, unaltered and chained; at most the one entry or record under way is there or is not; entries kept apart
are the newest of their kind. Nothing is ever taken for damage.

`--locks` cuts whole locks, core and store, in the middle of a day's work (`test_power`), and demands what
phones rely on: what was said is in the log, what was done was logged first, nothing is done twice.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from lockagent.core.disk import DiskQueue
from lockagent.core.events import AppendLog
from lockagent.core.journal import Journal
from lockagent.core.keeping import QUOTAS
from lockagent.records import Damage, StateImage
from lockagent.storage.store import LockStore
from protocol import log
from protocol.entries import Entry, EntryType
from tests.lockagent.bench import commissioned
from tests.lockagent.blockdisk import BlockDisk
from tests.lockagent.crashdisk import PowerCutError, seeded
from tests.lockagent.test_power import Story as Day
from tests.lockagent.test_power import assert_acts_once, assert_nothing_half_done

LOCK = b"lockid-8"
CAPACITY = 48
STEPS_OF_A_DAY = 46
OWN = {
    EntryType.TAMPER: (1, 1),
    EntryType.BOOT: (1, 1),
    EntryType.CLOCK: (1, 2),
    EntryType.RECEIPT_ALARM: (1, 1),
}
"""Entries that are kept apart, with a detail; the rest of the story is hand counts, which are not."""


@dataclass
class Model:
    """What must survive, told without files: numbers, entries, and the state record."""

    entries: dict[int, bytes] = field(default_factory=dict)
    under_way: bytes | None = None
    """The entry being written when the power went."""
    payload: bytes = b"0"
    payload_under_way: bytes | None = None
    acked: int = 0
    acked_under_way: int | None = None

    @property
    def head(self) -> int:
        return max(self.entries, default=0)

    def settle(self, *, head: int, payload: bytes, acked: int) -> None:
        """Take over what the boot says about what was under way."""
        if head == self.head + 1 and self.under_way is not None:
            self.entries[head] = self.under_way
        if payload == self.payload_under_way and acked == self.acked_under_way:
            self.payload, self.acked = payload, acked
        self.under_way = self.payload_under_way = self.acked_under_way = None

    def due(self) -> dict[int, bytes]:
        """Everything unreceipted that must be there: in the ring, or kept apart, the newest of a kind."""
        oldest = self.head - CAPACITY + 1
        due = {seq: data for seq, data in self.entries.items() if seq > max(self.acked, oldest)}
        kinds: dict[int, list[int]] = {}
        for seq in sorted(self.entries):
            if self.acked < seq <= oldest:
                kinds.setdefault(Entry.decode(self.entries[seq]).kind, []).append(seq)
        for kind, numbers in kinds.items():
            due |= {seq: self.entries[seq] for seq in numbers[-QUOTAS.get(kind, 0) :] if kind in QUOTAS}
        return due


class Story:
    """One store on one disk, told by chance from a seed, through any number of power cuts."""

    def __init__(self, seed: int) -> None:
        self.rng = seeded(seed)
        self.disk = BlockDisk()
        self.model = Model()
        self.cuts = 0
        self.kinds: Counter[str] = Counter()
        self._store().create(b"0")
        self.boot()

    def boot(self) -> None:
        """Read the store, hold it against the model, and go on from it."""
        self.store = self._store()
        boot = self.store.boot()
        assert (boot.state.epoch, boot.state.damage) == (1, Damage.NONE), "a cut was taken for damage"
        self.disk_queue = DiskQueue(self._write)
        self.journal = Journal(boot, lock_id=LOCK, capacity=CAPACITY, disk=self.disk_queue, now=lambda: 0)
        assert not self.journal.kept_lost, "a torn place was taken for a loss"
        head, model = self.journal.head, self.model
        assert head in (model.head, model.head + (model.under_way is not None)), "an entry came or went"
        allowed = {(model.payload, model.acked), (model.payload_under_way, model.acked_under_way)}
        assert (boot.state.payload, boot.state.acked) in allowed, "half a state"
        model.settle(head=head, payload=boot.state.payload, acked=boot.state.acked)
        found = {one.record.seq: one.record for one in boot.kept} | {one.seq: one for one in boot.records}
        for seq, data in model.due().items():
            assert found[seq].entry == data, f"entry {seq} is not what was acknowledged"
        for record in found.values():
            before = [model.entries[seq] for seq in range(1, record.seq)]
            if record.seq % 7 == 0:  # the whole chain, for a sample: it is long
                assert record.hash_before == log.chain(log.genesis(LOCK, 1), before), "chain broken"

    def run(self, cuts: int) -> None:
        """Go on until the power has been cut so often."""
        while self.cuts < cuts:
            self.disk.cut_at = self.disk.steps + self.rng.randint(1, 90)
            try:
                self._append(EntryType.BOOT, OWN[EntryType.BOOT])  # the first thing a lock does
                while True:
                    self._act()
            except PowerCutError:
                self.cuts += 1
                self.disk = self.disk.power_cycle(self.rng)
                self.boot()

    def _act(self) -> None:
        kind = self.rng.choices(("append", "own", "save", "receipt", "flood"), (8, 4, 2, 1, 0.3))[0]
        self.kinds[kind] += 1
        if kind == "append":
            self._append(EntryType.HAND_COUNT, (self.rng.randrange(2**31), 1))
        elif kind == "own":
            what = self.rng.choice(list(OWN))
            self._append(what, OWN[what])
        elif kind == "flood":
            for number in range(self.rng.randint(10, 2 * CAPACITY)):
                self._append(EntryType.HAND_COUNT, (number, 2))
        else:
            receipt = kind == "receipt" and self.rng.random() < 0.5
            self._save(self.rng.randint(self.model.acked, self.model.head) if receipt else self.model.acked)

    def _append(self, kind: EntryType, detail: tuple[int, int]) -> None:
        def stored(seq: int | None) -> None:
            assert seq is not None
            assert self.model.under_way is not None
            self.model.entries[seq] = self.model.under_way
            self.model.under_way = None

        self.journal.append(kind, detail, stored)
        while self._effects:
            effect = self._effects.pop()
            self.model.under_way = effect.record.entry
            self.store.append(effect.epoch, effect.record, effect.keep)
            self.disk_queue.stored(ok=True)

    def _save(self, acked: int) -> None:
        model = self.model
        size = self.rng.choice((1, 300, 9000))
        model.payload_under_way, model.acked_under_way = self.rng.randbytes(size), acked
        self.store.save(StateImage(1, acked, model.head, Damage.NONE, model.payload_under_way))
        model.payload, model.acked = model.payload_under_way, acked
        model.payload_under_way = model.acked_under_way = None
        self.journal.acked = acked

    def _write(self, effect: object) -> None:
        assert isinstance(effect, AppendLog)
        self._effects = [effect]

    def _store(self) -> LockStore:
        return LockStore(
            self.disk,
            genesis=lambda epoch: log.genesis(LOCK, epoch),
            step=log.link,
            readable=lambda entry: bool(Entry.decode(entry)),
            capacity=CAPACITY,
        )


def cut_locks(cuts: int, seed: int) -> None:
    """Cut so many locks at a step of their day drawn by lot."""
    for number in range(cuts):
        rng = seeded(seed + number)
        lock = commissioned(rng=rng, capacity=64, disk=BlockDisk())
        day = Day(lock)
        lock.disk.cut_at = lock.disk.steps + rng.randint(1, STEPS_OF_A_DAY)
        with contextlib.suppress(PowerCutError):
            day.tell()
        before = list(lock.motor.runs)
        lock.power_cut()
        assert_nothing_half_done(lock, day)
        assert_acts_once(lock, day, before)


def main() -> None:
    """Cut, and say what was done."""
    parser = argparse.ArgumentParser(prog="powercuts", description=__doc__)
    parser.add_argument("--cuts", type=int, default=20_000)
    parser.add_argument("--locks", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    options = parser.parse_args()
    began, cuts, entries = time.perf_counter(), 0, 0
    kinds: Counter[str] = Counter()
    while cuts < options.cuts:
        story = Story(options.seed + cuts)
        story.run(min(100, options.cuts - cuts))
        cuts, entries, kinds = cuts + story.cuts, entries + story.model.head, kinds + story.kinds
    told = ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds))
    print(f"{cuts} power cuts, {entries} entries, seed {options.seed}: nothing acknowledged was lost.")
    print(f"Acts: {told}. {time.perf_counter() - began:.0f} s.")
    if options.locks:
        began = time.perf_counter()
        cut_locks(options.locks, options.seed)
        print(f"{options.locks} locks cut at work: nothing half done. {time.perf_counter() - began:.0f} s.")


if __name__ == "__main__":
    main()
