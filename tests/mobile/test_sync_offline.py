"""Sync that never gets in the way: offline and back by itself, few bytes when nothing changed, and a bar that
tells the truth about it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import ServerError
from mobile.engine.setup import Setup
from mobile.engine.state import LoginState
from mobile.engine.storage.disk import Disk
from mobile.engine.storage.vaultfile import Cost
from protocol.identity import LockIdentity
from protocol.keys import x25519_public
from simulation.virtualtime import WallClock, virtual_time
from tests.lockagent.world import Place, secret
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer, Ware

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
NOW = 1_790_000_000
LOOK, SYNC = "POST /api/v1/sync/look", "POST /api/v1/sync"


class CountingDisk(Disk):
    """The real one, counting how often a file is made durable."""

    syncs = 0

    def sync(self, path: Path) -> None:
        self.syncs += 1
        super().sync(path)


@dataclass
class Phone:
    engine: PhoneEngine
    server: SmallServer
    wall: WallClock
    disk: CountingDisk


def ware(server: SmallServer, name: str) -> Ware:
    """One more door, and a right to it."""
    lock = LockIdentity(x25519_public(secret(name)), bytes(32), bytes(32))
    made = Ware(Place(server.issuer, lock, binding=secret(name)[:8], adv_key=secret(name)), name)
    server.wares.append(made)
    server.grant(made)
    return made


@asynccontextmanager
async def phone(folder: Path, **setup: Any) -> AsyncIterator[Phone]:
    """Signed in and synced, with one right; rounds every 45 seconds of virtual time."""
    wall, disk = WallClock(NOW), CountingDisk()
    server = SmallServer(now=wall)
    built: dict[str, Any] = {
        "transport": server.transport(),
        "vault_cost": CHEAP,
        "wall": wall,
        "monotonic": asyncio.get_running_loop().time,
        "listens": False,
        "disk": disk,
    }
    engine = PhoneEngine(Setup(folder, **built | setup))
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    ware(server, "d1")
    await engine.sync()
    try:
        yield Phone(engine, server, wall, disk)
    finally:
        await engine.stop()


@virtual_time
async def test_an_hour_without_news_fetches_nothing_and_hardly_writes(tmp_path: Path) -> None:
    async with phone(tmp_path) as alice:
        alice.server.calls.clear()
        written = alice.disk.syncs
        await asyncio.sleep(3600)
        assert set(alice.server.calls) == {LOOK}
        assert 80 <= len(alice.server.calls) <= 107
        saves = (alice.disk.syncs - written) / 2  # each makes two files durable
        assert saves <= 13, "how fresh it is, is written down every five minutes"
        assert alice.wall() - (alice.engine.state.sync.last_synced_at or 0) <= 45


@virtual_time
async def test_news_found_by_a_look_is_fetched_at_once(tmp_path: Path) -> None:
    async with phone(tmp_path) as alice:
        held = set(alice.engine._keyring.content.rights)
        alice.server.withdraw(next(iter(held)))
        alice.server.calls.clear()
        await asyncio.sleep(45)
        assert alice.server.calls[:2] == [LOOK, SYNC]
        assert alice.engine._keyring.content.rights == {}


@virtual_time
async def test_offline_is_noticed_and_over_by_itself_within_a_minute(tmp_path: Path) -> None:
    async with phone(tmp_path) as alice:
        for seconds_away in (90, 1800):
            alice.server.away = True
            await asyncio.sleep(seconds_away)
            assert not alice.engine.state.sync.online
            assert alice.engine.state.sync.stale_reason == "server_unreachable"
            assert alice.engine._keyring.content.rights, "what was fetched still opens doors"
            alice.server.away = False
            await asyncio.sleep(60)
            assert alice.engine.state.sync.online
            assert alice.engine.state.sync.stale_reason == ""


@virtual_time
async def test_a_short_dead_zone_is_left_within_seconds(tmp_path: Path) -> None:
    async with phone(tmp_path) as alice:
        alice.server.away = True
        await asyncio.sleep(46)
        alice.server.away = False
        await asyncio.sleep(20)  # by now it asks every 15 to 20 seconds
        assert alice.engine.state.sync.online


@virtual_time
async def test_phones_do_not_come_back_all_at_once(tmp_path: Path) -> None:
    gaps = []
    async with phone(tmp_path) as alice:
        for _ in range(20):
            began, seen = asyncio.get_running_loop().time(), len(alice.server.calls)
            while len(alice.server.calls) == seen:
                await asyncio.sleep(0.25)
            gaps.append(asyncio.get_running_loop().time() - began)
    assert max(gaps) - min(gaps) > 3


@virtual_time
async def test_a_server_that_takes_no_logs_still_gives_rights_and_the_bar_says_why(tmp_path: Path) -> None:
    async with phone(tmp_path) as alice:
        await alice.engine._courier.keep(b"sealed")
        real = alice.server.transport()

        async def refuse(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/logs"):
                return httpx.Response(413, json={"code": "too_large"})
            return await real.handle_async_request(request)

        alice.engine._http._transport = httpx.MockTransport(refuse)
        await alice.engine._http.close()
        ware(alice.server, "d2")
        result = await alice.engine.sync()
        assert result.new_rights == 1
        assert alice.engine.state.sync.waiting_logs == 1
        assert alice.engine.state.sync.stale_reason == "too_large"


@virtual_time
async def test_a_server_that_cannot_be_asked_is_synced_with(tmp_path: Path) -> None:
    async with phone(tmp_path) as alice:
        real = alice.server.transport()

        async def older(request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/look"):
                return httpx.Response(404, json={"code": "not_found"})
            return await real.handle_async_request(request)

        alice.engine._http._transport = httpx.MockTransport(older)
        await alice.engine._http.close()
        alice.server.calls.clear()
        await asyncio.sleep(46)
        assert alice.server.calls == [SYNC]


@virtual_time
async def test_an_answer_cut_off_half_way_changes_nothing_and_the_next_sync_goes_on(tmp_path: Path) -> None:
    async with phone(tmp_path) as alice:
        before = alice.engine._keyring.content
        ware(alice.server, "d2")
        real = alice.server.transport()

        async def cut(request: httpx.Request) -> httpx.Response:
            whole = await real.handle_async_request(request)
            body = await whole.aread()
            alice.server.sent.clear()  # the real server tells by the cursor what did not arrive
            return httpx.Response(200, content=body[: len(body) // 2])

        alice.engine._http._transport = httpx.MockTransport(cut)
        await alice.engine._http.close()
        try:
            await alice.engine.sync()
        except ServerError as error:
            assert error.code == "server_error"
        assert alice.engine._keyring.content == before
        alice.engine._http._transport = real
        await alice.engine._http.close()
        assert (await alice.engine.sync()).new_rights == 1


@virtual_time
async def test_rule_04_a_right_taken_back_goes_also_when_the_session_has_ended(tmp_path: Path) -> None:
    async with phone(tmp_path) as alice:
        ware(alice.server, "d2")
        await alice.engine.sync()
        alice.server.session_over = True
        await asyncio.sleep(46)
        assert alice.engine.state.login is LoginState.SIGNED_OUT
        assert len(alice.engine._keyring.content.rights) == 2, "what was fetched opens doors until it ends"
        assert alice.engine.state.sync.stale_reason == "session_expired"
        alice.server.withdraw(next(iter(alice.engine._keyring.content.rights)))
        await asyncio.sleep(46)
        assert len(alice.engine._keyring.content.rights) == 1
        assert alice.engine.state.sync.stale_reason == "session_expired", (
            "and the bar still asks for a sign-in"
        )


@virtual_time
async def test_rule_04_a_cursor_the_server_does_not_know_keeps_no_revoked_right(tmp_path: Path) -> None:
    """After an update of the server, and nobody signs in: what was taken back must go all the same."""
    async with phone(tmp_path) as alice:
        alice.server.session_over = True
        await asyncio.sleep(46)
        real = alice.engine._http._transport
        assert real is not None

        async def of_another_version(request: httpx.Request) -> httpx.Response:
            if request.url.path == "/api/v1/sync/revoked" and json.loads(request.content)["cursor"]:
                return httpx.Response(400, json={"code": "cursor_invalid"})
            return await real.handle_async_request(request)

        alice.engine._http._transport = httpx.MockTransport(of_another_version)
        await alice.engine._http.close()
        alice.server.withdraw(next(iter(alice.engine._keyring.content.rights)))
        await asyncio.sleep(46)
        assert alice.engine._keyring.content.rights == {}
        assert alice.engine.state.sync.stale_reason == "session_expired"


@virtual_time
async def test_rule_04_a_person_revoked_while_signed_out_loses_everything(tmp_path: Path) -> None:
    async with phone(tmp_path) as alice:
        alice.server.session_over = True
        await asyncio.sleep(46)
        alice.server.revoked = "bearer_revoked"
        await asyncio.sleep(46)
        assert alice.engine._keyring.content.rights == {}
        assert alice.engine.state.sync.stale_reason == "bearer_revoked"


@virtual_time
async def test_the_second_login_during_a_dead_zone_is_asked_for_later(tmp_path: Path) -> None:
    """The session is over and the server away: work goes on with what is held, and one login mends it."""
    async with phone(tmp_path) as alice:
        alice.server.away = alice.server.session_over = True
        await asyncio.sleep(600)
        assert alice.engine.state.login is LoginState.SIGNED_IN, "nobody has said no yet"
        alice.server.away = False
        await asyncio.sleep(61)
        assert alice.engine.state.login is LoginState.SIGNED_OUT
        assert alice.engine._keyring.content.rights
        alice.server.session_over = False
        await alice.engine.sign_in(USERNAME, PASSWORD)
        await alice.engine.second_factor(TOTP)
        await alice.engine.sync()
        assert alice.engine.state.sync.stale_reason == ""
