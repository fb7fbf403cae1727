"""Hearing that there is news: over a real websocket, from servers kind, rude, gone, or another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from mobile.engine import ears
from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import ServerError
from mobile.engine.http import Http
from mobile.engine.setup import Setup
from mobile.engine.state import Alarm, AlarmAnswer, AlarmStage
from mobile.engine.storage.vaultfile import Cost
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, USERNAME, SmallServer

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
NOW = 1_790_000_000
SYNC = '{"type": "sync"}'
PATIENCE_S = 10.0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits long enough to be seen and too short to be waited for."""
    monkeypatch.setattr(ears, "FIRST_WAIT_S", 0.02)
    monkeypatch.setattr(ears, "LONGEST_WAIT_S", 0.2)
    monkeypatch.setattr(ears, "GAP_S", 0.05)


@dataclass
class Mouth:
    """The server's end of the websocket."""

    connections: list[ServerConnection] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    answer: Callable[[ServerConnection, Request], Response | None] = lambda _connection, _request: None
    close_with: int = 0
    server: Server | None = None

    @property
    def port(self) -> int:
        assert self.server is not None
        return int(next(iter(self.server.sockets)).getsockname()[1])

    async def talk(self, connection: ServerConnection) -> None:
        if self.close_with:
            await connection.close(self.close_with)
            return
        self.connections.append(connection)
        await connection.wait_closed()

    def look(self, connection: ServerConnection, request: Request) -> Response | None:
        self.asked.append(request)
        return self.answer(connection, request)

    async def say(self, message: str | bytes) -> None:
        await self.connections[-1].send(message)


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def mouth() -> AsyncIterator[Mouth]:
    made = Mouth()
    async with serve(made.talk, "localhost", 0, process_request=made.look) as made.server:
        yield made


@dataclass
class Phone:
    engine: PhoneEngine
    small: SmallServer

    @property
    def syncs(self) -> int:
        return self.small.calls.count("POST /api/v1/sync")

    async def quiet(self) -> int:
        """Wait until nothing more is asked for; returns how often it was so far."""
        before = -1
        while before != self.syncs:
            before = self.syncs
            await asyncio.sleep(0.3)
        return before


@asynccontextmanager
async def phone(folder: Path, port: int, *, signed_in: bool = True) -> AsyncIterator[Phone]:
    small = SmallServer(now=lambda: NOW)
    setup = Setup(
        folder,
        transport=small.transport(),
        vault_cost=CHEAP,
        sync_seconds=3600,
        wall=lambda: NOW,
    )
    engine = PhoneEngine(setup)
    await engine.start()
    await engine.enrol(f"http://localhost:{port}", CODE, PIN)
    if signed_in:
        await engine.sign_in(USERNAME, PASSWORD)
        await engine.second_factor(TOTP)
    try:
        yield Phone(engine, small)
    finally:
        await engine.stop()


async def test_news_makes_a_sync_at_once(tmp_path: Path) -> None:
    async with mouth() as server, phone(tmp_path, server.port) as alice:
        await until(lambda: server.connections)
        assert server.asked[0].headers["Authorization"] == "Device device-1"
        assert server.asked[0].path == "/ws/phone/"
        before = await alice.quiet()
        assert before == 1, "what was said before anybody listened"
        await server.say(SYNC)
        await until(lambda: alice.syncs == before + 1)


async def test_a_flood_is_a_trickle(tmp_path: Path) -> None:
    async with mouth() as server, phone(tmp_path, server.port) as alice:
        await until(lambda: server.connections)
        before = await alice.quiet()
        for _ in range(500):
            await server.say(SYNC)
        assert await alice.quiet() - before <= 10


