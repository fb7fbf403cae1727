"""The vault: what opens it, what is counted, what a damaged one says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mobile.engine.errors import (
    LockedError,
    NotEnrolledError,
    PinDelayError,
    VaultCorruptError,
    VaultTooNewError,
    VaultWipedError,
    WeakPinError,
    WrongPinError,
)
from mobile.engine.storage import vaultfile
from mobile.engine.storage.attempts import DELAYS, MAX_FAILURES
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.vault import Vaults

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PIN = "493817"
CONTENT = b"rights and keys of one shift"


class Clocks:
    def __init__(self) -> None:
        self.wall, self.ticks = 1_800_000_000, 0.0

    def pass_by(self, seconds: float) -> None:
        self.wall += int(seconds)
        self.ticks += seconds

    def vaults(self, folder: Path) -> Vaults:
        return Vaults(folder, cost=CHEAP, now=lambda: self.wall, monotonic=lambda: self.ticks)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
async def made(tmp_path: Path, clocks: Clocks) -> Vaults:
    vaults = clocks.vaults(tmp_path)
    (await vaults.create("b1", PIN, CONTENT)).close()
    return vaults


def _all(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


def _file(folder: Path) -> Path:
    return folder / "b1.vault"


async def test_right_pin_gives_the_content_back(made: Vaults) -> None:
    vault = await made.unlock("b1", PIN)
    assert vault.content == CONTENT
    await vault.save(b"newer")
    vault.close()
    assert vault.content == b""
    assert (await made.unlock("b1", PIN)).content == b"newer"


async def test_a_closed_vault_cannot_be_saved(made: Vaults) -> None:
    vault = await made.unlock("b1", PIN)
    vault.close()
    with pytest.raises(LockedError):
        await vault.save(b"x")


async def test_nothing_readable_at_rest_nor_in_repr(made: Vaults, tmp_path: Path) -> None:
    vault = await made.unlock("b1", PIN)
    everything = b"".join(path.read_bytes() for path in _all(tmp_path))
    assert b"rights" not in everything
    assert PIN.encode() not in everything
    assert "rights" not in repr(vault) + repr(vault._keys)
    assert all(path.stat().st_mode & 0o077 == 0 for path in _all(tmp_path))


async def test_same_content_never_gives_the_same_file(made: Vaults, tmp_path: Path) -> None:
    vault = await made.unlock("b1", PIN)
    before = _file(tmp_path).read_bytes()
    await vault.save(CONTENT)
    assert _file(tmp_path).read_bytes() != before


async def test_several_bearers_do_not_touch_each_other(made: Vaults) -> None:
    await made.create("b2", "840275", b"other")
    with pytest.raises(WrongPinError):
        await made.unlock("b2", PIN)
    assert made.bearers() == ["b1", "b2"]
    assert made.attempts("b1").failed == 0
    made.wipe("b2")
    assert made.bearers() == ["b1"]
    assert (await made.unlock("b1", PIN)).content == CONTENT


async def test_no_vault_is_not_enrolled(made: Vaults) -> None:
    with pytest.raises(NotEnrolledError):
        await made.unlock("b9", PIN)
    with pytest.raises(NotEnrolledError):
        await made.unlock("../b1", PIN)


async def test_weak_pin_writes_nothing(tmp_path: Path, clocks: Clocks) -> None:
    with pytest.raises(WeakPinError):
        await clocks.vaults(tmp_path).create("b1", "123456", CONTENT)
    assert _all(tmp_path) == []


async def test_changed_pin_opens_and_the_old_one_does_not(made: Vaults) -> None:
    vault = await made.unlock("b1", PIN)
    with pytest.raises(WrongPinError):
        await made.change_pin("b1", vault, "581937", "vinterns långa promenader")
    await made.change_pin("b1", vault, PIN, "vinterns långa promenader")
    await vault.save(b"after")
    with pytest.raises(WrongPinError):
        await made.unlock("b1", PIN)
    assert (await made.unlock("b1", "vinterns långa promenader")).content == b"after"


async def test_ten_wrong_pins_wipe_with_growing_delays(made: Vaults, clocks: Clocks, tmp_path: Path) -> None:
    for failed in range(1, MAX_FAILURES):
        with pytest.raises(WrongPinError) as wrong:
            await made.unlock("b1", "000000")
        delay = DELAYS[failed - 1]
        assert wrong.value.details == {"attempts_left": MAX_FAILURES - failed, "wait_seconds": delay}
        if delay:
            clocks.pass_by(delay - 1)
            with pytest.raises(PinDelayError):
                await made.unlock("b1", PIN)
            clocks.pass_by(1)
    with pytest.raises(VaultWipedError):
        await made.unlock("b1", "000000")
    assert _all(tmp_path) == []
    with pytest.raises(NotEnrolledError):
        await made.unlock("b1", PIN)


async def _fail(vaults: Vaults, times: int) -> None:
    for _ in range(times):
        with pytest.raises(WrongPinError):
            await vaults.unlock("b1", "000000")


async def test_delays_and_count_survive_a_restart(made: Vaults, clocks: Clocks, tmp_path: Path) -> None:
    await _fail(made, 3)
    again = clocks.vaults(tmp_path)
    assert (again.attempts("b1").failed, again.wait_seconds("b1")) == (3, 5)
    clocks.pass_by(5)
    assert (await again.unlock("b1", PIN)).content == CONTENT
    assert again.attempts("b1").failed == 0


async def test_setting_the_clock_does_not_shorten_the_wait(made: Vaults, clocks: Clocks) -> None:
    await _fail(made, 3)
    clocks.wall += 3600
    assert made.wait_seconds("b1") == 5
    clocks.wall -= 7200
    assert made.wait_seconds("b1") == 5
    clocks.ticks += 5
    assert made.wait_seconds("b1") == 5, "a clock set back: the whole delay once more on the wall"
    clocks.wall += 5
    assert made.wait_seconds("b1") == 0, "but not until the clock has caught up"


async def test_a_try_is_counted_before_it_is_made(made: Vaults, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[int] = []
    derive = vaultfile.derive

    def watched(*given: Any) -> vaultfile.Keys:
        counted.append(made.attempts("b1").failed)
        return derive(*given)

    monkeypatch.setattr(vaultfile, "derive", watched)
    await made.unlock("b1", PIN)
    assert counted == [1]


async def test_parallel_tries_are_counted_one_by_one(made: Vaults) -> None:
    results = await asyncio.gather(*(made.unlock("b1", "000000") for _ in range(6)), return_exceptions=True)
    assert [type(result) for result in results] == [WrongPinError] * 3 + [PinDelayError] * 3
    assert made.attempts("b1").failed == 3


async def test_killing_the_app_during_the_tenth_try_wins_no_eleventh(
    made: Vaults, clocks: Clocks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(MAX_FAILURES - 1):
        clocks.pass_by(DELAYS[-1])
        await _fail(made, 1)
    clocks.pass_by(DELAYS[-1])

    class KilledError(Exception):
        pass

    def killed(*_given: object) -> vaultfile.Keys:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(vaultfile, "derive", killed)
        with pytest.raises(KilledError):
            await made.unlock("b1", "000000")
    with pytest.raises(VaultWipedError):
        await clocks.vaults(tmp_path).unlock("b1", PIN)
    assert _all(tmp_path) == []


@pytest.mark.parametrize("damage", ["missing", "empty", "noise"])
async def test_spoilt_counter_is_half_way_neither_wiped_nor_fresh(
    made: Vaults, tmp_path: Path, damage: str
) -> None:
    counter = tmp_path / "b1.tries"
    counter.unlink()
    if damage != "missing":
        counter.write_bytes(b"" if damage == "empty" else b"\x55" * 64)
    assert made.attempts("b1").failed == 5
    assert (await made.unlock("b1", PIN)).content == CONTENT


async def test_every_flipped_bit_is_corrupt_and_counts_nothing(made: Vaults, tmp_path: Path) -> None:
    whole = _file(tmp_path).read_bytes()
    for bit in range(len(whole) * 8):
        spoilt = bytearray(whole)
        spoilt[bit // 8] ^= 1 << bit % 8
        with pytest.raises(VaultCorruptError):
            vaultfile.parse(bytes(spoilt))
    _file(tmp_path).write_bytes(bytes(spoilt))
    with pytest.raises(VaultCorruptError):
        await made.unlock("b1", PIN)
    assert made.attempts("b1").failed == 0


async def test_every_truncation_is_corrupt(made: Vaults, tmp_path: Path) -> None:
    whole = _file(tmp_path).read_bytes()
    for length in range(len(whole)):
        with pytest.raises(VaultCorruptError):
            vaultfile.parse(whole[:length])
    with pytest.raises(VaultCorruptError):
        vaultfile.parse(whole + b"\0")


def _forge(whole: bytes, at: int, value: int) -> bytes:
    """Change a byte and mend the unkeyed checksum, as somebody with the file in hand can."""
    body = bytearray(whole[:-16])
    body[at] = value
    return bytes(body) + vaultfile._checksum(bytes(body))


async def test_forged_content_under_the_right_pin_is_corrupt(made: Vaults, tmp_path: Path) -> None:
    whole = _file(tmp_path).read_bytes()
    _file(tmp_path).write_bytes(_forge(whole, len(whole) - 20, whole[-20] ^ 1))
    with pytest.raises(VaultCorruptError):
        await made.unlock("b1", PIN)


async def test_forged_header_cannot_be_told_from_a_wrong_pin(made: Vaults, tmp_path: Path) -> None:
    whole = _file(tmp_path).read_bytes()
    _file(tmp_path).write_bytes(_forge(whole, 20, whole[20] ^ 1))
    with pytest.raises(WrongPinError):
        await made.unlock("b1", PIN)


async def test_a_later_version_says_so(made: Vaults, tmp_path: Path) -> None:
    _file(tmp_path).write_bytes(_forge(_file(tmp_path).read_bytes(), 7, 3))
    with pytest.raises(VaultTooNewError):
        await made.unlock("b1", PIN)


@pytest.mark.parametrize(("at", "value"), [(8, 0xFF), (9, 0x10), (12, 0), (12, 200), (13, 0), (13, 99)])
async def test_cost_in_the_file_is_bounded(made: Vaults, tmp_path: Path, at: int, value: int) -> None:
    with pytest.raises(VaultCorruptError):
        vaultfile.parse(_forge(_file(tmp_path).read_bytes(), at, value))


def test_the_default_cost_is_the_documented_one() -> None:
    assert Cost() == Cost(memory_kib=65536, passes=3, lanes=1)
