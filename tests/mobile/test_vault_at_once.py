"""What is durable stays so whatever happens beside it: a PIN asked for during a save, hardware that stops."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from mobile.engine.errors import StorageError, WrongPinError
from mobile.engine.storage.disk import Disk, previous
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.vault import Vaults
from tests.mobile.keychip import KeyChip

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PIN, WRONG = "493817", "000000"
PATIENCE_S = 0.5


class Crossing(Disk):
    """Stops a save between its two renames until somebody has read the copy that stepped aside.

    Whoever did goes on only when the save has put its own file in place.
    """

    def __init__(self) -> None:
        self.armed = False
        self.aside, self.read_aside, self.in_place = (threading.Event() for _ in range(3))

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        if not self.armed:
            return
        if target.name.endswith(".old"):
            self.aside.set()
            self.read_aside.wait(PATIENCE_S)
        elif source.name.endswith(".new"):
            self.in_place.set()

    def read(self, path: Path, limit: int) -> bytes:
        data = super().read(path, limit)
        if self.armed and path.name.endswith(".old"):
            self.read_aside.set()
            self.in_place.wait(PATIENCE_S)
        return data


@pytest.mark.parametrize("given", [PIN, WRONG])
async def test_rule_06_a_pin_asked_for_during_a_save_costs_nothing_of_it(tmp_path: Path, given: str) -> None:
    disk = Crossing()
    vaults = Vaults(tmp_path, disk=disk, cost=CHEAP)
    vault = await vaults.create("b1", PIN, b"before")
    disk.armed = True
    saving = asyncio.create_task(vault.save(b"a session and its rights"))
    await asyncio.to_thread(disk.aside.wait)
    if given == PIN:
        await vaults.change_pin("b1", vault, PIN, "602914")
    else:
        with pytest.raises(WrongPinError):
            await vaults.change_pin("b1", vault, WRONG, "602914")
    await saving
    again = await Vaults(tmp_path, cost=CHEAP).unlock("b1", "602914" if given == PIN else PIN)
    assert (again.content, again.older) == (b"a session and its rights", False)
    assert not previous(tmp_path / "b1.vault").exists()


@pytest.mark.parametrize("firmly", [False, True])
async def test_what_a_save_has_written_is_what_the_open_vault_holds(tmp_path: Path, firmly: bool) -> None:
    """Key hardware that does not answer for a moment must not leave a revoked right in memory."""
    chip = KeyChip()
    vaults = Vaults(tmp_path, cost=CHEAP, hardware=chip)
    vault = await vaults.create("b1", PIN, b"a right")
    chip.broken = True
    await vault.save(b"no right", firmly=firmly)
    assert vault.content == b"no right"
    chip.broken = False
    again = await Vaults(tmp_path, cost=CHEAP, hardware=chip).unlock("b1", PIN)
    assert (again.content, again.older) == (b"no right", False)


async def test_rule_04_a_mark_that_could_not_be_left_is_left_with_the_next_save(tmp_path: Path) -> None:
    chip = KeyChip()
    vaults = Vaults(tmp_path, cost=CHEAP, hardware=chip)
    vault = await vaults.create("b1", PIN, b"a right")
    old = {name: (tmp_path / name).read_bytes() for name in ("b1.vault", "b1.tries")}
    chip.broken = True
    await vault.save(b"no right", firmly=True)
    chip.broken = False
    await vault.save(b"no right, one more line of history")
    for name, data in old.items():
        (tmp_path / name).write_bytes(data)
    assert (await Vaults(tmp_path, cost=CHEAP, hardware=chip).unlock("b1", PIN)).older


class WornOut(Disk):
    """A disk whose place for the counter cannot be written any more."""

    broken = False

    def write_at(self, path: Path, offset: int, data: bytes) -> None:
        if self.broken:
            raise StorageError(errno=5)
        super().write_at(path, offset, data)


async def test_a_counter_that_cannot_be_written_undoes_no_save(tmp_path: Path) -> None:
    disk = WornOut()
    vaults = Vaults(tmp_path, disk=disk, cost=CHEAP)
    vault = await vaults.create("b1", PIN, b"before")
    disk.broken = True
    await vault.save(b"after")
    assert vault.content == b"after"
    disk.broken = False
    assert (await Vaults(tmp_path, cost=CHEAP).unlock("b1", PIN)).content == b"after"
