"""A phone that changes hands while something is under way: nothing of the first person reaches the next.

What was asked for in one vault must not be answered into another, and what was locked stays locked however
late the work that was under way comes to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest

from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import EngineError, LockedError
from mobile.engine.setup import Setup
from mobile.engine.state import AlarmAnswer, AlarmStage, LoginState, Stage
from mobile.engine.storage.vaultfile import Cost
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
SLOW = Cost(memory_kib=65536, passes=3, lanes=1)
"""A vault whose opening takes long enough for a finger to do something else meanwhile."""
NOW = 1_790_000_000
BJORNS_PIN = "602914"
ALARM = {
    "id": "7",
    "alarm_code": "4711",
    "door_ids": [],
    "state": "offered",
    "raised_at": NOW - 60,
    "respond_by": NOW + 120,
    "expires": NOW + 43_200,
}


class Slow(httpx.AsyncBaseTransport):
    """Lets one path's answer wait until somebody says so."""

    def __init__(self, server: SmallServer) -> None:
        self._inner = server.transport()
        self.holds = ""
        self.asked, self.answers = asyncio.Event(), asyncio.Event()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if self.holds and request.url.path.endswith(self.holds):
            self.holds = ""
            self.asked.set()
            await self.answers.wait()
        return answer


@pytest.fixture
def server() -> SmallServer:
    return SmallServer(now=lambda: NOW)


@pytest.fixture
def slow(server: SmallServer) -> Slow:
    return Slow(server)


def _engine(folder: Path, slow: Slow, cost: Cost = CHEAP) -> PhoneEngine:
    return PhoneEngine(Setup(folder, transport=slow, vault_cost=cost, sync_seconds=None, wall=lambda: NOW))


@pytest.fixture
async def engine(tmp_path: Path, slow: Slow) -> AsyncIterator[PhoneEngine]:
    made = _engine(tmp_path, slow)
    await made.start()
    yield made
    await made.stop()


async def _two_people(engine: PhoneEngine) -> tuple[str, str]:
    await engine.enrol(URL, CODE, PIN)
    anna = engine.state.active_bearer
    await engine.enrol(URL, CODE, BJORNS_PIN)
    return anna, engine.state.active_bearer


async def _sign_in(engine: PhoneEngine) -> None:
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)


async def _hand_over(engine: PhoneEngine, to: str, pin: str) -> None:
    await engine.lock_app()
    await engine.select_bearer(to)
    await engine.unlock(pin)


