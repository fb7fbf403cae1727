"""A phone whose clock is wrong: everything goes by the server's time, and the bar says so, but not in red."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from mobile.engine import clock
from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.state import AppState, DoorKind, DoorView, LoginState, Nearby, Stage, SyncStatus, Visit
from mobile.engine.storage.vaultfile import Cost
from mobile.viewmodels import doors
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.pin import PinModel
from mobile.viewmodels.preferences import Preferences
from mobile.viewmodels.session import Session
from mobile.viewmodels.syncbar import SyncBarModel
from mobile.viewmodels.today import TodayModel
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer
from tests.ui.bench import BenchEngine, LoopRunner

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
NOW = 1_790_000_000
HOUR = 3600
DOOR = DoorView(
    "d1",
    DoorKind.APARTMENT,
    "Storgatan 1",
    nearby=Nearby.HERE,
    rights_from=NOW - HOUR,
    rights_until=NOW + HOUR,
)
STATE = AppState(
    stage=Stage.UNLOCKED,
    login=LoginState.SIGNED_IN,
    doors={"d1": DOOR},
    visits=(Visit("v1", NOW - 600, NOW + 600, "4711", ("d1",)),),
)


def session_with(off: int) -> Session:
    """A phone whose clock is ``off`` seconds ahead, as the engine has found out."""
    state = replace(STATE, sync=SyncStatus(last_synced_at=NOW - 60, clock_off_seconds=off))
    return Session(BenchEngine(state), LoopRunner(), Preferences(), now=lambda: NOW + off)


@pytest.mark.parametrize("off", [-5 * HOUR, -600, 0, 600, 5 * HOUR, 40 * 365 * 24 * HOUR, -NOW])
def test_the_right_visit_is_current_and_the_door_is_offered(off: int) -> None:
    session = session_with(off)
    view = TodayModel(session).view()
    [visit] = view.visits
    assert visit.current and not visit.past
    assert [row.allowed for row in view.nearby] == [True]
    assert doors.allowed(DOOR, session.now())


@pytest.mark.parametrize(("off", "said"), [(0, ""), (299, ""), (-600, "clock_off"), (5 * HOUR, "clock_off")])
def test_the_bar_says_so_and_is_not_red(off: int, said: str) -> None:
    session = session_with(off)
    view = SyncBarModel(session).view()
    assert view.text == "Synkad för 1 min sedan"
    assert view.tone == "fine"
    assert view.reason == (session.texts.reason(said).title if said else "")


def test_old_data_matters_more_than_a_wrong_clock() -> None:
    session = session_with(HOUR)
    session.state = replace(session.state, sync=replace(session.state.sync, last_synced_at=NOW - 5 * HOUR))
    view = SyncBarModel(session).view()
    assert (view.tone, view.reason) == ("stale", "Uppgifterna är gamla")


def test_the_wait_after_a_wrong_pin_goes_by_the_clock_that_counts_it() -> None:
    session = session_with(5 * HOUR)
    session.state = replace(
        session.state, stage=Stage.LOCKED, pin_wait_until=NOW + 5 * HOUR + 15, pin_attempts_left=7
    )
    assert "15" in PinModel(session).view().message
    assert Navigation(session).screen == "pin"


async def test_a_clock_that_is_set_while_there_is_no_coverage_is_noticed(tmp_path: Path) -> None:
    wall, ticks = [NOW], [0.0]
    server = SmallServer(now=lambda: NOW)
    setup = Setup(
        tmp_path,
        transport=server.transport(),
        vault_cost=CHEAP,
        sync_seconds=None,
        wall=lambda: wall[0],
        monotonic=lambda: ticks[0],
    )
    engine = PhoneEngine(setup)
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    await engine.sync()
    server.away = True
    wall[0], ticks[0] = NOW + 7 * HOUR, 60.0
    await engine._rounds._carefully(engine._rounds._round)
    assert engine.state.sync.clock_off_seconds == 7 * HOUR - 60
    await engine.lock_app()
    await engine.unlock(PIN)
    assert engine._clock.now() == NOW + 60
    await engine.stop()


def test_rule_07_the_steady_clock_goes_on_while_the_phone_sleeps() -> None:
    slept = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert slept <= clock.steady() <= time.clock_gettime(time.CLOCK_BOOTTIME)
