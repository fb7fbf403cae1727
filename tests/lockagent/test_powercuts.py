"""Rule 6 on a disk that loses any subset of what was not flushed: a sample of `tests.lockagent.powercuts`."""

from __future__ import annotations

import contextlib

import pytest

from lockagent.core.disk import DiskQueue
from lockagent.core.events import AppendLog, SaveState
from lockagent.core.journal import Journal
from lockagent.storage.ring import CAPACITY
from lockagent.storage.store import LockStore
from protocol import log
from protocol.entries import Entry, EntryType, Granted, OutcomeDetail
from protocol.messages import Command, OutcomeCode
from tests.lockagent.blockdisk import BlockDisk
from tests.lockagent.crashdisk import PowerCutError, seeded
from tests.lockagent.powercuts import LOCK, Story, cut_locks

PASSAGES = 4000


@pytest.mark.parametrize("seed", range(2))
def test_rule_06_a_store_cut_again_and_again_agrees_with_the_model(seed: int) -> None:
    story = Story(seed)
    story.run(cuts=50)
    assert story.cuts == 50


def test_rule_06_whole_locks_cut_at_work_do_nothing_by_halves() -> None:
    cut_locks(6, seed=7)


def test_rule_06_making_a_lock_is_cut_at_each_step_and_can_begin_anew() -> None:
    """Without a state record there is no store; with one, it is whole."""
    whole = BlockDisk()
    _store(whole).create(b"blank")
    for at in range(1, whole.steps + 1):
        disk = BlockDisk(cut_at=at)
        with contextlib.suppress(PowerCutError):
            _store(disk).create(b"blank")
        survivor = disk.power_cycle(seeded(at))
        if survivor.read("state") is None:
            _store(survivor).create(b"blank")
        boot = _store(survivor).boot()
        assert (boot.state.payload, boot.records, boot.kept_unreadable) == (b"blank", [], 0)


def test_rule_05_memory_holds_four_thousand_passages_each_with_its_relocking() -> None:
    """Granted, outcome, relocked: three entries a passage, none receipted, and none is overwritten."""
    disk = BlockDisk()
    store = _store(disk, CAPACITY)
    store.create(b"")

    def carry_out(effect: AppendLog | SaveState) -> None:
        assert isinstance(effect, AppendLog)
        store.append(effect.epoch, effect.record, effect.keep)

    queue = DiskQueue(carry_out)
    journal = Journal(store.boot(), lock_id=LOCK, capacity=CAPACITY, disk=queue, now=lambda: 2_000_000_000)

    def append(kind: EntryType, detail: tuple[object, ...], cti: bytes | None = None) -> None:
        journal.append(kind, detail, lambda seq: None, cti)
        queue.stored(ok=True)

    for number in range(PASSAGES):
        granted = Granted(Command.OPEN, number.to_bytes(8, "big"), b"phone--8", 300, 70_000)
        append(EntryType.GRANTED, granted.detail(), b"token--8")
        append(EntryType.OUTCOME, OutcomeDetail(journal.head, OutcomeCode.MOVED, 88).detail(), b"token--8")
        append(EntryType.RELOCKED, (journal.head - 1, 0))
    boot = _store(disk, CAPACITY).boot()
    again = Journal(boot, lock_id=LOCK, capacity=CAPACITY, disk=queue, now=lambda: 0)
    kinds = [Entry.decode(record.entry).kind for record in boot.records]
    assert kinds.count(EntryType.GRANTED) == PASSAGES
    assert (again.gap(), again.unreceipted) == (None, 3 * PASSAGES)


def _store(disk: BlockDisk, capacity: int = 16) -> LockStore:
    return LockStore(disk, genesis=lambda epoch: log.genesis(LOCK, epoch), step=log.link, capacity=capacity)
