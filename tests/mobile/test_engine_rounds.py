"""What the engine does by itself: asks for news within a minute, runs on a thread, keeps time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mobile.engine.clock import Clock
from mobile.engine.engine import PhoneEngine
from mobile.engine.factory import build
from mobile.engine.setup import SYNC_SECONDS, Setup
from mobile.engine.state import AppState, LoginState, OpeningState, Stage
from mobile.engine.storage.vaultfile import Cost
from mobile.engine.thread import EngineThread
from mobile.engine.traffic import Traffic
from simulation.virtualtime import WallClock, virtual_time
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
NOW = 1_790_000_000


@virtual_time
async def test_rule_04_news_reaches_a_phone_with_coverage_within_a_minute(tmp_path: Path) -> None:
    wall = WallClock(NOW)
    server = SmallServer(now=wall)
    loop = asyncio.get_running_loop()
    setup = Setup(
        tmp_path,
        transport=server.transport(),
        vault_cost=CHEAP,
        wall=wall,
        monotonic=loop.time,
        listens=False,
    )
    engine = PhoneEngine(setup)
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    await engine.sync()
    server.calls.clear()
    await asyncio.sleep(60)
    assert set(server.calls) == {"POST /api/v1/sync/look"}, "nothing has changed, so nothing is fetched"
    server.away = True
    await asyncio.sleep(60)
    assert not engine.state.sync.online
    assert engine.state.sync.stale_reason == "server_unreachable"
    server.away = False
    await asyncio.sleep(60)
    assert engine.state.sync.online, "and back by itself"
    assert engine.state.sync.stale_reason == ""
    server.revoked = "phone_revoked"
    await asyncio.sleep(60)
    assert engine.state.login is LoginState.SIGNED_OUT
    await engine.stop()
    assert SYNC_SECONDS < 60


def test_the_engine_runs_on_a_thread_of_its_own(tmp_path: Path) -> None:
    """As the app runs it: verbs from another thread, snapshots read from any."""
    server = SmallServer(now=lambda: NOW)
    thread = EngineThread()
    thread.start()
    engine = PhoneEngine(Setup(tmp_path, transport=server.transport(), vault_cost=CHEAP, sync_seconds=None))
    seen: list[AppState] = []
    try:
        thread.submit(engine.start()).result(10)
        engine.subscribe(seen.append)
        thread.submit(engine.enrol(URL, CODE, PIN)).result(10)
        assert engine.state.stage is Stage.UNLOCKED
        opening = thread.submit(engine.open_door("unknown")).result(10)
        assert (opening.state, opening.reason) == (OpeningState.REFUSED, "no_right")
        thread.submit(engine.stop()).result(10)
    finally:
        thread.stop()
    assert seen[0].stage is Stage.NOT_ENROLLED
    assert any(state.stage is Stage.UNLOCKED for state in seen)


async def test_the_app_builds_its_engine_with_nothing_running(tmp_path: Path) -> None:
    engine = build(tmp_path)
    assert engine.state.stage is Stage.NOT_ENROLLED
    assert engine.last_traffic is None


def test_rule_07_time_comes_from_the_server_and_runs_on_by_a_clock_nobody_sets() -> None:
    wall, ticks = [NOW + 3600], [100.0]
    clock = Clock(wall=lambda: wall[0], monotonic=lambda: ticks[0])
    offset = clock.heard(NOW)
    assert (clock.now(), clock.off_by, offset) == (NOW, 3600, -3600)
    wall[0] += 86_400
    ticks[0] += 60
    assert clock.now() == NOW + 60, "setting the phone's clock moves nothing"
    restarted = Clock(wall=lambda: NOW + 3600 + 500, monotonic=lambda: 0.0)
    restarted.restore(offset)
    assert restarted.now() == NOW + 500


def test_round_trips_and_bytes_are_counted_to_the_decision() -> None:
    traffic = Traffic()
    traffic.subscribed()
    traffic.heard(bytes(49))
    traffic.sent(bytes(200))
    traffic.sent(bytes(43))
    traffic.heard(bytes(24))
    traffic.decided()
    traffic.sent(bytes(500))
    traffic.heard(bytes(500))
    traffic.decided()
    assert traffic.round_trips == 2
    assert traffic.application_bytes == 49 + 243 + 24
    assert traffic.message_bytes == traffic.application_bytes - 4
