"""Break-glass, reporting a door, and taking an alarm where coverage comes and goes, at the engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from mobile.engine import asking
from mobile.engine.emergencies import DoorFault, EmergencyReason, EmergencyRight
from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import ServerError, SignInError
from mobile.engine.setup import Setup
from mobile.engine.state import AlarmAnswer, AlarmStage, LoginState
from mobile.engine.storage.vaultfile import Cost
from protocol.identity import LockIdentity
from protocol.keys import x25519_public
from server.access.domain.break_glass import REASONS
from server.passages.domain.handling import REPORTABLE
from tests.lockagent.world import APARTMENT, Place, secret
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer, Ware

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
NOW = 1_790_000_000
HOUR = 3600
OFFERED = {
    "id": 7,
    "alarm_code": "4711",
    "door_ids": ["d1"],
    "state": "offered",
    "raised_at": NOW,
    "respond_by": NOW + 45,
    "expires": NOW + 12 * HOUR,
}


class Silent(httpx.AsyncBaseTransport):
    """A server that takes the question for a right and says nothing more."""

    def __init__(self, small: SmallServer) -> None:
        self._small = small.transport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/break-glass"):
            await asyncio.Event().wait()
        return await self._small.handle_async_request(request)


@asynccontextmanager
async def phone(folder: Path, *, silent: bool = False) -> AsyncIterator[tuple[PhoneEngine, SmallServer]]:
    """A signed-in phone without a right, and a server with one apartment."""
    small = SmallServer(now=lambda: NOW)
    lock = LockIdentity(x25519_public(secret("s")), secret("l"), x25519_public(secret("e")))
    place = Place(small.issuer, lock, binding=secret("d1")[:8], settings=APARTMENT, adv_key=secret("d1"))
    small.wares.append(Ware(place, "d1"))
    engine = PhoneEngine(
        Setup(
            folder,
            transport=Silent(small) if silent else small.transport(),
            vault_cost=CHEAP,
            sync_seconds=None,
            wall=lambda: NOW,
        )
    )
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    await engine.sync()
    try:
        yield engine, small
    finally:
        await engine.stop()


def test_the_reasons_and_faults_are_those_that_the_server_takes() -> None:
    assert [one.value for one in EmergencyReason] == [str(one) for one in REASONS]
    assert [one.value for one in DoorFault] == [str(one) for one in REPORTABLE]


async def test_the_right_is_in_the_phone_when_the_answer_is(tmp_path: Path) -> None:
    async with phone(tmp_path) as (engine, small):
        asked: list[dict[str, Any]] = []

        def give(body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            asked.append(body)
            small.grant(small.wares[0], hours=1)
            return 200, {"right_id": 4, "expires": NOW + HOUR}

        small.break_glass = give
        assert engine.state.doors["d1"].rights_until is None
        taken = await engine.break_glass(EmergencyReason.NO_ANSWER, door_id="d1")
        assert taken == EmergencyRight(NOW + HOUR, ("d1",))
        assert engine.state.doors["d1"].rights_until == NOW + HOUR
        assert asked == [{"door_id": "d1", "reason": "no_answer"}]

        small.break_glass = lambda body: (asked.append(body), (200, {"right_id": 4, "expires": NOW + HOUR}))[
            1
        ]
        again = await engine.break_glass(EmergencyReason.OTHER, alarm_code="4711")
        assert again == taken, "taken again it is the same right, and its doors are told again"
        assert asked[-1] == {"alarm_code": "4711", "reason": "other"}


@pytest.mark.parametrize(
    ("status", "said", "code", "why"),
    [
        (404, {"code": "client_unknown"}, "client_unknown", None),
        (409, {"code": "nothing_to_open", "details": {"reason": "no_lock"}}, "nothing_to_open", "no_lock"),
        (409, {"code": "nothing_to_open", "details": {"reason": "<b>"}}, "nothing_to_open", None),
        (409, {"code": "nothing_to_open", "details": ["no_lock"]}, "nothing_to_open", None),
        (429, {"code": "throttled"}, "break_glass_too_often", None),
        (429, {}, "break_glass_too_often", None),
        (200, {"expires": "soon"}, "server_error", "unexpected expires"),
    ],
)
async def test_a_refusal_says_why(
    tmp_path: Path, status: int, said: dict[str, Any], code: str, why: str | None
) -> None:
    async with phone(tmp_path) as (engine, small):
        small.break_glass = lambda _body: (status, said)
        with pytest.raises(ServerError) as refused:
            await engine.break_glass(EmergencyReason.OTHER, alarm_code="4711")
        assert (refused.value.code, refused.value.details.get("why")) == (code, why)


async def test_a_right_that_was_taken_when_coverage_went_is_said_to_wait(tmp_path: Path) -> None:
    async with phone(tmp_path) as (engine, small):

        def give_and_go(_body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
            small.grant(small.wares[0], hours=1)
            small.away = True
            return 200, {"right_id": 4, "expires": NOW + HOUR}

        small.break_glass = give_and_go
        with pytest.raises(ServerError) as waits:
            await engine.break_glass(EmergencyReason.NO_ANSWER, door_id="d1")
        assert waits.value.code == "right_waits"
        small.away = False
        await engine.sync()
        assert engine.state.doors["d1"].rights_until == NOW + HOUR


async def test_an_ended_session_is_learnt_at_once_and_nothing_is_taken(tmp_path: Path) -> None:
    async with phone(tmp_path) as (engine, small):
        small.break_glass = lambda _body: (401, {"code": "session_missing"})
        small.revoked = "session_missing"
        with pytest.raises(SignInError) as refused:
            await engine.break_glass(EmergencyReason.OTHER, alarm_code="4711")
        assert refused.value.code == "session_expired"
        assert engine.state.login is LoginState.SIGNED_OUT
        with pytest.raises(SignInError):
            await engine.report_door("d1", DoorFault.JAM)


async def test_a_revoked_phone_that_asks_loses_what_it_holds(tmp_path: Path) -> None:
    async with phone(tmp_path) as (engine, small):
        small.grant(small.wares[0])
        await engine.sync()
        small.revoked = "phone_revoked"
        with pytest.raises(SignInError) as refused:
            await engine.break_glass(EmergencyReason.OTHER, alarm_code="4711")
        assert refused.value.code == "phone_revoked"
        assert dict(engine.state.doors) == {}


async def test_a_server_that_keeps_silent_is_given_up_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE_S", 0.05)
    async with phone(tmp_path, silent=True) as (engine, _small):
        with pytest.raises(ServerError) as refused:
            await engine.break_glass(EmergencyReason.OTHER, alarm_code="4711")
        assert refused.value.code == "server_unreachable"


async def test_a_fault_at_a_door_is_reported(tmp_path: Path) -> None:
    async with phone(tmp_path) as (engine, small):
        await engine.report_door("d1", DoorFault.DEAD_LOCK)
        assert small.reported == [{"door_id": "d1", "kind": "dead_lock"}]


async def test_an_alarm_is_taken_once_though_coverage_went_before_its_right_came(tmp_path: Path) -> None:
    async with phone(tmp_path) as (engine, small):
        small.spoil = lambda body: body | {"alarms": [OFFERED]}
        await engine.sync()
        small.alarm_body = {"id": 7, "state": "taken", "expires": NOW + 1800}
        answered = small.calls.count("POST /api/v1/sync")
        small.spoil = lambda _body: {}
        with pytest.raises(ServerError) as waits:
            await engine.answer_alarm("7", AlarmAnswer.TAKE)
        assert waits.value.code == "right_waits"
        assert small.calls.count("POST /api/v1/sync") == answered + 1
        [alarm] = engine.state.alarms
        assert (alarm.stage, alarm.expires) == (AlarmStage.TAKEN, NOW + 1800)
        await engine.lock_app()
        await engine.unlock(PIN)
        assert engine.state.alarms == (alarm,), "also after the app was locked"


@pytest.mark.parametrize("answer", [AlarmAnswer.DECLINE, AlarmAnswer.HAND_OVER])
async def test_an_answer_that_arrived_is_an_answer_also_when_the_sync_after_it_fails(
    tmp_path: Path, answer: AlarmAnswer
) -> None:
    async with phone(tmp_path) as (engine, small):
        small.spoil = lambda body: body | {"alarms": [OFFERED]}
        await engine.sync()
        small.alarm_body = {"id": 7, "state": "passed", "expires": None}
        small.spoil = lambda _body: {}
        await engine.answer_alarm("7", answer)
        assert engine.state.alarms == ()


@pytest.mark.parametrize(("late", "shown"), [(-1, 1), (3599, 1), (3600, 0)])
async def test_a_taken_alarm_is_shown_for_an_hour_after_its_right(
    tmp_path: Path, late: int, shown: int
) -> None:
    async with phone(tmp_path) as (engine, small):
        taken = OFFERED | {"state": "taken", "expires": NOW - late}
        small.spoil = lambda body: body | {"alarms": [taken]}
        await engine.sync()
        assert len(engine.state.alarms) == shown
