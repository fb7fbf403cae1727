"""Rule 6 on the phone: the power may go before any write, the disk may be full, and nothing is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from mobile.engine.errors import DiskFullError, HardwareKeyGoneError, NotEnrolledError, WrongPinError
from mobile.engine.storage.outbox import Outbox
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.vault import Vaults
from tests.mobile.keychip import KeyChip
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


# -- every write of every vault verb, with and without key hardware ------------------------------------------

OTHER = "602914"
Verb = Callable[[Vaults], Awaitable[object]]


async def _change(vaults: Vaults) -> None:
    vault = await vaults.unlock("b1", PIN)
    await vaults.change_pin("b1", vault, PIN, OTHER)


async def _save_firmly(vaults: Vaults) -> None:
    await (await vaults.unlock("b1", PIN)).save(b"kept", firmly=True)


async def _wrong(vaults: Vaults) -> None:
    with pytest.raises(WrongPinError):
        await vaults.unlock("b1", OTHER)


async def _wipe(vaults: Vaults) -> None:
    vaults.wipe("b1")


async def _cuts(verb: Verb, *, chip: bool, made: bool = True) -> AsyncIterator[tuple[bool, Vaults]]:
    """Cut the power before each step of a verb: whether it had said done, and what may then be found."""
    for cut_at in range(60):
        disk = MemoryDisk()
        keys = KeyChip() if chip else None
        if made:
            (await _guarded(disk, keys).create("b1", PIN, b"kept")).close()
            disk = next(disk.aftermaths())
        if keys is not None:
            keys.step = disk._step
        disk.cut_at = disk.steps + cut_at
        done = False
        with suppress(PowerCutError):
            await verb(_guarded(disk, keys))
            done = True
        for found in disk.aftermaths():
            yield done, _guarded(found, keys.copy() if keys else None)
        if done:
            return
    raise AssertionError("the verb never came to its end")


def _guarded(disk: MemoryDisk, keys: KeyChip | None) -> Vaults:
    return Vaults(
        FOLDER,
        disk=disk,
        cost=CHEAP,
        hardware=keys,
        now=lambda: 1_800_000_000,
        monotonic=lambda: 0.0,
    )


async def _content(vaults: Vaults, pin: str) -> bytes | None:
    """What a PIN brings, None when it is the wrong one or there is no such vault any more."""
    try:
        return (await vaults.unlock("b1", pin)).content
    except (WrongPinError, NotEnrolledError, HardwareKeyGoneError):
        return None


@pytest.mark.parametrize("chip", [False, True], ids=["plain", "chip"])
async def test_rule_06_power_cut_at_every_write_of_making_a_vault(chip: bool) -> None:
    async def create(vaults: Vaults) -> None:
        await vaults.create("b1", PIN, b"kept")

    async for done, vaults in _cuts(create, chip=chip, made=False):
        found = await _content(vaults, PIN)
        assert found in {None, b"kept"}
        assert not done or found == b"kept"
        (await vaults.create("b1", PIN, b"once more")).close()
        assert await _content(vaults, PIN) == b"once more"


@pytest.mark.parametrize("chip", [False, True], ids=["plain", "chip"])
async def test_rule_06_power_cut_at_every_write_of_a_firm_save(chip: bool) -> None:
    async for _done, vaults in _cuts(_save_firmly, chip=chip):
        vault = await vaults.unlock("b1", PIN)
        assert vault.content == b"kept"
        assert not vault.older, "a power cut must never look like somebody who puts older files back"


@pytest.mark.parametrize("chip", [False, True], ids=["plain", "chip"])
async def test_rule_06_power_cut_at_every_write_of_another_pin(chip: bool) -> None:
    ways = set()
    async for done, vaults in _cuts(_change, chip=chip):
        opens = {pin for pin in (PIN, OTHER) if await _content(vaults, pin) == b"kept"}
        assert len(opens) == 1, "exactly one PIN opens it, whenever the power went"
        assert not done or opens == {OTHER}
        ways |= opens
        assert (await vaults.unlock("b1", opens.pop())).older is False
    assert ways == {PIN, OTHER}


@pytest.mark.parametrize("chip", [False, True], ids=["plain", "chip"])
async def test_rule_06_power_cut_at_every_write_of_a_wrong_pin(chip: bool) -> None:
    async for done, vaults in _cuts(_wrong, chip=chip):
        failed = vaults.attempts("b1").failed
        assert failed == 1 if done else failed in {0, 1}
        assert await _content(vaults, PIN) == b"kept"


@pytest.mark.parametrize("chip", [False, True], ids=["plain", "chip"])
async def test_rule_06_power_cut_at_every_write_of_a_wipe(chip: bool) -> None:
    async for done, vaults in _cuts(_wipe, chip=chip):
        found = await _content(vaults, PIN)
        assert found in {None, b"kept"}
        if done:
            assert found is None
            assert vaults.bearers() == []
        vaults.wipe("b1")
        assert await _content(vaults, PIN) is None
        assert vaults.bearers() == []
