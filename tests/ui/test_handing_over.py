"""A phone that changes hands on any screen: nothing of the first person is left for the next."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import FunctionType, MappingProxyType, ModuleType
from typing import Any

import pytest
from kivy.core.text import Label as CoreLabel

from mobile.engine.emergencies import EmergencyRight
from mobile.engine.errors import EngineError, LockedError, SignInError
from mobile.engine.state import (
    Alarm,
    AlarmAnswer,
    AlarmStage,
    AppState,
    DoorKind,
    HistoryEntry,
    LoginState,
    OpeningState,
    Operation,
)
from mobile.ui.widgets import Entry
from tests.ui.bench import BenchEngine
from tests.ui.driver import Driver
from tests.ui.scenes import DOORS, HISTORY, LOCKED, MORNING, UNLOCKED, VISITS
from tests.ui.urgent import OFFERED_DAY
from tests.ui.vaults import POOL

MARK = "Ännasväg"
PRACTICE = replace(DOORS["g1"], id="p1", kind=DoorKind.PRACTICE, label=f"{MARK} övning")
ANNAS = AppState(
    **{
        **{name: getattr(UNLOCKED, name) for name in UNLOCKED.__slots__},
        "bearers": POOL,
        "staff_name": f"{MARK} Lind",
        "username": f"{MARK}.lind",
        "provider_name": f"{MARK} AB",
        "visits": tuple(replace(visit, alarm_code=f"{MARK}-{visit.alarm_code}") for visit in VISITS),
        "alarms": (
            Alarm("7", f"{MARK}-7", ("a1",), AlarmStage.TAKEN, MORNING - 75, MORNING + 32, MORNING + 1800),
        ),
        "doors": MappingProxyType(
            {
                **{key: replace(door, address=f"{MARK} {key}") for key, door in DOORS.items()},
                "p1": PRACTICE,
                "a2": replace(
                    DOORS["a2"], address=f"{MARK} a2", left_unlocked=True, unlocked_at=MORNING - 60
                ),
            }
        ),
    }
)
SHUT = replace(LOCKED, bearers=POOL, active_bearer="")
SCREENS = [
    ("today", ""), ("history", ""), ("settings", ""), ("finder", ""), ("door", "a1"), ("result", "a1"),
    ("help", "a3"), ("emergency", "a3"), ("emergency", ""), ("report", "g1"), ("practice", ""),
    ("mypin", ""), ("about", ""), ("alarm", ""),
]  # fmt: skip


def marked(root: object) -> Iterator[str]:
    """Every text with the first person's mark that can be reached from here, and how."""
    seen: set[int] = set()
    waiting: list[tuple[object, str]] = [(root, type(root).__name__)]
    while waiting:
        thing, way = waiting.pop()
        kind = type(thing)
        if issubclass(kind, CoreLabel):
            continue  # what Kivy drew last, until it draws again
        if id(thing) in seen or issubclass(kind, type | ModuleType | BenchEngine | int | float | bytes):
            continue
        seen.add(id(thing))
        if issubclass(kind, str) and MARK in str(thing):
            yield f"{way}: {str(thing)[:60]}"
        if kind is FunctionType:
            assert isinstance(thing, FunctionType)
            waiting += [(cell, f"{way}→{thing.__qualname__}") for cell in thing.__closure__ or ()]
            continue
        for inner in gc.get_referents(thing):
            waiting.append((inner, f"{way}→{type(inner).__name__}"[-260:]))


async def _anna_works(driver: Driver) -> None:
    """She looks at every screen, and types and taps a little on each."""
    app, engine = driver.app, driver.engine
    engine.entries = [replace(entry, door_label=f"{MARK} {entry.door_id}") for entry in HISTORY]
    engine.emergency_right = EmergencyRight(MORNING + 3600, ("a1",))
    await driver.settle()
    driver.engine.publish()
    await driver.until(lambda: driver.screen.name == "alarm")
    app.navigation.back()  # the alarm is hers; it stays as a strip
    for screen, door in SCREENS:
        app.navigation.go(screen, door)
        await driver.settle(5)
        for entry in driver.all(Entry):
            entry.text = MARK
        if screen == "result":
            app.taps.act("a1", Operation.OPEN)
            await asyncio.sleep(0.15)
        if screen == "emergency":
            driver.screen.choose("no_answer")
            driver.screen.act("take")
            await driver.settle(4)
        if screen == "report":
            driver.screen.choose("dead_lock")
            await driver.settle(3)


@pytest.mark.parametrize("last", [1, 5, 7])
async def test_nothing_of_the_first_person_is_anywhere_when_the_vault_is_shut(last: int) -> None:
    async with Driver(ANNAS) as driver:
        await _anna_works(driver)
        screen, door = SCREENS[last]
        driver.app.navigation.go(screen, door)
        await driver.settle(6)
        assert any(marked(driver.app)), "the search finds what there is"
        driver.engine.publish(**{name: getattr(SHUT, name) for name in SHUT.__slots__})
        await driver.settle(8)
        assert driver.screen.name == "pin"
        gc.collect()
        assert sorted(set(marked(driver.app)))[:8] == []