@pytest.mark.parametrize(
    "nonsense", ["", "sync", "[]", "null", '{"type": "open"}', '{"type": ["sync"]}', b"\xff\xfe", "[" * 200]
)
async def test_whatever_else_is_said_is_passed_over(tmp_path: Path, nonsense: str | bytes) -> None:
    async with mouth() as server, phone(tmp_path, server.port) as alice:
        await until(lambda: server.connections)
        before = await alice.quiet()
        await server.say(nonsense)
        assert await alice.quiet() == before
        await server.say(SYNC)
        await until(lambda: alice.syncs > before)


async def test_a_long_speech_ends_the_conversation_and_it_begins_anew(tmp_path: Path) -> None:
    async with mouth() as server, phone(tmp_path, server.port) as alice:
        await until(lambda: server.connections)
        await server.say("x" * (ears.MOST_BYTES + 1))
        await until(lambda: len(server.connections) == 2)
        before = await alice.quiet()
        await server.say(SYNC)
        await until(lambda: alice.syncs > before)


async def test_it_comes_back_after_every_loss_and_never_hurries(tmp_path: Path) -> None:
    async with mouth() as server, phone(tmp_path, server.port):
        for times in range(1, 4):
            await until(lambda: len(server.connections) == times)  # noqa: B023
            server.connections[-1].transport.abort()
        server.answer = lambda connection, _request: connection.respond(503, "busy")
        tried = len(server.asked)
        await asyncio.sleep(1.0)
        assert 2 <= len(server.asked) - tried <= 15


@pytest.mark.parametrize("code", [4401, 4403])
async def test_a_phone_that_is_turned_away_syncs_to_learn_why(tmp_path: Path, code: int) -> None:
    async with mouth() as server:
        server.close_with = code
        async with phone(tmp_path, server.port) as alice:
            alice.small.revoked = "phone_revoked"
            await until(lambda: alice.engine.state.sync.stale_reason == "phone_revoked")
            assert alice.engine.state.login.value == "signed_out"
            await alice.quiet()
            tried = len(server.asked)
            await asyncio.sleep(0.5)
            assert len(server.asked) == tried, "nobody is signed in, so nobody listens"


async def test_nobody_listens_behind_a_shut_vault_or_without_a_person(tmp_path: Path) -> None:
    async with mouth() as server, phone(tmp_path, server.port, signed_in=False) as alice:
        await asyncio.sleep(0.2)
        assert server.asked == []
        await alice.engine.sign_in(USERNAME, PASSWORD)
        await alice.engine.second_factor(TOTP)
        await until(lambda: server.connections)
        await alice.engine.lock_app()
        await asyncio.wait_for(server.connections[-1].wait_closed(), PATIENCE_S)
        await alice.engine.unlock(PIN)
        await until(lambda: len(server.connections) == 2)
        await alice.engine.sign_out()
        await asyncio.wait_for(server.connections[-1].wait_closed(), PATIENCE_S)


async def test_the_device_token_follows_no_redirect(tmp_path: Path) -> None:
    async with mouth() as thief, mouth() as server:

        def elsewhere(_connection: ServerConnection, _request: Request) -> Response:
            headers = Headers({"Location": f"ws://localhost:{thief.port}/", "Content-Length": "0"})
            return Response(302, "Found", headers)

        server.answer = elsewhere
        async with phone(tmp_path, server.port):
            await until(lambda: len(server.asked) > 1)
        assert thief.asked == []


# --- answering an alarm -------------------------------------------------------------------------------------

OFFERED = {
    "id": 7,
    "alarm_code": "4711",
    "door_ids": [],
    "state": "offered",
    "raised_at": NOW,
    "respond_by": NOW + 45,
    "expires": NOW + 1800,
}


