"""The log ring under power cuts, torn writes, wrap-around and damage, against a model."""

from __future__ import annotations

import contextlib
import hashlib
import random
from dataclasses import dataclass, field, replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockagent.records import Boot, Damage, LogRecord, StateImage
from lockagent.storage.port import StorageError, StorageProblem
from lockagent.storage.slot import SLOT_SIZE, pack, unpack
from lockagent.storage.store import LockStore, NoStoreError
from tests.lockagent.crashdisk import CrashDisk, PowerCutError, seeded

CAPACITY = 16


def step(before: bytes, entry: bytes) -> bytes:
    return hashlib.sha256(b"\x02" + before + entry).digest()


def genesis(epoch: int) -> bytes:
    return hashlib.sha256(epoch.to_bytes(8, "big")).digest()


def opened(disk: CrashDisk) -> LockStore:
    return LockStore(disk, genesis=genesis, step=step, capacity=CAPACITY)


@dataclass
class Writer:
    """A minimal core: numbers and chains entries, saves state, remembers what was acknowledged."""

    store: LockStore
    image: StateImage
    head_hash: bytes
    acknowledged: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def at_boot(cls, store: LockStore) -> Writer:
        boot = store.boot()
        newest = boot.records[-1] if boot.records else None
        head = step(newest.hash_before, newest.entry) if newest else genesis(boot.state.epoch)
        image = replace(boot.state, head=newest.seq if newest else 0)
        return cls(store, image, head, {record.seq: record.entry for record in boot.records})

    def append(self, entry: bytes) -> None:
        record = LogRecord(self.image.head + 1, self.head_hash, entry)
        self.store.append(self.image.epoch, record)
        self.image = replace(self.image, head=record.seq)
        self.head_hash = step(record.hash_before, entry)
        self.acknowledged[record.seq] = entry

    def save(self, *, acked: int | None = None, payload: bytes | None = None) -> None:
        image = replace(
            self.image,
            acked=self.image.acked if acked is None else acked,
            payload=self.image.payload if payload is None else payload,
        )
        self.store.save(image)
        self.image = image


def fresh() -> tuple[CrashDisk, Writer]:
    disk = CrashDisk()
    opened(disk).create(b"p0")
    return disk, Writer.at_boot(opened(disk))


def assert_holds(boot: Boot, writer: Writer) -> None:
    """Everything acknowledged that the ring has room for is there, unaltered, and at most one more."""
    assert boot.state.damage is Damage.NONE
    assert boot.state.epoch == 1
    newest = max(writer.acknowledged, default=0)
    found = {record.seq: record.entry for record in boot.records}
    assert max(found, default=0) in (newest, newest + 1)
    # The slot after the newest may have been torn while it was overwriting the oldest.
    for seq in range(max(1, newest - CAPACITY + 2), newest + 1):
        assert found[seq] == writer.acknowledged[seq]
    assert boot.state.acked >= writer.image.acked


def disk_full_at(failing: str, operation: str, name: str) -> StorageProblem | None:
    return StorageProblem.FULL if operation == failing else None


def test_no_store_is_said_plainly() -> None:
    with pytest.raises(NoStoreError, match="run init first"):
        opened(CrashDisk()).boot()


def test_slot_carries_everything_back() -> None:
    record = LogRecord(7, bytes(range(32)), b"entry")
    slot = unpack(pack(3, 9, record))
    assert slot is not None
    assert (slot.epoch, slot.generation, slot.record) == (3, 9, record)


def test_too_large_an_entry_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        pack(1, 1, LogRecord(1, bytes(32), bytes(195)))


@pytest.mark.parametrize("at", range(0, SLOT_SIZE, 5))
def test_any_altered_byte_of_a_slot_is_noticed(at: int) -> None:
    slot = bytearray(pack(3, 9, LogRecord(7, bytes(32), b"entry")))
    slot[at] ^= 0x40
    assert unpack(bytes(slot)) is None


def test_rule_06_power_cut_at_every_write_and_flush_loses_nothing_acknowledged() -> None:
    """One fixed story, cut at each of its steps, with ten fates for the unflushed bytes each time."""

    def story(writer: Writer) -> None:
        for number in range(1, 40):
            writer.append(f"entry {number}".encode())
            if number % 5 == 0:
                writer.save(acked=number - 3, payload=f"p{number}".encode())

    disk, writer = fresh()
    start = disk.steps
    story(writer)
    length = disk.steps - start
    cuts = 0
    for at in range(1, length + 1):
        for fate in range(10):
            disk, writer = fresh()
            disk.cut_at = disk.steps + at
            with pytest.raises(PowerCutError):
                story(writer)
            survivor = disk.power_cycle(seeded(at * 1000 + fate))
            assert_holds(opened(survivor).boot(), writer)
            cuts += 1
    assert cuts > 1000