class Away(BenchEngine):
    """An engine whose server answers when a test says so."""

    def __init__(self, state: AppState) -> None:
        super().__init__(state)
        self.answers = asyncio.Event()

    async def sign_in(self, username: str, password: str) -> None:
        self._ask("sign_in")
        await self.answers.wait()
        raise LockedError

    async def answer_alarm(self, alarm_id: str, answer: AlarmAnswer) -> None:
        self._ask(f"{answer.value} {alarm_id}")
        await self.answers.wait()
        raise LockedError

    async def history(self, limit: int = 200) -> Sequence[HistoryEntry]:
        self._ask("history")
        entries = self.entries[:limit]
        await self.answers.wait()
        return entries


async def _hand_over(driver: Driver, **more: Any) -> None:
    """The app is locked, and the next person opens their own vault."""
    driver.engine.publish(**{name: getattr(SHUT, name) for name in SHUT.__slots__})
    await driver.settle(3)
    bjorns = replace(UNLOCKED, bearers=POOL, active_bearer="b2", **more)
    driver.engine.publish(**{name: getattr(bjorns, name) for name in bjorns.__slots__})
    await driver.settle(3)


async def test_an_unanswered_sign_in_does_not_hold_up_the_next_person() -> None:
    signed_out = replace(UNLOCKED, login=LoginState.SIGNED_OUT)
    async with Driver(engine=Away(signed_out)) as driver:
        screen = driver.screen
        screen.model.sign_in("anna", "hemligt")
        await driver.settle(3)
        await _hand_over(driver, login=LoginState.SIGNED_OUT)
        assert not driver.screen.view.working
        driver.engine.answers.set()
        await driver.settle(3)
        assert driver.screen.view.message == "", "what was the first one's matter is not told the second"


async def test_a_wrong_password_of_the_first_person_is_not_told_the_next() -> None:
    async with Driver(replace(UNLOCKED, login=LoginState.SIGNED_OUT)) as driver:
        driver.engine.errors["sign_in"] = SignInError("bad_credentials")
        driver.screen.model.sign_in("anna", "fel")
        await driver.settle(3)
        assert driver.screen.view.message
        await _hand_over(driver, login=LoginState.SIGNED_OUT)
        assert driver.screen.view.message == ""


async def test_the_question_before_signing_out_is_asked_anew() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.app.navigation.go("settings")
        await driver.settle()
        await driver.tap("Logga ut")
        assert driver.screen.view.asking
        await driver.tap("I dag")
        await driver.tap("Inställningar")
        assert not driver.screen.view.asking, "the question was left, so it is answered"
        await driver.tap("Logga ut")
        await _hand_over(driver)
        driver.app.navigation.go("settings")
        await driver.settle(3)
        assert not driver.screen.view.asking


async def test_a_history_that_comes_late_is_shown_to_nobody() -> None:
    async with Driver(engine=Away(UNLOCKED)) as driver:
        driver.engine.entries = list(HISTORY)
        await driver.tap("Historik")
        await _hand_over(driver)
        driver.engine.answers.set()
        await driver.settle(2)
        driver.engine.entries, driver.engine.answers = [], asyncio.Event()
        await driver.tap("Historik")
        assert driver.screen.view.rows == ()


async def test_an_alarm_that_the_first_person_was_taking_is_still_to_be_answered_by_the_next() -> None:
    async with Driver(engine=Away(OFFERED_DAY)) as driver:
        driver.engine.publish()
        await driver.until(lambda: driver.screen.name == "alarm" and driver.screen.armed)
        await driver.tap("Ta larmet")
        await driver.until(lambda: driver.screen.view.working)
        await _hand_over(driver, alarms=OFFERED_DAY.alarms)
        await driver.until(lambda: driver.screen.name == "alarm" and driver.screen.armed)
        assert not driver.screen.view.working
        driver.engine.answers.set()
        await driver.settle(3)
        assert driver.screen.view.part == "offered"
        assert driver.screen.view.message == ""


@pytest.mark.parametrize("way", ["pin", "mypin"])
async def test_a_vault_that_could_not_be_removed_is_not_said_to_be_gone(way: str) -> None:
    state = replace(LOCKED, pin_attempts_left=5) if way == "pin" else UNLOCKED
    async with Driver(state) as driver:
        driver.engine.errors["remove b1"] = EngineError("storage_failed")
        if way == "pin":
            driver.screen.model.ask_clear(True)
            driver.screen.model.clear()
        else:
            driver.app.navigation.go("mypin")
            await driver.settle()
            driver.screen.model.begin("leave")
            driver.screen.model.leave()
        await driver.settle(3)
        assert driver.session.farewell == ""
        assert driver.screen.view.message


async def test_a_tap_that_was_under_way_when_the_app_was_locked_is_not_the_next_persons() -> None:
    async with Driver(UNLOCKED) as driver:
        engine = driver.engine
        engine.steps["g1"] = [(0.1, OpeningState.SEARCHING, ""), (0.4, OpeningState.OPEN, "")]
        driver.app.navigation.go("door", "g1")
        await driver.settle(3)
        await driver.tap("Öppna")
        await _hand_over(driver, openings=MappingProxyType({}))
        assert not driver.app.taps.running, "nothing holds back an alarm, nor the next person's own tap"
        await asyncio.sleep(0.6)
        engine.publish(openings=MappingProxyType({}))
        await driver.settle(3)
        assert driver.app.taps.current("g1").state is OpeningState.IDLE
        assert driver.told == [], "nor is it heard in their hand"
