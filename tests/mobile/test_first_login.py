"""Whose vault is open on a phone: older copies, leaving a phone, and several people on one."""

from __future__ import annotations

import logging
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import (
    DiskFullError,
    HardwareKeyError,
    HardwareKeyGoneError,
    LockedError,
    VaultCorruptError,
    VaultWipedError,
    WrongPinError,
)
from mobile.engine.setup import Setup
from mobile.engine.state import LoginState, Stage
from mobile.engine.storage.vaultfile import Cost
from protocol.identity import LockIdentity
from protocol.keys import x25519_public
from tests.lockagent.world import Issuer, Place, secret
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer, Ware
from tests.mobile.keychip import KeyChip
from tests.mobile.power import MemoryDisk

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
NOW = 1_790_000_000
OTHER_PIN = "602914"


def _lock() -> LockIdentity:
    return LockIdentity(x25519_public(secret("a1/s")), secret("a1/l"), x25519_public(secret("a1/e")))


@pytest.fixture
def server() -> SmallServer:
    issuer = Issuer()
    made = SmallServer(now=lambda: NOW, issuer=issuer)
    made.wares.append(Ware(Place(issuer, _lock()), "a1"))
    return made


@pytest.fixture
def chip() -> KeyChip:
    return KeyChip()


@pytest.fixture
async def engine(tmp_path: Path, server: SmallServer, chip: KeyChip) -> AsyncIterator[PhoneEngine]:
    made = _engine(tmp_path / "phone", server, chip)
    await made.start()
    yield made
    await made.stop()


def _engine(folder: Path, server: SmallServer, chip: KeyChip | None) -> PhoneEngine:
    return PhoneEngine(
        Setup(
            folder,
            transport=server.transport(),
            vault_cost=CHEAP,
            hardware=chip,
            sync_seconds=None,
            wall=lambda: NOW,
        )
    )


async def _at_work(engine: PhoneEngine, pin: str = PIN) -> str:
    """Enrol, sign in, fetch; returns the bearer."""
    await engine.enrol(URL, CODE, pin)
    await _sign_in(engine)
    return engine.state.active_bearer


async def _sign_in(engine: PhoneEngine) -> None:
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    await engine.sync()