async def test_an_alarm_is_shown_kept_and_gone_when_it_is_over(tmp_path: Path) -> None:
    async with phone(tmp_path, 9) as alice:
        alice.small.spoil = lambda body: body | {"alarms": [OFFERED]}
        await alice.engine.sync()
        shown = Alarm("7", "4711", (), AlarmStage.OFFERED, NOW, NOW + 45, NOW + 1800)
        assert alice.engine.state.alarms == (shown,)
        await alice.engine.lock_app()
        assert alice.engine.state.alarms == ()
        await alice.engine.unlock(PIN)
        assert alice.engine.state.alarms == (shown,)
        alice.small.spoil = lambda body: body | {"alarms": [OFFERED | {"id": 8, "expires": NOW}]}
        await alice.engine.sync()
        assert alice.engine.state.alarms == (), "one that has run out is not shown"


async def test_an_alarm_that_is_not_here_cannot_be_answered(tmp_path: Path) -> None:
    async with phone(tmp_path, 9) as alice:
        with pytest.raises(ServerError) as refused:
            await alice.engine.answer_alarm("7", AlarmAnswer.TAKE)
        assert refused.value.code == "alarm_ended"
        assert not any("alarms" in call for call in alice.small.calls)


@pytest.mark.parametrize(
    ("said", "heard"), [("alarm_taken", "alarm_taken"), ("not_found", "alarm_ended"), ("", "")]
)
async def test_an_answer_is_followed_by_a_sync_also_when_it_came_too_late(
    tmp_path: Path, said: str, heard: str
) -> None:
    async with phone(tmp_path, 9) as alice:
        alice.small.spoil = lambda body: body | {"alarms": [OFFERED]}
        await alice.engine.sync()
        alice.small.alarms_say = said
        alice.small.spoil = lambda body: body | {"alarms": []}
        if heard:
            with pytest.raises(ServerError) as refused:
                await alice.engine.answer_alarm("7", AlarmAnswer.HAND_OVER)
            assert refused.value.code == heard
        else:
            await alice.engine.answer_alarm("7", AlarmAnswer.HAND_OVER)
        assert "POST /api/v1/alarms/7/hand-over" in alice.small.calls
        assert alice.engine.state.alarms == ()


async def test_without_coverage_an_answer_is_not_given(tmp_path: Path) -> None:
    async with phone(tmp_path, 9) as alice:
        alice.small.spoil = lambda body: body | {"alarms": [OFFERED]}
        await alice.engine.sync()
        alice.small.away = True
        with pytest.raises(ServerError) as refused:
            await alice.engine.answer_alarm("7", AlarmAnswer.TAKE)
        assert refused.value.code == "server_unreachable"
        assert len(alice.engine.state.alarms) == 1


async def test_a_phone_that_hears_the_server_asks_less_often(tmp_path: Path) -> None:
    """And at once again when it hears nothing any more."""
    async with mouth() as server, phone(tmp_path, server.port) as alice:
        await until(lambda: server.connections)
        await alice.quiet()
        rounds, looks = alice.engine._rounds, lambda: alice.small.calls.count("POST /api/v1/sync/look")
        for _ in range(5):
            await rounds._round()
        assert looks() == 1
        server.answer = lambda connection, _request: connection.respond(503, "away")
        await server.connections[-1].close()
        await until(lambda: not rounds.listening())
        for _ in range(3):
            await rounds._round()
        assert looks() == 4


async def test_nothing_of_what_is_sent_reaches_a_log_that_lets_everything_through(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As Kivy's does, which on a phone is the system's own log."""
    with caplog.at_level(logging.DEBUG):
        async with mouth() as server, phone(tmp_path, server.port) as alice:
            await until(lambda: server.connections)
            await server.say(SYNC)
            await alice.quiet()
            url = alice.engine.state.server_url
            with pytest.raises(ServerError):
                await Http(transport=None, on_contact=lambda _online: None).call(
                    "GET", f"{url}/x", device_token="device-1", session="signed-in"
                )
    ours = [line for line in caplog.messages if "websockets.server" not in line]
    for secret in ("device-1", "signed-in", PASSWORD, PIN, TOTP, CODE, "/api/v1"):
        assert not [line for line in ours if secret in line]
