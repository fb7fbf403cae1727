"""Enrolment and the second login: what is pinned, what is kept, and what every no means."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import (
    DiskFullError,
    EngineError,
    InsecureServerError,
    LockedError,
    ServerError,
    SignInError,
    VaultCorruptError,
    VaultWipedError,
    WeakPinError,
    WrongPinError,
)
from mobile.engine.setup import Setup
from mobile.engine.state import LoginState, Stage, SyncStatus
from mobile.engine.storage.vaultfile import Cost
from tests.lockagent.world import Issuer
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer
from tests.mobile.power import MemoryDisk

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
NOW = 1_790_000_000


@pytest.fixture
def server() -> SmallServer:
    return SmallServer(now=lambda: NOW)


@pytest.fixture
async def engine(tmp_path: Path, server: SmallServer) -> AsyncIterator[PhoneEngine]:
    setup = Setup(
        tmp_path, transport=server.transport(), vault_cost=CHEAP, sync_seconds=None, wall=lambda: NOW + 600
    )
    made = PhoneEngine(setup)
    await made.start()
    yield made
    await made.stop()


async def test_who_answers_is_told_before_enrolling(engine: PhoneEngine, server: SmallServer) -> None:
    identity = await engine.server_identity(f"{URL}/")
    assert identity.url == URL
    assert identity.municipality == "Provköping"
    assert identity.root_fingerprint == server.issuer.root_set.fingerprint.hex()


async def test_another_server_than_the_one_shown_is_not_enrolled_with(
    engine: PhoneEngine, server: SmallServer
) -> None:
    await engine.server_identity(URL)
    server.issuer = Issuer(name="grannkommun")
    with pytest.raises(ServerError) as refused:
        await engine.enrol(URL, CODE, PIN)
    assert refused.value.code == "server_not_trusted"
    assert engine.state.stage is Stage.NOT_ENROLLED


async def test_a_manifest_the_roots_did_not_sign_is_not_enrolled_with(
    engine: PhoneEngine, server: SmallServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone = server.issuer.manifest_bytes(signers=1)
    monkeypatch.setattr(server.issuer, "manifest_bytes", lambda: lone)
    with pytest.raises(ServerError) as refused:
        await engine.enrol(URL, CODE, PIN)
    assert refused.value.code == "server_not_trusted"
    assert engine.state.stage is Stage.NOT_ENROLLED


async def test_a_weak_pin_or_a_bad_address_sends_nothing(engine: PhoneEngine, server: SmallServer) -> None:
    with pytest.raises(WeakPinError):
        await engine.enrol(URL, CODE, "123456")
    with pytest.raises(InsecureServerError):
        await engine.enrol("http://nycklar.example.se", CODE, PIN)
    with pytest.raises(EngineError):
        await engine.enrol("nonsens", CODE, PIN)
    assert server.calls == []


async def test_the_private_key_never_leaves_the_phone(engine: PhoneEngine, server: SmallServer) -> None:
    await engine.enrol(URL, CODE, PIN)
    private = engine._keyring.content.identity.private_key
    assert server.holders["device-1"].public != private
    assert private not in b"".join(path.read_bytes() for path in _files(engine))


def _files(engine: PhoneEngine) -> list[Path]:
    return [path for path in engine._setup.data_dir.rglob("*") if path.is_file()]


async def test_a_wrong_code_leaves_the_phone_as_it_was(engine: PhoneEngine) -> None:
    with pytest.raises(ServerError) as refused:
        await engine.enrol(URL, "FEL", PIN)
    assert refused.value.code == "code_unknown"
    assert engine.state.stage is Stage.NOT_ENROLLED


async def test_both_halves_of_the_second_login(engine: PhoneEngine) -> None:
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    assert engine.state.login is LoginState.NEEDS_CODE
    with pytest.raises(SignInError) as wrong:
        await engine.second_factor("000000")
    assert wrong.value.code == "wrong_second_factor"
    assert engine.state.login is LoginState.NEEDS_CODE, "another try is allowed"
    await engine.second_factor(f"{TOTP[:3]} {TOTP[3:]}")
    assert engine.state.login is LoginState.SIGNED_IN


async def test_a_half_way_sign_in_does_not_survive_the_app_lock(engine: PhoneEngine) -> None:
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.lock_app()
    await engine.unlock(PIN)
    assert engine.state.login is LoginState.SIGNED_OUT
    with pytest.raises(SignInError):
        await engine.second_factor(TOTP)


async def test_wrong_password_and_missing_second_factor(engine: PhoneEngine, server: SmallServer) -> None:
    await engine.enrol(URL, CODE, PIN)
    with pytest.raises(SignInError) as wrong:
        await engine.sign_in(USERNAME, "fel")
    assert wrong.value.code == "bad_credentials"
    server.has_totp = False
    with pytest.raises(SignInError) as none:
        await engine.sign_in(USERNAME, PASSWORD)
    assert none.value.code == "second_factor_required"
    assert engine.state.login is LoginState.SIGNED_OUT


async def test_nothing_works_through_a_shut_vault(engine: PhoneEngine) -> None:
    await engine.enrol(URL, CODE, PIN)
    await engine.lock_app()
    verbs: list[Any] = [
        engine.sign_in(USERNAME, PASSWORD),
        engine.sync(),
        engine.open_door("1"),
        engine.lock_door("1"),
        engine.history(),
        engine.sign_out(),
        engine.change_pin(PIN, "602914"),
    ]
    for verb in verbs:
        with pytest.raises(LockedError):
            await verb


async def test_rule_07_the_phones_clock_is_not_believed(engine: PhoneEngine, server: SmallServer) -> None:
    """It runs ten minutes ahead here; what is shown is server time, and how far off it is."""
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    await engine.sync()
    status: SyncStatus = engine.state.sync
    assert status.last_synced_at == NOW
    assert status.clock_off_seconds == 600


async def test_signing_out_without_coverage_forgets_all_the_same(
    engine: PhoneEngine, server: SmallServer
) -> None:
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    server.away = True
    await engine.sign_out()
    assert engine.state.login is LoginState.SIGNED_OUT
    assert engine._keyring.content.session == ""


@pytest.mark.parametrize("code", ["phone_revoked", "bearer_revoked", "device_unknown"])
async def test_rule_04_a_revoked_phone_keeps_no_right(
    engine: PhoneEngine, server: SmallServer, code: str
) -> None:
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    await engine.sync()
    server.revoked = code
    with pytest.raises(ServerError):
        await engine.sync()
    assert engine._keyring.content.rights == {}
    assert engine._keyring.content.session == ""
    assert engine.state.login is LoginState.SIGNED_OUT


async def test_locking_the_app_under_a_sync_says_so(tmp_path: Path, server: SmallServer) -> None:
    gate = asyncio.Event()
    inner = server.transport()

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/sync"):
                await gate.wait()
            return await inner.handle_async_request(request)

    engine = PhoneEngine(Setup(tmp_path, transport=Slow(), vault_cost=CHEAP, sync_seconds=None))
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    syncing = asyncio.create_task(engine.sync())
    await asyncio.sleep(0.05)
    assert engine.state.sync.syncing
    await engine.lock_app()
    with pytest.raises(LockedError):
        await syncing
    assert not engine.state.sync.syncing
    await engine.stop()


async def test_a_full_disk_at_enrolment_leaves_a_shut_phone(tmp_path: Path, server: SmallServer) -> None:
    disk = MemoryDisk()
    setup = Setup(tmp_path, transport=server.transport(), vault_cost=CHEAP, sync_seconds=None, disk=disk)
    engine = PhoneEngine(setup)
    await engine.start()
    disk.room = 10
    with pytest.raises(DiskFullError):
        await engine.enrol(URL, CODE, PIN)
    assert engine.state.stage is not Stage.UNLOCKED
    disk.room = 1 << 40
    await engine.enrol(URL, CODE, PIN)
    assert engine.state.stage is Stage.UNLOCKED
    await engine.stop()


async def test_a_damaged_vault_is_said_to_be_damaged_and_not_counted(engine: PhoneEngine) -> None:
    await engine.enrol(URL, CODE, PIN)
    await engine.lock_app()
    vault = next((engine._setup.data_dir / "vaults").glob("*.vault"))
    data = bytearray(vault.read_bytes())
    data[len(data) // 2] ^= 1
    vault.write_bytes(data)
    with pytest.raises(VaultCorruptError):
        await engine.unlock(PIN)
    assert engine.state.stage is Stage.LOCKED
    assert engine.state.pin_attempts_left == 10


async def test_ten_wrong_pins_erase_the_vault_and_leave_the_logs(tmp_path: Path, server: SmallServer) -> None:
    clock = [NOW]
    setup = Setup(
        tmp_path,
        transport=server.transport(),
        vault_cost=CHEAP,
        sync_seconds=None,
        wall=lambda: clock[0],
        monotonic=lambda: float(clock[0]),
    )
    engine = PhoneEngine(setup)
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    assert await engine._courier.keep(b"a sealed batch")
    await engine.lock_app()
    for left in range(9, 0, -1):
        with pytest.raises(WrongPinError):
            await engine.unlock("840275")
        assert engine.state.pin_attempts_left == left
        clock[0] += 3600
    with pytest.raises(VaultWipedError):
        await engine.unlock("840275")
    assert engine.state.stage is Stage.NOT_ENROLLED
    assert engine.state.sync.waiting_logs == 1
    await engine.stop()


async def test_ten_wrong_old_pins_erase_the_open_vault_for_good(tmp_path: Path, server: SmallServer) -> None:
    clock = [NOW]
    setup = Setup(
        tmp_path,
        transport=server.transport(),
        vault_cost=CHEAP,
        sync_seconds=None,
        wall=lambda: clock[0],
        monotonic=lambda: float(clock[0]),
    )
    engine = PhoneEngine(setup)
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    for _ in range(9):
        clock[0] += 4000
        with pytest.raises(WrongPinError):
            await engine.change_pin("840275", "602914")
    clock[0] += 4000
    with pytest.raises(VaultWipedError):
        await engine.change_pin("840275", "602914")
    assert engine.state.stage is Stage.NOT_ENROLLED
    assert engine.state.staff_name == ""
    with pytest.raises(LockedError):
        await engine.open_door("1")
    with pytest.raises(LockedError):
        await engine.sign_in(USERNAME, PASSWORD)
    await engine.stop()
    assert list((tmp_path / "vaults").iterdir()) == [], "nothing is written back"


async def test_a_stopped_engine_shows_nothing_of_the_vault(engine: PhoneEngine) -> None:
    await engine.enrol(URL, CODE, PIN)
    await engine.stop()
    assert engine.state.stage is Stage.LOCKED
    assert engine.state.staff_name == ""


async def test_two_syncs_at_once_are_one(engine: PhoneEngine, server: SmallServer) -> None:
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    await asyncio.gather(engine.sync(), engine.sync(), engine.sync())
    assert server.calls.count("POST /api/v1/sync") == 1