def _everything(folder: Path) -> bytes:
    """All bytes and names under a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return b"\n".join(str(path.name).encode() + path.read_bytes() for path in files)


async def test_the_app_says_whether_hardware_guards_the_vault(
    engine: PhoneEngine, tmp_path: Path, server: SmallServer
) -> None:
    await engine.enrol(URL, CODE, PIN)
    assert engine.state.hardware_key == "tee"
    await engine.lock_app()
    assert engine.state.hardware_key == "", "a shut phone tells nothing"
    bare = _engine(tmp_path / "bare", server, None)
    await bare.start()
    await bare.enrol(URL, CODE, PIN)
    assert bare.state.hardware_key == ""
    await bare.stop()


async def test_an_older_copy_of_the_vault_is_opened_without_its_rights(
    engine: PhoneEngine, server: SmallServer
) -> None:
    await engine.enrol(URL, CODE, PIN)
    server.grant(server.wares[0])
    await _sign_in(engine)
    bearer = engine.state.active_bearer
    assert engine._keyring.content.rights
    vault = engine._setup.data_dir / "vaults" / f"{bearer}.vault"
    copy = vault.read_bytes()
    await engine.sign_out()
    await engine.lock_app()
    vault.write_bytes(copy)
    await engine.unlock(PIN)
    assert engine.state.vault_warning == "vault_older"
    assert engine.state.login is LoginState.SIGNED_OUT
    assert engine._keyring.content.rights == {}
    assert engine.state.doors == {}
    assert engine.state.staff_name == "Anna Lind", "who the bearer is stays, and signing in again heals it"
    await _sign_in(engine)
    assert engine._keyring.content.rights
    await engine.lock_app()
    await engine.unlock(PIN)
    assert engine.state.vault_warning == ""


@pytest.mark.parametrize("gone", ["signed out", "revoked", "right withdrawn"])
async def test_rule_04_all_files_put_back_bring_no_revoked_right_back_with_hardware(
    engine: PhoneEngine, server: SmallServer, gone: str
) -> None:
    await engine.enrol(URL, CODE, PIN)
    token = server.grant(server.wares[0])
    await _sign_in(engine)
    folder = engine._setup.data_dir
    copy = shutil.copytree(folder, folder.with_name("copy"))
    if gone == "signed out":
        await engine.sign_out()
    elif gone == "revoked":
        server.revoked = "bearer_revoked"
        with pytest.raises(Exception, match="bearer_revoked"):
            await engine.sync()
    else:
        server.withdraw(token)
        await engine.sync()
    await engine.lock_app()
    shutil.copytree(copy, folder, dirs_exist_ok=True)
    await engine.unlock(PIN)
    assert engine._keyring.content.rights == {}
    assert engine.state.vault_warning == "vault_older"


async def test_nothing_of_a_removed_person_remains(
    engine: PhoneEngine, server: SmallServer, chip: KeyChip
) -> None:
    bearer = await _at_work(engine)
    identity = engine._keyring.content.identity
    await engine.remove_bearer(bearer)
    assert engine.state.stage is Stage.NOT_ENROLLED
    assert engine.state.bearers == ()
    assert engine.state.staff_name == ""
    left = _everything(engine._setup.data_dir)
    for trace in (bearer.encode(), b"AL", b"Anna", identity.device_token.encode(), identity.private_key):
        assert trace not in left
    assert chip.names() == ()
    assert server.left == ["device-1"], "the server knows that the key is gone"
    with pytest.raises(LockedError):
        await engine.open_door("a1")


async def test_a_removed_person_leaves_without_coverage_too(
    engine: PhoneEngine, server: SmallServer, chip: KeyChip
) -> None:
    bearer = await _at_work(engine)
    await engine._courier.keep(b"a sealed batch")
    server.away = True
    await engine.remove_bearer(bearer)
    assert engine.state.stage is Stage.NOT_ENROLLED
    assert chip.names() == ()
    assert engine.state.sync.waiting_logs == 1, "the locks' logs are nobody's and wait"


async def test_rule_05_a_person_who_leaves_hands_the_logs_in_first(
    engine: PhoneEngine, server: SmallServer
) -> None:
    bearer = await _at_work(engine)
    await engine._courier.keep(b"a sealed batch")
    await engine.remove_bearer(bearer)
    assert server.batches == [b"a sealed batch"]
    assert engine.state.sync.waiting_logs == 0


@pytest.mark.parametrize("status", [413, 429, 500, 503])
async def test_a_key_is_given_back_also_where_the_logs_are_not_taken(
    tmp_path: Path, server: SmallServer, chip: KeyChip, status: int
) -> None:
    answer = server.transport()

    async def takes_no_logs(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/api/v1/logs":
            return httpx.Response(status, json={"code": "server_error"})
        return await answer.handle_async_request(request)

    engine = PhoneEngine(
        replace(
            _engine(tmp_path / "phone", server, chip)._setup, transport=httpx.MockTransport(takes_no_logs)
        )
    )
    await engine.start()
    bearer = await _at_work(engine)
    await engine._courier.keep(b"a sealed batch")
    await engine.remove_bearer(bearer)
    assert server.left == ["device-1"]
    assert engine.state.sync.waiting_logs == 1
    await engine.stop()


async def test_leaving_touches_nobody_else_on_the_phone(engine: PhoneEngine) -> None:
    first = await _at_work(engine)
    second = await _at_work(engine, OTHER_PIN)
    await engine.remove_bearer(first)
    assert [card.id for card in engine.state.bearers] == [second]
    assert engine.state.stage is Stage.LOCKED
    assert engine.state.active_bearer == second
    await engine.unlock(OTHER_PIN)
    assert engine.state.login is LoginState.SIGNED_IN


async def test_a_forgotten_pin_a_damaged_vault_and_a_lost_chip_can_all_be_cleared_away(
    engine: PhoneEngine, server: SmallServer, tmp_path: Path
) -> None:
    bearer = await _at_work(engine)
    await engine.lock_app()
    await engine.remove_bearer(bearer)
    assert server.left == [], "a shut vault cannot tell the server who it was"
    bearer = await _at_work(engine)
    await engine.lock_app()
    vault = engine._setup.data_dir / "vaults" / f"{bearer}.vault"
    vault.write_bytes(vault.read_bytes()[:-1])
    with pytest.raises(VaultCorruptError):
        await engine.unlock(PIN)
    await engine.remove_bearer(bearer)
    bearer = await _at_work(engine)
    await engine.stop()
    moved = _engine(engine._setup.data_dir, server, KeyChip())
    await moved.start()
    with pytest.raises(HardwareKeyGoneError):
        await moved.unlock(PIN)
    await moved.remove_bearer(bearer)
    assert moved.state.stage is Stage.NOT_ENROLLED
    await moved.stop()


async def test_a_pool_phone_from_hand_to_hand(engine: PhoneEngine, server: SmallServer) -> None:
    """Each has a vault: what one may open the other neither sees nor can use, and nobody is asked."""
    await engine.enrol(URL, CODE, PIN)
    server.grant(server.wares[0])
    await _sign_in(engine)
    first = engine.state.active_bearer
    assert engine.state.doors
    second = await _at_work(engine, OTHER_PIN)
    assert {card.label for card in engine.state.bearers} == {"AL", "AL 2"}, "two who share their initials"
    assert engine._keyring.content.rights == {}
    await engine.lock_app()
    assert engine.state.active_bearer == second
    await engine.select_bearer(first)
    assert engine.state.doors == {}
    assert engine.state.staff_name == ""
    with pytest.raises(WrongPinError):
        await engine.unlock(OTHER_PIN)
    await engine.unlock(PIN)
    assert engine._keyring.content.rights
    assert engine.state.login is LoginState.SIGNED_IN


async def test_rule_06_power_cut_at_every_write_of_leaving(server: SmallServer) -> None:
    """Whenever the power goes, leaving can be asked for again, and then nothing is left."""
    for cut_at in range(12):
        disk = MemoryDisk()
        engine = PhoneEngine(
            Setup(
                Path("/phone"),
                transport=server.transport(),
                vault_cost=CHEAP,
                sync_seconds=None,
                wall=lambda: NOW,
                disk=disk,
                listens=False,
            )
        )
        await engine.start()
        await engine.enrol(URL, CODE, PIN)
        bearer = engine.state.active_bearer
        await engine.lock_app()
        disk.cut_at = disk.steps + cut_at
        try:
            await engine.remove_bearer(bearer)
        except Exception as cut:
            assert type(cut).__name__ == "PowerCutError"
        for found in disk.aftermaths():
            again = PhoneEngine(Setup(Path("/phone"), vault_cost=CHEAP, sync_seconds=None, disk=found))
            await again.start()
            for card in again.state.bearers:
                await again.remove_bearer(card.id)
            assert again.state.stage is Stage.NOT_ENROLLED
            assert not any(bearer in f"{path} {file.now!r}" for path, file in found.entries.items())
            await again.stop()


async def test_no_log_holds_a_secret_or_says_whose_phone_it_is(
    engine: PhoneEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """Every logger of the process at its most talkative, over the whole life of a vault."""
    caplog.set_level(logging.DEBUG)
    bearer = await _at_work(engine)
    identity = engine._keyring.content.identity
    await engine.lock_app()
    with pytest.raises(WrongPinError):
        await engine.unlock("840275")
    await engine.unlock(PIN)
    await engine.change_pin(PIN, OTHER_PIN)
    await engine.remove_bearer(bearer)
    secrets = (PIN, "840275", OTHER_PIN, CODE, PASSWORD, TOTP, identity.device_token, "signed-in", "half-way")
    for record in caplog.records:
        said = f"{record.getMessage()} {record.exc_text or ''}"
        for secret_word in (*secrets, identity.private_key.hex(), "Anna", USERNAME):
            assert secret_word not in said, record.name


async def test_nothing_readable_lies_on_disk_while_the_vault_is_open_or_shut(
    engine: PhoneEngine, server: SmallServer
) -> None:
    """All files of a phone at work: no name, no address, no door, no token, no key."""
    await engine.enrol(URL, CODE, PIN)
    server.grant(server.wares[0])
    await _sign_in(engine)
    content = engine._keyring.content
    token = next(iter(content.rights.values())).token
    words = ("Anna", "Lind", USERNAME, "Omsorg", "Storgatan", "1201", "4711", content.identity.device_token)
    traces = [*(word.encode() for word in words), content.identity.private_key, token, b"signed-in"]
    for _ in range(2):
        on_disk = _everything(engine._setup.data_dir)
        assert [trace for trace in traces if trace in on_disk] == []
        await engine.lock_app()
    await engine.unlock(PIN)
    for path in engine._setup.data_dir.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, f"{path.name} may be read by others"


async def test_a_wiped_vault_leaves_the_others_ready_to_be_opened(
    tmp_path: Path, server: SmallServer
) -> None:
    clock = [NOW]
    engine = PhoneEngine(
        Setup(
            tmp_path / "pool",
            transport=server.transport(),
            vault_cost=CHEAP,
            sync_seconds=None,
            wall=lambda: clock[0],
            monotonic=lambda: float(clock[0]),
        )
    )
    await engine.start()
    first = await _at_work(engine)
    second = await _at_work(engine, OTHER_PIN)
    await engine.select_bearer(first)
    for _ in range(10):
        clock[0] += 4000
        with pytest.raises((WrongPinError, VaultWipedError)):
            await engine.unlock("840275")
    assert [card.id for card in engine.state.bearers] == [second]
    assert engine.state.active_bearer == second
    await engine.unlock(OTHER_PIN)
    assert engine.state.stage is Stage.UNLOCKED
    await engine.stop()


async def test_hardware_that_does_not_answer_uses_up_no_code(
    engine: PhoneEngine, server: SmallServer, chip: KeyChip
) -> None:
    chip.broken = True
    with pytest.raises(HardwareKeyError):
        await engine.enrol(URL, CODE, PIN)
    assert server.calls == []
    chip.broken = False
    await engine.enrol(URL, CODE, PIN)
    assert engine.state.stage is Stage.UNLOCKED


async def test_an_older_copy_that_cannot_be_cleaned_is_not_opened(server: SmallServer) -> None:
    disk = MemoryDisk()
    setup = Setup(
        Path("/phone"),
        transport=server.transport(),
        vault_cost=CHEAP,
        sync_seconds=None,
        wall=lambda: NOW,
        disk=disk,
    )
    engine = PhoneEngine(setup)
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    server.grant(server.wares[0])
    await _sign_in(engine)
    vault = next(path for path in disk.entries if path.suffix == ".vault")
    copy = disk.entries[vault].now
    await engine.sign_out()
    await engine.lock_app()
    disk.entries[vault].now = copy
    disk.room = sum(len(file.now) for file in disk.entries.values())
    with pytest.raises(DiskFullError):
        await engine.unlock(PIN)
    assert engine.state.stage is Stage.LOCKED
    assert not engine._keyring.is_open
    disk.room = 1 << 40
    await engine.unlock(PIN)
    assert engine.state.vault_warning == "vault_older"
    assert engine._keyring.content.rights == {}
    await engine.stop()
