"""The state record: replaced whole, whatever the disk does."""

from __future__ import annotations

import pytest

from lockagent.storage.port import StorageError, StorageProblem
from lockagent.storage.slots import MAX_PAYLOAD, SLOT_SIZE, SLOTS, StateCorruptError, StateSlots
from tests.lockagent.crashdisk import CrashDisk, PowerCutError, seeded


def test_newest_record_is_read_back() -> None:
    disk = CrashDisk()
    slots = StateSlots(disk)
    slots.create(b"one")
    slots.save(b"two")
    slots.save(b"three")
    loaded = StateSlots(disk).load()
    assert loaded is not None
    assert (loaded.payload, loaded.generation) == (b"three", 3)


def test_missing_file_is_not_a_record() -> None:
    assert StateSlots(CrashDisk()).load() is None


def test_cut_at_every_step_leaves_old_or_new_record() -> None:
    for seed in range(400):
        rng = seeded(seed)
        disk = CrashDisk()
        slots = StateSlots(disk)
        slots.create(b"0")
        acknowledged = 0
        disk.cut_at = disk.steps + rng.randint(1, 25)
        try:
            for number in range(1, 20):
                slots.save(str(number).encode() * rng.randint(1, 900))
                acknowledged = number
        except PowerCutError:
            pass
        found = StateSlots(disk.power_cycle(rng)).load()
        assert found is not None
        value = found.generation - 1
        assert value in (acknowledged, acknowledged + 1)
        assert found.payload.startswith(str(value).encode())


def test_failed_write_never_touches_the_acknowledged_record() -> None:
    disk = CrashDisk()
    slots = StateSlots(disk)
    slots.create(b"kept")
    disk.fail = lambda operation, name: StorageProblem.IO if operation == "sync" else None
    for _ in range(3):
        with pytest.raises(StorageError):
            slots.save(b"never acknowledged")
    for seed in range(200):
        found = StateSlots(disk.power_cycle(seeded(seed))).load()
        assert found is not None
        assert found.payload in (b"kept", b"never acknowledged")


def test_nothing_of_earlier_records_is_left_when_they_are_blanked() -> None:
    disk = CrashDisk()
    slots = StateSlots(disk)
    slots.create(b"secret 0")
    for number in range(20):
        slots.save(b"secret %d" % number)
    slots.save(b"harmless")
    slots.blank_others()
    assert b"secret" not in disk.durable["state"]
    loaded = StateSlots(disk).load()
    assert loaded is not None
    assert loaded.payload == b"harmless"


def test_no_whole_slot_is_reported() -> None:
    disk = CrashDisk()
    slots = StateSlots(disk)
    slots.create(b"x")
    slots.save(b"y")
    blob = bytearray(disk.durable["state"])
    for slot in range(SLOTS):
        blob[slot * SLOT_SIZE + 17] ^= 1
    disk.durable["state"] = bytes(blob)
    with pytest.raises(StateCorruptError):
        StateSlots(disk).load()


def test_too_large_a_record_is_refused_before_anything_is_written() -> None:
    disk = CrashDisk()
    slots = StateSlots(disk)
    slots.create(b"x")
    with pytest.raises(ValueError, match="does not fit"):
        slots.save(bytes(MAX_PAYLOAD + 1))
    assert slots.load() is not None
