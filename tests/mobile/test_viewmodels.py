"""What the screens say and do, tested without a screen: the view-models know no toolkit."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from mobile.engine.errors import PinDelayError, WrongPinError
from mobile.engine.state import (
    DONE_WELL,
    AppState,
    BearerCard,
    DoorKind,
    DoorView,
    LoginState,
    Nearby,
    Opening,
    OpeningState,
    Stage,
    SyncStatus,
    Visit,
)
from mobile.viewmodels import results
from mobile.viewmodels.doors import DoorModel
from mobile.viewmodels.enrol import grouped, is_insecure, server_address
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.pin import PinModel
from mobile.viewmodels.preferences import Preferences
from mobile.viewmodels.results import ResultModel
from mobile.viewmodels.session import Session
from mobile.viewmodels.syncbar import SyncBarModel
from mobile.viewmodels.taps import Taps
from mobile.viewmodels.texts import Texts
from mobile.viewmodels.today import StableOrder, TodayModel
from tests.ui.bench import BenchEngine, LoopRunner

ZONE = ZoneInfo("Europe/Stockholm")
NOW = int(datetime(2026, 11, 20, 9, 12, tzinfo=UTC).timestamp())


def _door(door_id: str, kind: DoorKind, nearby: Nearby = Nearby.NO, **more: Any) -> DoorView:
    door = DoorView(
        door_id, kind, "Björkallén 14", nearby=nearby, rights_from=NOW - 60, rights_until=NOW + 60
    )
    return replace(door, **more)


DOORS = {door.id: door for door in (_door("a", DoorKind.APARTMENT, number="1302"), _door("g", DoorKind.GATE))}
OPEN_STATE = AppState(
    stage=Stage.UNLOCKED,
    login=LoginState.SIGNED_IN,
    doors=MappingProxyType(DOORS),
    visits=(
        Visit("v2", NOW + 600, NOW + 1200, "22", ("a",)),
        Visit("v1", NOW - 60, NOW + 600, "11", ("a", "g")),
    ),
)


def _session(state: AppState = OPEN_STATE, now: Callable[[], int] = lambda: NOW) -> Session:
    return Session(BenchEngine(state), LoopRunner(), Preferences(), now=now, zone=ZONE)


def test_view_models_never_import_kivy() -> None:
    code = (
        "import pkgutil, sys, importlib, mobile.viewmodels as v\n"
        "for m in pkgutil.iter_modules(v.__path__): importlib.import_module(f'mobile.viewmodels.{m.name}')\n"
        "assert not [m for m in sys.modules if m.split('.')[0] == 'kivy'], 'kivy was imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)  # noqa: S603


def test_visits_in_order_and_gate_above_apartment() -> None:
    view = TodayModel(_session()).view()
    assert [visit.id for visit in view.visits] == ["v1", "v2"]
    assert [row.door_id for row in view.visits[0].rows] == ["g", "a"]
    assert (view.visits[0].current, view.visits[1].current) == (True, False)
    assert view.visits[0].time == "10:11–10:22"
    assert view.date == "Fredag 20 november"


def test_nearby_doors_need_a_right() -> None:
    heard = {key: replace(door, nearby=Nearby.HERE) for key, door in DOORS.items()}
    heard["a"] = replace(heard["a"], rights_until=NOW)
    view = TodayModel(_session(replace(OPEN_STATE, doors=MappingProxyType(heard)))).view()
    assert [row.door_id for row in view.nearby] == ["g"]


def test_nearby_order_is_stable_and_held_by_a_finger() -> None:
    order = StableOrder()
    gate, flat = _door("g", DoorKind.GATE, Nearby.NEAR), _door("a", DoorKind.APARTMENT, Nearby.NEAR)
    assert order.update([flat, gate]) == ["g", "a"]
    order.holding = True
    assert order.update([replace(flat, nearby=Nearby.HERE)]) == ["g", "a"], "nothing moves, nothing vanishes"
    order.holding = False
    assert order.update([replace(flat, nearby=Nearby.HERE), gate]) == ["a", "g"]


def test_two_equal_doors_do_not_change_places() -> None:
    order = StableOrder()
    one, two = _door("1", DoorKind.GATE, Nearby.HERE), _door("2", DoorKind.GATE, Nearby.HERE)
    assert order.update([one, two]) == order.update([two, one]) == ["1", "2"]


@pytest.mark.parametrize("state", OpeningState)
def test_rule_10_only_what_the_lock_confirmed_is_green(state: OpeningState) -> None:
    assert (results.tone(state) == "good") == (state in DONE_WELL)


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("state", OpeningState)
def test_every_state_has_words_and_trouble_has_a_next_step(state: OpeningState, language: str) -> None:
    if state is OpeningState.IDLE:
        return
    title, happened, next_step = results.words(Opening("d", state=state), Texts(language))
    assert title and happened
    assert bool(next_step) == (results.tone(state) in {"warn", "bad"})
    assert title != f"opening.{state.value}"


async def test_an_old_result_never_shines_through_a_new_tap() -> None:
    old = Opening("a", state=OpeningState.OPEN, changed_at=1)
    session = _session(replace(OPEN_STATE, openings=MappingProxyType({"a": old})))
    navigation, taps = Navigation(session), Taps(session)
    result = ResultModel(session, navigation, taps)
    DoorModel(session, navigation, taps).lock("a")
    assert navigation.screen == "result"
    assert result.view().tone == "running"
    await asyncio.sleep(0.2)
    assert result.view().tone == "good"


async def test_taps_join_until_the_engine_has_answered() -> None:
    session = _session()
    taps = Taps(session)
    door = DoorModel(session, Navigation(session), taps)
    for _ in range(5):
        door.open("a")
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.2)
    assert session.engine.asked == ["open a"]  # type: ignore[attr-defined]
    door.open("a")
    await asyncio.sleep(0.01)
    assert session.engine.asked == ["open a", "open a"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("age", "reason", "tone", "text"),
    [
        (10, "", "fine", "Synkad nyss"),
        (240, "", "fine", "Synkad för 4 min sedan"),
        (240, "server_unreachable", "fine", "Synkad för 4 min sedan"),
        (3000, "server_unreachable", "stale", "Synkad för 50 min sedan"),
        (240, "session_expired", "stale", "Synkad för 4 min sedan"),
        (5 * 3600, "", "stale", "Synkad för 5 tim sedan"),
        (72 * 3600, "", "stale", "Synkad för 3 dygn sedan"),
    ],
)
def test_sync_bar_tells_its_age_and_is_red_only_when_stale(
    age: int, reason: str, tone: str, text: str
) -> None:
    state = replace(OPEN_STATE, sync=SyncStatus(last_synced_at=NOW - age, stale_reason=reason))
    view = SyncBarModel(_session(state)).view()
    assert (view.tone, view.text) == (tone, text)
    assert bool(view.reason) == (tone == "stale" or reason != "")


def test_sync_bar_counts_what_waits_and_says_when_never_synced() -> None:
    view = SyncBarModel(_session(replace(OPEN_STATE, sync=SyncStatus(waiting_logs=2)))).view()
    assert (view.text, view.tone) == ("Inte synkad än · 2 loggar väntar", "stale")


def test_clock_off_is_said() -> None:
    state = replace(OPEN_STATE, sync=SyncStatus(last_synced_at=NOW + 900 - 120, clock_off_seconds=-900))
    view = SyncBarModel(_session(state)).view()
    assert (view.reason, view.text) == ("Telefonens klocka går fel", "Synkad för 2 min sedan")


async def _try_pin(session: Session, model: PinModel) -> None:
    for digit in "493817":
        model.press(digit)
    model.open()
    await asyncio.sleep(0.05)


async def test_pin_counts_down_and_waits() -> None:
    clock = [NOW]
    locked = AppState(stage=Stage.LOCKED, bearers=(BearerCard("b", "Anna"),), active_bearer="b")
    session = _session(locked, lambda: clock[0])
    engine: Any = session.engine
    model = PinModel(session)
    engine.errors["unlock"] = WrongPinError(attempts_left=7, wait_seconds=5)
    engine.publish(pin_attempts_left=7, pin_wait_until=NOW + 5)
    clock[0] = NOW + 6
    await _try_pin(session, model)
    assert model.view().message == "Fel PIN. 7 försök kvar"
    engine.publish(pin_wait_until=NOW + 20)
    assert model.view().message == "Vänta 14 sekunder innan nästa försök"
    assert not model.view().can_open
    engine.publish(pin_wait_until=0, pin_attempts_left=1)
    assert "raderas" in model.view().message
    engine.errors["unlock"] = PinDelayError(wait_seconds=5)
    await _try_pin(session, model)
    assert model.view().message.startswith("Vänta lite")
    assert "493817" not in repr(model) + repr(model.view())


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("nyckel.exempel.se", "https://nyckel.exempel.se"),
        (" https://nyckel.exempel.se/ ", "https://nyckel.exempel.se"),
        ("localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("ftp://nyckel.exempel.se", None),
        ("https://", None),
        ("två ord.se", None),
        ("https://nyckel.exempel.se:port", None),
    ],
)
def test_server_addresses(typed: str, address: str | None) -> None:
    assert server_address(typed) == address


def test_plain_http_is_refused_outside_this_machine() -> None:
    assert is_insecure("http://nyckel.exempel.se")
    assert not is_insecure("http://localhost:8000")
    assert not is_insecure("https://nyckel.exempel.se")


def test_fingerprint_is_read_in_groups() -> None:
    assert grouped("9f3a61c4e07b25d8" * 4) == "9F3A 61C4 E07B 25D8 9F3A 61C4 E07B 25D8"


def test_a_session_that_ends_throws_nobody_out_of_a_door() -> None:
    session = _session()
    engine: Any = session.engine
    navigation = Navigation(session)
    session.changed()
    navigation.go("door", "a")
    engine.publish(login=LoginState.SIGNED_OUT)
    assert navigation.screen == "door"
    engine.publish(doors=MappingProxyType({}))
    assert navigation.screen == "today", "a door that is gone is not shown"
    engine.publish(stage=Stage.LOCKED)
    assert navigation.screen == "pin"


def test_damaged_preferences_are_the_defaults(tmp_path: Any) -> None:
    path = tmp_path / "preferences.json"
    path.write_text('{"language": 7, "scale": "wide"')
    assert Preferences(path).scale == 1.0
    chosen = Preferences(path)
    chosen.language, chosen.scale, chosen.appearance = "en", 1.6, "dark"
    chosen.save()
    again = Preferences(path)
    assert (again.language, again.scale, again.dark, again.sound) == ("en", 1.6, True, True)


def test_the_nearest_of_several_doors_at_hand_stands_first_below_the_gate() -> None:
    def here(door_id: str, kind: DoorKind, place: int) -> DoorView:
        return _door(door_id, kind, Nearby.HERE, near_place=place)

    order = StableOrder()
    flats = [here("a1", DoorKind.APARTMENT, 1), here("a2", DoorKind.APARTMENT, 2)]
    assert order.update([*reversed(flats), here("g", DoorKind.GATE, 3)]) == ["g", "a1", "a2"]
    moved = [here("a1", DoorKind.APARTMENT, 2), here("a2", DoorKind.APARTMENT, 1)]
    order.holding = True
    assert order.update(moved) == ["g", "a1", "a2"], "not under a finger"
    order.holding = False
    assert order.update(moved) == ["a2", "a1"]