async def _held(slow: Slow, path: str, verb: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Begin a verb and wait until its question is at the server."""
    slow.holds = path
    task = asyncio.create_task(verb)
    await asyncio.wait_for(slow.asked.wait(), 5)
    return task


async def test_a_session_that_comes_late_is_not_given_to_the_next_person(
    engine: PhoneEngine, slow: Slow
) -> None:
    anna, bjorn = await _two_people(engine)
    await _hand_over(engine, anna, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    late = await _held(slow, "/2fa/authenticate", engine.second_factor(TOTP))
    await _hand_over(engine, bjorn, BJORNS_PIN)
    slow.answers.set()
    with pytest.raises(LockedError):
        await late
    assert engine.state.login is LoginState.SIGNED_OUT
    assert engine._keyring.content.session == ""


async def test_half_a_sign_in_that_comes_late_is_not_the_next_persons_to_finish(
    engine: PhoneEngine, slow: Slow
) -> None:
    anna, bjorn = await _two_people(engine)
    await _hand_over(engine, anna, PIN)
    late = await _held(slow, "/auth/login", engine.sign_in(USERNAME, PASSWORD))
    await _hand_over(engine, bjorn, BJORNS_PIN)
    slow.answers.set()
    with pytest.raises(LockedError):
        await late
    assert engine.state.login is LoginState.SIGNED_OUT
    with pytest.raises(EngineError):
        await engine.second_factor(TOTP)


async def test_an_alarm_that_one_took_is_not_noted_as_taken_by_the_next(
    engine: PhoneEngine, slow: Slow, server: SmallServer
) -> None:
    server.spoil = lambda answer: {**answer, "alarms": [ALARM]}
    server.alarm_body = {"state": "taken", "expires": NOW + 1800}
    anna, bjorn = await _two_people(engine)
    for who, pin in ((bjorn, BJORNS_PIN), (anna, PIN)):
        await _hand_over(engine, who, pin)
        await _sign_in(engine)
        await engine.sync()
    late = await _held(slow, "/take", engine.answer_alarm("7", AlarmAnswer.TAKE))
    await _hand_over(engine, bjorn, BJORNS_PIN)
    slow.answers.set()
    with pytest.raises(LockedError):
        await late
    assert [one.stage for one in engine.state.alarms] == [AlarmStage.OFFERED]


async def test_a_vault_that_was_being_opened_when_the_app_was_locked_stays_shut(
    tmp_path: Path, slow: Slow
) -> None:
    engine = _engine(tmp_path, slow, SLOW)
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    await engine.lock_app()
    opening = asyncio.create_task(engine.unlock(PIN))
    await asyncio.sleep(0.02)
    await engine.lock_app()
    with pytest.raises(LockedError):
        await opening
    assert engine.state.stage is Stage.LOCKED
    await engine.unlock(PIN)
    assert engine._keyring.is_open
    await engine.stop()


async def test_the_vault_of_one_is_never_open_under_the_name_of_another(tmp_path: Path, slow: Slow) -> None:
    engine = _engine(tmp_path, slow, SLOW)
    await engine.start()
    anna, bjorn = await _two_people(engine)
    await engine.lock_app()
    await engine.select_bearer(anna)
    opening = asyncio.create_task(engine.unlock(PIN))
    await asyncio.sleep(0.02)
    await engine.select_bearer(bjorn)
    with pytest.raises(LockedError):
        await opening
    assert engine.state.active_bearer == bjorn
    assert engine.state.stage is Stage.LOCKED
    await engine.stop()


async def test_an_enrolment_that_ends_after_the_app_was_locked_leaves_its_vault_shut(
    engine: PhoneEngine, slow: Slow
) -> None:
    late = await _held(slow, "/enrol", engine.enrol(URL, CODE, PIN))
    await engine.lock_app()
    slow.answers.set()
    with pytest.raises(LockedError):
        await late
    assert engine.state.stage is Stage.LOCKED
    assert len(engine.state.bearers) == 1, "the code is used up: its vault is there, and shut"
    await engine.unlock(PIN)


async def test_the_tenth_wrong_old_pin_wipes_its_own_vault_and_no_other(tmp_path: Path, slow: Slow) -> None:
    engine = _engine(tmp_path, slow, SLOW)
    await engine.start()
    anna, bjorn = await _two_people(engine)
    await _hand_over(engine, anna, PIN)
    engine._first_login._vaults._counter(anna).store(9, 0)
    changing = asyncio.create_task(engine.change_pin("111333", "740281"))
    await asyncio.sleep(0.02)
    await engine.select_bearer(bjorn)
    with pytest.raises(EngineError):
        await changing
    assert [card.id for card in engine.state.bearers] == [bjorn]
    await engine.unlock(BJORNS_PIN)
    assert engine.state.active_bearer == bjorn
    await engine.stop()


async def test_a_tap_on_the_glass_while_the_app_is_being_locked_leaves_nothing_behind(
    engine: PhoneEngine, slow: Slow
) -> None:
    anna, _bjorn = await _two_people(engine)
    locking = asyncio.create_task(engine.select_bearer(anna))
    for _ in range(20):
        tap = asyncio.create_task(engine.open_door("d1"))
        await asyncio.sleep(0)
        await asyncio.gather(tap, return_exceptions=True)
    await locking
    assert not engine.state.openings
    await engine.unlock(PIN)
    assert not engine.state.openings
