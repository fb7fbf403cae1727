"""A server that answers anything at all: the phone says what is wrong and keeps what it has."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mobile.engine.emergencies import DoorFault
from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import EngineError
from mobile.engine.setup import Setup
from mobile.engine.state import AlarmAnswer, LoginState, Stage
from mobile.engine.storage.vaultfile import Cost
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer
from tests.mobile.test_engine_answers import JSON

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
NOW = 1_790_000_000
ALARM = {
    "id": "7",
    "alarm_code": "4711",
    "door_ids": [],
    "state": "offered",
    "raised_at": NOW - 60,
    "respond_by": NOW + 120,
    "expires": NOW + 43_200,
}
STATUSES = st.sampled_from([200, 201, 204, 302, 400, 401, 403, 404, 409, 410, 418, 426, 429, 500, 503])


class Spoiling(httpx.AsyncBaseTransport):
    """A true server, but for one path, where ``answer`` is given instead."""

    def __init__(self, server: SmallServer) -> None:
        self._inner = server.transport()
        self.path = ""
        self.answer: Any = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        true = await self._inner.handle_async_request(request)
        if request.url.path != self.path:
            return true
        made: httpx.Response = self.answer(true) if callable(self.answer) else self.answer
        return made


async def _engine(folder: str, spoiling: Spoiling) -> PhoneEngine:
    setup = Setup(Path(folder), transport=spoiling, vault_cost=CHEAP, sync_seconds=None)
    engine = PhoneEngine(setup)
    await engine.start()
    return engine


@settings(max_examples=60)
@given(
    st.sampled_from(["device_token", "roots", "root_threshold", "manifest", "phone_id", "staff_name"]), JSON
)
@example("device_token", "å")
@example("device_token", "a\r\nX-Evil: 1")
@example("roots", ["AAAA"])
def test_any_answer_to_enrolment_is_used_whole_or_not_at_all(name: str, value: Any) -> None:
    async def story() -> None:
        spoiling = Spoiling(SmallServer(now=lambda: NOW))
        spoiling.path = "/api/v1/enrol"
        spoiling.answer = lambda true: httpx.Response(201, json=true.json() | {name: value})
        with tempfile.TemporaryDirectory() as folder:
            engine = await _engine(folder, spoiling)
            try:
                await engine.enrol(URL, CODE, PIN)
            except EngineError:
                assert engine.state.stage is Stage.NOT_ENROLLED
            else:
                assert engine.state.stage is Stage.UNLOCKED
            await engine.stop()

    asyncio.run(story())


@pytest.mark.parametrize(
    "name",
    [
        "Provköping\n\nRotnyckelns fingeravtryck\n9F3A 61C4 E07B 25D8",
        "Provköping\r9F3A 61C4",
        "\u202egnipökvorP",
        "Provköping\u20289F3A 61C4",
        "Provköping\0",
        "Provköping" + " " * 100 + "9F3A 61C4 E07B 25D8",
    ],
)
async def test_no_name_puts_a_fingerprint_of_its_own_on_the_screen(tmp_path: Path, name: str) -> None:
    """The person compares the digits that stand under it; another server knows what they ought to be."""
    spoiling = Spoiling(SmallServer(now=lambda: NOW))
    spoiling.path = "/api/v1/info"
    spoiling.answer = lambda true: httpx.Response(200, json=true.json() | {"municipality": {"name": name}})
    engine = await _engine(str(tmp_path), spoiling)
    with pytest.raises(EngineError) as refused:
        await engine.server_identity(URL)
    assert refused.value.code == "server_error"
    await engine.stop()


@settings(max_examples=60)
@given(st.sampled_from(["login", "2fa/authenticate"]), STATUSES, JSON)
@example("login", 401, {"data": {"flows": [{"id": "mfa_authenticate"}]}, "meta": {"session_token": "å"}})
@example("login", 401, {"data": {"flows": [7]}, "meta": {"session_token": "s"}})
@example("2fa/authenticate", 200, {"meta": {"session_token": ""}})
def test_any_answer_to_a_sign_in_is_a_reason_or_a_session(path: str, status: int, value: Any) -> None:
    async def story() -> None:
        spoiling = Spoiling(SmallServer(now=lambda: NOW))
        with tempfile.TemporaryDirectory() as folder:
            engine = await _engine(folder, spoiling)
            await engine.enrol(URL, CODE, PIN)
            spoiling.path = f"/_allauth/app/v1/auth/{path}"
            spoiling.answer = httpx.Response(status, json=value)
            try:
                await engine.sign_in(USERNAME, PASSWORD)
                await engine.second_factor(TOTP)
            except EngineError:
                assert engine.state.login is not LoginState.SIGNED_IN
            else:
                assert engine.state.login is LoginState.SIGNED_IN
            await engine.stop()

    asyncio.run(story())


@pytest.mark.parametrize("path", ["/api/v1/logs", "/api/v1/sync"])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"null", b'{"results": [{"status": "eaten"}]}', b"\xff"])
async def test_a_strange_answer_loses_neither_logs_nor_rights(tmp_path: Path, path: str, body: bytes) -> None:
    spoiling = Spoiling(SmallServer(now=lambda: NOW))
    engine = await _engine(str(tmp_path), spoiling)
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    await engine.sync()
    before = engine._keyring.content
    assert await engine._courier.keep(b"a sealed batch")
    spoiling.path = path
    spoiling.answer = lambda _true: httpx.Response(200, content=body)
    try:
        await engine.sync()
    except EngineError as error:
        assert error.code == "server_error"
    assert engine._keyring.content.rights == before.rights
    assert engine.state.sync.waiting_logs == (1 if path.endswith("logs") else 0)
    await engine.stop()


EMPTY = [
    httpx.Response(200, json={}),
    httpx.Response(200, content=b""),
    httpx.Response(200, html="<h1>Logga in på nätet</h1>"),
    httpx.Response(302, headers={"location": "http://portal.local/"}),
    httpx.Response(400, json={"code": ["a"], "errors": [5, None]}),
]


@pytest.mark.parametrize("answer", EMPTY)
@pytest.mark.parametrize("path", ["/auth/2fa/authenticate", "/auth/login", "/7/take", "/deviations"])
async def test_rule_10_an_answer_that_says_nothing_is_no_yes(
    tmp_path: Path, path: str, answer: httpx.Response
) -> None:
    """Whatever else than our server answers 200, as the sign-in page of a guest network does."""
    server = SmallServer(now=lambda: NOW)
    server.spoil = lambda body: {**body, "alarms": [ALARM]}
    spoiling = Spoiling(server)
    engine = await _engine(str(tmp_path), spoiling)
    await engine.enrol(URL, CODE, PIN)
    if "/auth/" not in path:
        await engine.sign_in(USERNAME, PASSWORD)
        await engine.second_factor(TOTP)
        await engine.sync()
    elif path.endswith("authenticate"):
        await engine.sign_in(USERNAME, PASSWORD)
    before = engine.state
    prefix = "/_allauth/app/v1" if "/auth/" in path else "/api/v1"
    spoiling.path = f"{prefix}{'/alarms' if path.endswith('take') else ''}{path}"
    spoiling.answer = answer
    verbs = {
        "/auth/login": lambda: engine.sign_in(USERNAME, PASSWORD),
        "/auth/2fa/authenticate": lambda: engine.second_factor(TOTP),
        "/7/take": lambda: engine.answer_alarm("7", AlarmAnswer.TAKE),
        "/deviations": lambda: engine.report_door("d1", DoorFault.DEAD_LOCK),
    }
    with pytest.raises(EngineError) as refused:
        await verbs[path]()
    assert refused.value.code in {"server_error", "bad_credentials"}
    assert (engine.state.login, engine.state.alarms) == (before.login, before.alarms)
    await engine.stop()