actions = st.lists(
    st.one_of(
        st.tuples(st.just("append"), st.binary(min_size=1, max_size=150)),
        st.tuples(st.just("save"), st.binary(max_size=3000)),
        st.tuples(st.just("ack"), st.integers(0, 100)),
        st.tuples(st.just("reboot"), st.none()),
        st.tuples(st.just("fail"), st.sampled_from(["write", "sync"])),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(actions, st.integers(1, 160), st.randoms(use_true_random=False))
def test_rule_06_any_story_with_cuts_and_failures_agrees_with_the_model(
    story: list[tuple[str, object]], cut: int, rng: random.Random
) -> None:
    disk, writer = fresh()
    disk.cut_at = disk.steps + cut
    for action, value in story:
        try:
            match action, value:
                case "append", bytes() as entry:
                    writer.append(entry)
                case "save", bytes() as payload:
                    writer.save(payload=payload)
                case "ack", int() as percent:
                    writer.save(acked=max(writer.image.acked, writer.image.head * percent // 100))
                case "fail", str() as operation:
                    disk.fail = partial(disk_full_at, operation)
                    with pytest.raises(StorageError):
                        writer.append(b"not acknowledged")
                    disk.fail = lambda done, name: None
                case _:
                    raise PowerCutError
        except PowerCutError:
            disk = disk.power_cycle(rng)
            boot = opened(disk).boot()
            assert_holds(boot, writer)
            writer = Writer.at_boot(opened(disk))
            disk.cut_at = disk.steps + rng.randint(1, 60)
    disk.cut_at = None
    assert_holds(opened(disk.power_cycle(rng)).boot(), writer)


def test_ring_goes_round_and_keeps_the_newest() -> None:
    disk, writer = fresh()
    for number in range(1, 101):
        writer.append(str(number).encode())
    boot = opened(disk).boot()
    assert [record.seq for record in boot.records] == list(range(100 - CAPACITY + 1, 101))
    assert boot.records[0].hash_before == writer_hash(84)


def writer_hash(seq: int) -> bytes:
    value = genesis(1)
    for number in range(1, seq + 1):
        value = step(value, str(number).encode())
    return value


def damaged(alter: slice, *, entries: int = 10, acked: int = 0, saved: bool = True) -> tuple[CrashDisk, Boot]:
    disk, writer = fresh()
    for number in range(1, entries + 1):
        writer.append(str(number).encode())
    if saved:
        writer.save(acked=acked)
    blob = bytearray(disk.durable["log"])
    blob[alter] = bytes(byte ^ 0xFF for byte in blob[alter])
    disk.durable["log"] = bytes(blob)
    return disk, opened(disk).boot()


def slot_of(seq: int) -> slice:
    return slice(seq % CAPACITY * SLOT_SIZE + 60, seq % CAPACITY * SLOT_SIZE + 61)


def test_damage_to_an_unreceipted_entry_begins_a_new_epoch() -> None:
    disk, boot = damaged(slot_of(4))
    assert (boot.state.epoch, boot.state.damage, boot.state.payload) == (2, Damage.LOG, b"p0")
    assert boot.records == []
    assert [record.seq for record in boot.salvaged] == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert disk.durable["log.damaged"] != disk.durable["log"]
    again = opened(disk).boot()
    assert (again.state.epoch, again.state.damage) == (2, Damage.LOG)
    assert again.salvaged == boot.salvaged


def test_damage_to_the_newest_entry_is_noticed_because_the_state_knew_it() -> None:
    _, boot = damaged(slot_of(10))
    assert (boot.state.epoch, boot.state.damage) == (2, Damage.LOG)


def test_damage_to_a_receipted_entry_harms_nothing() -> None:
    _, boot = damaged(slot_of(4), acked=7)
    assert (boot.state.epoch, boot.state.damage) == (1, Damage.NONE)
    assert [record.seq for record in boot.records] == [5, 6, 7, 8, 9, 10]


def test_a_torn_newest_entry_is_passed_over() -> None:
    _, boot = damaged(slot_of(10), saved=False)
    assert (boot.state.epoch, boot.torn_tail) == (1, True)
    assert boot.records[-1].seq == 9


def test_something_beyond_the_newest_entry_is_damage() -> None:
    _, boot = damaged(slot_of(13))
    assert boot.state.damage is Damage.LOG


def test_an_entry_that_means_nothing_is_damage_and_not_a_crash() -> None:
    disk, writer = fresh()
    for number in range(1, 11):
        writer.append(str(number).encode())
    writer.save()
    store = LockStore(
        disk, genesis=genesis, step=step, readable=lambda entry: entry != b"4", capacity=CAPACITY
    )
    assert store.boot().state.damage is Damage.LOG


def test_missing_log_file_begins_a_new_epoch() -> None:
    disk, writer = fresh()
    writer.append(b"x")
    del disk.durable["log"]
    boot = opened(disk).boot()
    assert (boot.state.epoch, boot.state.damage) == (2, Damage.LOG)


def test_lost_state_record_keeps_nothing_it_cannot_vouch_for() -> None:
    disk, writer = fresh()
    writer.append(b"x")
    disk.durable["state"] = bytes(len(disk.durable["state"]))
    boot = opened(disk).boot()
    assert (boot.state.epoch, boot.state.damage, boot.state.payload) == (2, Damage.STATE_LOST, b"")


def test_state_record_given_back_older_than_the_log_is_noticed() -> None:
    disk, writer = fresh()
    older = disk.durable["state"]
    writer.save(payload=b"revocations")
    writer.append(b"x")
    disk.durable["state"] = older
    boot = opened(disk).boot()
    assert (boot.state.epoch, boot.state.damage, boot.state.payload) == (2, Damage.STATE_ROLLED_BACK, b"")


def test_new_epoch_survives_a_cut_at_each_of_its_steps() -> None:
    for at in range(1, 9):
        disk, writer = fresh()
        for number in range(1, 11):
            writer.append(str(number).encode())
        writer.save()
        blob = bytearray(disk.durable["log"])
        blob[slot_of(3)] = b"\x99"
        disk.durable["log"] = bytes(blob)
        disk.cut_at = disk.steps + at
        with contextlib.suppress(PowerCutError):
            opened(disk).boot()
        survivor = disk.power_cycle(seeded(at))
        writer = Writer.at_boot(opened(survivor))
        assert writer.image.damage is Damage.LOG
        assert writer.image.epoch == 2
        writer.append(b"first of the new epoch")
        assert [r.entry for r in opened(survivor).boot().records] == [b"first of the new epoch"]
