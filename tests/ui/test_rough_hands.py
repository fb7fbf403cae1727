"""Hands that tremble, hurry or go astray: double taps, the back key, and what happens under a finger."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import MappingProxyType

import pytest
from kivy.core.window import Window
from kivy.uix.widget import Widget

from mobile.engine.state import DoorKind, OpeningState
from mobile.ui.widgets import Btn
from tests.ui.driver import Driver
from tests.ui.scenes import DOORS, LOCKED, UNLOCKED
from tests.ui.urgent import TAKEN_DAY
from tests.ui.vaults import POOL

TREMBLE_S = 0.12
"""Between the two taps of a hand that meant one."""


async def _twice(driver: Driver, target: Widget) -> None:
    """Two quick taps on the very same place."""
    await driver.reveal(target)
    x, y = target.to_window(*target.center)
    for _ in range(2):
        finger = driver.press(x, y)
        await asyncio.sleep(0.04)
        driver.lift(finger)
        await asyncio.sleep(TREMBLE_S)
    await driver.settle(5)


@pytest.mark.parametrize("scale", [1.0, 2.0])
@pytest.mark.parametrize(
    ("screen", "words", "never"),
    [
        ("settings", "Logga ut", "sign_out"),
        ("mypin", "Ta bort mig från telefonen", "remove b1"),
        ("pin", "Har du glömt din PIN?", "remove b1"),
        ("emergency", "Ingen svarar, jag är orolig", "break_glass"),
        ("report", "Låset är dött", "report"),
        ("alarm", "Lämna över larmet", "hand-over 7"),
    ],
)
async def test_a_double_tap_does_not_answer_the_question_that_it_brings_up(
    screen: str, words: str, never: str, scale: float
) -> None:
    state = {"pin": replace(LOCKED, pin_attempts_left=5), "alarm": TAKEN_DAY}.get(screen, UNLOCKED)
    async with Driver(state, scale=scale) as driver:
        door = {"emergency": "a3", "report": "g1"}.get(screen, "")
        if screen not in ("pin", "alarm"):
            driver.app.navigation.go(screen, door)
        driver.engine.publish()
        await driver.settle(8)
        if screen == "alarm":
            await driver.until(lambda: driver.screen.armed)
        await _twice(driver, driver.find(words))
        assert not [verb for verb in driver.engine.asked if verb.startswith(never)]


@pytest.mark.parametrize("screen", ["today", "door", "alarm"])
async def test_a_double_tap_on_the_opening_button_opens_once_and_stays_to_tell_what_came_of_it(
    screen: str,
) -> None:
    async with Driver(TAKEN_DAY if screen == "alarm" else UNLOCKED) as driver:
        driver.engine.steps["g1"] = [(0.5, OpeningState.SEARCHING, ""), (0.3, OpeningState.OPEN, "")]
        if screen == "door":
            driver.app.navigation.go(screen, "g1")
        driver.engine.publish()
        await driver.settle(8)
        if screen == "alarm":
            await driver.until(lambda: driver.screen.armed)
        await _twice(driver, next(one for one in driver.all(Btn) if one.text.startswith("Öppna")))
        assert driver.screen.name == "result"
        assert [verb for verb in driver.engine.asked if verb.startswith("open")] == ["open g1"]


async def test_who_is_revoked_at_the_door_is_told_so_there() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.engine.steps["g1"] = [
            (0.1, OpeningState.SEARCHING, ""), (0.2, OpeningState.REFUSED, "revoked"),
        ]  # fmt: skip
        driver.app.navigation.go("door", "g1")
        await driver.settle(3)
        await driver.tap("Öppna")
        left = {key: door for key, door in UNLOCKED.doors.items() if key != "g1"}
        driver.engine.publish(doors=MappingProxyType(left))
        await driver.until(lambda: driver.app.taps.current("g1").state is OpeningState.REFUSED)
        await driver.settle(3)
        assert driver.screen.name == "result", "nobody is thrown out before it is said what came of the tap"
        assert driver.screen.tone == "bad"
        await driver.tap("Kommer du inte in?")
        assert driver.screen.name == "help", "now of all times the way in without the phone is needed"
        assert driver.screen.view.support_phone
        await _back(driver)
        await driver.tap("Tillbaka")
        await driver.until(lambda: driver.screen.name == "today")


async def _back(driver: Driver) -> None:
    Window.dispatch("on_keyboard", 27, 0, None, [])
    await driver.settle(3)


async def test_the_back_key_goes_one_step_back_wherever_a_question_is_asked() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.app.navigation.go("settings")
        await driver.settle(3)
        await driver.tap("Logga ut")
        await _back(driver)
        assert driver.screen.name == "settings"
        assert not driver.screen.view.asking
        driver.app.navigation.go("mypin")
        await driver.settle(3)
        for way in ("Byt PIN eller lösenfras", "Ta bort mig från telefonen"):
            await driver.tap(way)
            await _back(driver)
            assert (driver.screen.name, driver.screen.view.step) == ("mypin", "")
        await driver.tap("Lägg till en person")
        await driver.until(lambda: driver.screen.name == "enrol")
        await driver.settle(3)
        driver.screen.model.look_up("https://nyckel.exempel.se", "k7qf-2m9x")
        await driver.until(lambda: driver.screen.step == "check")
        await _back(driver)
        assert (driver.screen.name, driver.screen.step) == ("enrol", "address")
        await _back(driver)
        assert driver.screen.name == "mypin"


async def test_the_back_key_on_the_pin_screen_answers_no() -> None:
    async with Driver(replace(LOCKED, bearers=POOL, pin_attempts_left=5)) as driver:
        await driver.tap("Har du glömt din PIN?")
        await _back(driver)
        assert driver.screen.view.mode == "pad"
        await driver.tap("Byt person")
        await _back(driver)
        assert driver.screen.view.mode == "pad"


async def test_practice_begun_anew_is_done_anew_though_an_old_result_was_left_with_the_back_key() -> None:
    place = replace(DOORS["g1"], id="p1", kind=DoorKind.PRACTICE, label="Övning")
    async with Driver(replace(UNLOCKED, doors=MappingProxyType({**DOORS, "p1": place}))) as driver:
        driver.app.navigation.go("practice")
        await driver.settle(4)
        model = driver.screen.model
        model.act()
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "good")
        await _back(driver)
        assert _done(driver) == {"near", "tap", "granted", "open"}
        model.repeat()
        await driver.settle(5)
        assert _done(driver) == {"near"}, "near is so still; the rest is to be done"
        model.act()
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "good")
        await _back(driver)
        assert _done(driver) == {"near", "tap", "granted", "open"}


def _done(driver: Driver) -> set[str]:
    return {row.step for row in driver.screen.view.steps if row.done}
