"""Rule 6 on the phone: the power may go before any write, the disk may be full, and nothing is lost."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from mobile.engine.errors import DiskFullError
from mobile.engine.storage.outbox import Outbox
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.vault import Vaults
from tests.mobile.power import MemoryDisk, PowerCutError

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
FOLDER = Path("/phone")
PIN = "493817"


def _vaults(disk: MemoryDisk) -> Vaults:
    return Vaults(FOLDER, disk=disk, cost=CHEAP, now=lambda: 1_800_000_000, monotonic=lambda: 0.0)


async def _disk_with_vault(content: bytes) -> MemoryDisk:
    disk = MemoryDisk()
    (await _vaults(disk).create("b1", PIN, content)).close()
    return next(disk.aftermaths())


async def test_rule_06_power_cut_at_every_write_of_a_save_keeps_old_or_new() -> None:
    seen: set[bytes] = set()
    for cut_at in range(12):
        disk = await _disk_with_vault(b"old")
        vault = await _vaults(disk).unlock("b1", PIN)
        disk.cut_at = disk.steps + cut_at
        acknowledged = False
        try:
            await vault.save(b"new, and a little longer")
            acknowledged = True
        except PowerCutError:
            pass
        for found in disk.aftermaths():
            content = (await _vaults(found).unlock("b1", PIN)).content
            assert content in {b"old", b"new, and a little longer"}
            assert not acknowledged or content != b"old", "an acknowledged save was lost"
            seen.add(content)
    assert len(seen) == 2, "the cuts must reach both sides of the rename"


async def test_rule_06_power_cut_during_unlock_keeps_vault_and_count() -> None:
    for cut_at in range(5):
        disk = await _disk_with_vault(b"kept")
        disk.cut_at = disk.steps + cut_at
        with suppress(PowerCutError):
            await _vaults(disk).unlock("b1", PIN)
        for found in disk.aftermaths():
            assert _vaults(found).attempts("b1").failed in {0, 1}
            assert (await _vaults(found).unlock("b1", PIN)).content == b"kept"


async def test_rule_06_power_cut_after_power_cut() -> None:
    """The mending itself may be cut short, again and again."""
    disk = await _disk_with_vault(b"old")
    vault = await _vaults(disk).unlock("b1", PIN)
    disk.cut_at = disk.steps + 4
    with pytest.raises(PowerCutError):
        await vault.save(b"new")
    for first in disk.aftermaths():
        for cut_at in range(5):
            first_again = next(first.aftermaths())
            first_again.cut_at = cut_at
            with suppress(PowerCutError):
                await _vaults(first_again).unlock("b1", PIN)
            for second in first_again.aftermaths():
                assert (await _vaults(second).unlock("b1", PIN)).content in {b"old", b"new"}


async def test_full_disk_says_so_and_keeps_the_old_content() -> None:
    disk = await _disk_with_vault(b"old")
    vault = await _vaults(disk).unlock("b1", PIN)
    disk.room = sum(len(file.now) for file in disk.entries.values()) + 50
    with pytest.raises(DiskFullError):
        await vault.save(b"x" * 200)
    assert vault.content == b"old"
    assert (await _vaults(disk).unlock("b1", PIN)).content == b"old", "a full disk shuts nobody out"
    assert [path.name for path in disk.entries] == ["b1.tries", "b1.vault"]
    disk.room = 1 << 40
    await vault.save(b"x" * 200)
    assert (await _vaults(disk).unlock("b1", PIN)).content == b"x" * 200


def test_rule_06_power_cut_at_every_write_of_the_outbox() -> None:
    for cut_at in range(8):
        disk = MemoryDisk()
        Outbox(FOLDER, disk=disk).put(b"first")
        disk.cut_at = disk.steps + cut_at
        acknowledged = False
        with suppress(PowerCutError):
            acknowledged = Outbox(FOLDER, disk=disk).put(b"second")
        for found in disk.aftermaths():
            kept = [batch.sealed for batch in Outbox(FOLDER, disk=found).oldest(10)]
            assert kept[0] == b"first"
            assert kept[1:] in ([], [b"second"])
            assert not acknowledged or kept[1:] == [b"second"]


def test_full_disk_refuses_a_batch_and_keeps_the_others() -> None:
    disk = MemoryDisk(room=1000)
    outbox = Outbox(FOLDER, disk=disk)
    assert outbox.put(b"a" * 600)
    with pytest.raises(DiskFullError):
        outbox.put(b"b" * 600)
    assert outbox.waiting == 1
    assert [batch.sealed for batch in Outbox(FOLDER, disk=disk).oldest(10)] == [b"a" * 600]
