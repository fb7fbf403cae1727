"""The vault attacked by somebody who may change the app's files, with and without key hardware."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mobile.engine.errors import (
    HardwareKeyError,
    HardwareKeyGoneError,
    NotEnrolledError,
    PinDelayError,
    VaultCorruptError,
    VaultTooNewError,
    VaultWipedError,
    WrongPinError,
)
from mobile.engine.storage import vaultfile
from mobile.engine.storage.attempts import FAILURES_WHEN_UNREADABLE, MAX_FAILURES
from mobile.engine.storage.guard import Guard
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.vault import Vaults
from tests.mobile.keychip import KeyChip

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
PIN, WRONG, OTHER = "493817", "000000", "602914"
CONTENT = b"rights and keys of one shift"
DAMAGED = (VaultCorruptError, VaultTooNewError, WrongPinError, HardwareKeyError)


class Phone:
    """One phone's files, its chip if it has one, and a clock that runs as far as one likes."""

    def __init__(self, folder: Path, chip: KeyChip | None) -> None:
        self.folder, self.chip, self.clock = folder, chip, 1_800_000_000

    def start(self) -> Vaults:
        """The app's process, new: nothing is remembered but what is on disk and in the chip."""
        return Vaults(
            self.folder,
            cost=CHEAP,
            hardware=self.chip,
            now=lambda: self.clock,
            monotonic=lambda: float(self.clock),
        )

    def copy(self, name: str) -> Path:
        """Copy all files away."""
        return Path(shutil.copytree(self.folder, self.folder.with_name(name)))

    def put_back(self, copy: Path, *suffixes: str) -> None:
        """Put older copies of some files back."""
        for suffix in suffixes:
            shutil.copyfile(copy / f"b1{suffix}", self.folder / f"b1{suffix}")

    def file(self, suffix: str = ".vault") -> Path:
        return self.folder / f"b1{suffix}"

    async def fail(self, times: int) -> None:
        """So many wrong PINs, each after its delay."""
        for _ in range(times):
            vaults = await self.waited()
            with pytest.raises((WrongPinError, VaultWipedError)):
                await vaults.unlock("b1", WRONG)

    async def waited(self) -> Vaults:
        """A new process in which every delay has been waited for."""
        vaults = self.start()
        vaults.wait_seconds("b1")  # what was put back begins its delay when it is first seen
        self.clock += 4000
        return vaults


@pytest.fixture(params=["plain", "chip"])
async def phone(request: pytest.FixtureRequest, tmp_path: Path) -> Phone:
    made = Phone(tmp_path / "vaults", KeyChip() if request.param == "chip" else None)
    (await made.start().create("b1", PIN, CONTENT)).close()
    return made


@pytest.fixture
async def plain(tmp_path: Path) -> Phone:
    made = Phone(tmp_path / "vaults", None)
    (await made.start().create("b1", PIN, CONTENT)).close()
    return made


@pytest.fixture
async def guarded(tmp_path: Path) -> Phone:
    made = Phone(tmp_path / "vaults", KeyChip())
    (await made.start().create("b1", PIN, CONTENT)).close()
    return made


async def _opens(phone: Phone, pin: str = PIN) -> bytes:
    vault = await phone.start().unlock("b1", pin)
    content = vault.content
    vault.close()
    return content


async def test_the_right_pin_opens_with_and_without_hardware(phone: Phone) -> None:
    assert await _opens(phone) == CONTENT


async def test_every_byte_of_the_vault_spoilt(phone: Phone) -> None:
    """An accident: found before any PIN is tried, nothing counted, nothing lost."""
    whole = phone.file().read_bytes()
    vaults = phone.start()
    for place in range(len(whole)):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << place % 8
        phone.file().write_bytes(bytes(spoilt))
        with pytest.raises(VaultCorruptError):
            await vaults.unlock("b1", PIN)
    assert vaults.attempts("b1").failed == 0
    phone.file().write_bytes(whole)
    assert await _opens(phone) == CONTENT


async def test_every_bit_flipped_by_somebody_who_mends_the_checksum(phone: Phone) -> None:
    """A forger: whatever is changed, no content comes out, under the right PIN either."""
    whole = phone.file().read_bytes()
    for bit in range((len(whole) - vaultfile.TAG_BYTES) * 8):
        if bit // 8 in range(8, 14):
            continue  # the cost: bounded, and tested in test_vault.py; here it would only take long
        body = bytearray(whole[: -vaultfile.TAG_BYTES])
        body[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DAMAGED):
            shut = vaultfile.parse(bytes(body) + vaultfile._checksum(bytes(body)))
            ask = Guard(phone.chip, "b1").asker(shut.hardware_key)
            shut.open(vaultfile.derive(PIN.encode(), shut.salt, shut.cost, shut.hardware_key, ask))


async def test_every_truncation_of_the_vault(phone: Phone) -> None:
    whole = phone.file().read_bytes()
    vaults = phone.start()
    for length in range(len(whole)):
        phone.file().write_bytes(whole[:length])
        with pytest.raises(VaultCorruptError):
            await vaults.unlock("b1", PIN)
    assert vaults.attempts("b1").failed == 0


async def test_every_bit_and_every_truncation_of_the_counter(phone: Phone) -> None:
    """Damage never wipes, never hands out more tries than there were after seven wrong PINs plus a half."""
    await phone.fail(7)
    whole = phone.file(".tries").read_bytes()
    spoilt = [whole[:length] for length in range(len(whole))]
    for bit in range(len(whole) * 8):
        one = bytearray(whole)
        one[bit // 8] ^= 1 << bit % 8
        spoilt.append(bytes(one))
    vaults = phone.start()
    for damaged in spoilt:
        phone.file(".tries").write_bytes(damaged)
        failed = vaults.attempts("b1").failed
        assert FAILURES_WHEN_UNREADABLE <= failed <= 7
        if phone.chip:
            assert failed == 7, "the chip remembers"
    assert (await (await phone.waited()).unlock("b1", PIN)).content == CONTENT


# -- older copies put back ------------------------------------------------------------------------------


async def _save(phone: Phone, content: bytes, *, firmly: bool = False) -> None:
    vault = await phone.start().unlock("b1", PIN)
    await vault.save(content, firmly=firmly)
    vault.close()


async def test_an_older_vault_alone_is_found(phone: Phone) -> None:
    copy = phone.copy("before")
    await _save(phone, b"without the revoked right")
    phone.put_back(copy, ".vault")
    vault = await phone.start().unlock("b1", PIN)
    assert vault.older
    await vault.save(b"cleaned")
    vault.close()
    vault = await phone.start().unlock("b1", PIN)
    assert not vault.older
    assert vault.content == b"cleaned"


async def test_an_older_counter_alone_is_found(phone: Phone) -> None:
    copy = phone.copy("before")
    for number in range(3):
        await _save(phone, b"day %d" % number)
    await phone.fail(9)
    phone.put_back(copy, ".tries")
    with pytest.raises(PinDelayError) as refused:
        await phone.start().unlock("b1", WRONG)
    left = 1 if phone.chip else MAX_FAILURES - FAILURES_WHEN_UNREADABLE
    assert refused.value.details["attempts_left"] == left, "the chip remembers all nine; else half way"
    assert (await (await phone.waited()).unlock("b1", PIN)).content == b"day 2"


async def test_both_files_put_back_is_not_found_without_hardware(plain: Phone) -> None:
    """Said plainly in docs/security.md: without hardware every place to remember is a file."""
    copy = plain.copy("before")
    await _save(plain, b"without the revoked right", firmly=True)
    await plain.fail(9)
    plain.put_back(copy, ".vault", ".tries")
    vault = await plain.start().unlock("b1", PIN)
    assert not vault.older
    assert vault.content == CONTENT


async def test_both_files_put_back_is_found_with_hardware(guarded: Phone) -> None:
    copy = guarded.copy("before")
    await _save(guarded, b"without the revoked right", firmly=True)
    guarded.put_back(copy, ".vault", ".tries")
    assert (await guarded.start().unlock("b1", PIN)).older


async def test_putting_everything_back_gives_no_more_guesses_with_hardware(guarded: Phone) -> None:
    copy = guarded.copy("before")
    for failed in range(1, MAX_FAILURES):
        await guarded.fail(1)
        guarded.put_back(copy, ".vault", ".tries")
        assert guarded.start().attempts("b1").failed == failed
    await guarded.fail(1)
    guarded.put_back(copy, ".vault", ".tries")
    with pytest.raises(HardwareKeyGoneError):
        await guarded.start().unlock("b1", PIN)


async def test_a_counter_cannot_be_written_without_the_chip(guarded: Phone) -> None:
    """Whoever knows the format can write a file that is right in every way but the check."""
    await guarded.fail(3)
    forged = Phone(guarded.folder.with_name("workshop"), None)
    (await forged.start().create("b1", PIN, CONTENT)).close()
    for _ in range(40):
        await _opens(forged)
    guarded.put_back(forged.folder, ".tries")
    assert guarded.start().attempts("b1").failed == 3


async def test_an_older_vault_from_before_another_pin(phone: Phone) -> None:
    copy = phone.copy("before")
    vaults = phone.start()
    vault = await vaults.unlock("b1", PIN)
    await vaults.change_pin("b1", vault, PIN, OTHER)
    vault.close()
    phone.put_back(copy, ".vault", ".tries")
    if phone.chip:
        with pytest.raises(HardwareKeyGoneError):
            await phone.start().unlock("b1", PIN)
    else:
        assert await _opens(phone) == CONTENT, "an old PIN opens an old copy; the docs say so"


async def test_a_wiped_vault_put_back(phone: Phone) -> None:
    copy = phone.copy("before")
    phone.start().wipe("b1")
    with pytest.raises(NotEnrolledError):
        await phone.start().unlock("b1", PIN)
    phone.put_back(copy, ".vault", ".tries")
    if phone.chip:
        assert phone.chip.names() == ()
        with pytest.raises(HardwareKeyGoneError):
            await phone.start().unlock("b1", PIN)
    else:
        assert await _opens(phone) == CONTENT, "without hardware a copy stays a copy"


# -- the hardware key ----------------------------------------------------------------------------------


async def test_a_copied_vault_is_worth_nothing_on_another_phone(guarded: Phone, tmp_path: Path) -> None:
    for chip in (None, KeyChip()):
        thief = Phone(guarded.folder, chip)
        with pytest.raises(HardwareKeyError):
            await thief.start().unlock("b1", PIN)
    shut = vaultfile.parse(guarded.file().read_bytes())
    bare = vaultfile.derive(PIN.encode(), shut.salt, shut.cost, shut.hardware_key)
    with pytest.raises(WrongPinError):
        shut.open(bare)


async def test_a_chip_that_always_answers_the_same_leaves_the_pin_as_strong_as_without(
    tmp_path: Path,
) -> None:
    class Stuck(KeyChip):
        def mac(self, name: str, message: bytes) -> bytes:
            return bytes(32)

    phone = Phone(tmp_path / "vaults", Stuck())
    (await phone.start().create("b1", PIN, CONTENT)).close()
    with pytest.raises(WrongPinError):
        await phone.start().unlock("b1", WRONG)
    assert await _opens(phone) == CONTENT


async def test_every_guess_asks_the_chip_and_tells_it_nothing_of_the_pin(guarded: Phone) -> None:
    assert guarded.chip is not None
    before = guarded.chip.asked.count("b1.pin.1")
    await guarded.fail(4)
    assert guarded.chip.asked.count("b1.pin.1") == before + 4


async def test_a_chip_that_does_not_answer_counts_nothing(guarded: Phone) -> None:
    assert guarded.chip is not None
    vaults = guarded.start()
    await _opens(guarded)
    guarded.chip.broken = True
    with pytest.raises(HardwareKeyError):
        await vaults.unlock("b1", PIN)
    guarded.chip.broken = False
    assert guarded.start().attempts("b1").failed == 0
    assert await _opens(guarded) == CONTENT


async def test_hardware_that_is_away_for_one_start_does_not_call_the_vault_lost(guarded: Phone) -> None:
    """Otherwise a person would be told to remove a vault that opens again after a restart."""
    away = Phone(guarded.folder, None)
    vaults = away.start()
    vaults.tidy()
    with pytest.raises(HardwareKeyError) as refused:
        await vaults.unlock("b1", PIN)
    assert refused.value.code == "hardware_key_failed"
    assert await _opens(guarded) == CONTENT


async def test_an_old_vault_gets_a_hardware_key_with_its_next_pin(plain: Phone) -> None:
    """The app was there before the phone's chip was used."""
    phone = Phone(plain.folder, KeyChip())
    vaults = phone.start()
    vault = await vaults.unlock("b1", PIN)
    assert vault.hardware_key == 0
    await vaults.change_pin("b1", vault, PIN, OTHER)
    assert vault.hardware_key == 1
    vault.close()
    assert await _opens(phone, OTHER) == CONTENT
    with pytest.raises(HardwareKeyError):
        await plain.start().unlock("b1", OTHER)


async def test_a_vault_of_the_first_version_is_read_and_written_anew(plain: Phone) -> None:
    keys = vaultfile.derive(PIN.encode(), bytes(16), CHEAP)
    header = vaultfile._HEADER_1.pack(vaultfile.MAGIC, 1, 64, 1, 1, keys.salt, bytes(12))
    head = header + keys.header_tag(header)
    body = head + keys.cipher().encrypt(bytes(12), b"of the first version", head)
    plain.file().write_bytes(body + vaultfile._checksum(body))
    plain.file(".tries").unlink()
    assert await _opens(plain) == b"of the first version"
    await _save(plain, b"of the second")
    assert plain.file().read_bytes()[7] == 2
    assert await _opens(plain) == b"of the second"


async def test_bearers_do_not_share_hardware_keys(guarded: Phone) -> None:
    assert guarded.chip is not None
    vaults = guarded.start()
    (await vaults.create("b10", OTHER, b"other")).close()
    vaults.wipe("b1")
    assert all(name.startswith("b10.") for name in guarded.chip.names())
    assert (await guarded.start().unlock("b10", OTHER)).content == b"other"


async def test_what_a_power_cut_left_of_a_vault_that_is_not_here_is_tidied_away(guarded: Phone) -> None:
    assert guarded.chip is not None
    for left_over in ("b2.tries", "b2.vault.new", "b3.tries"):
        (guarded.folder / left_over).write_bytes(b"half made")
    for name in ("b2.pin.1", "b3.count", "b10.mark.4.1.2"):
        guarded.chip.create(name)
    guarded.start().tidy()
    assert sorted(path.name for path in guarded.folder.iterdir()) == ["b1.tries", "b1.vault"]
    assert {name.split(".")[0] for name in guarded.chip.names()} == {"b1"}
    assert await _opens(guarded) == CONTENT
