"""Hands that tremble, hurry or go astray: double taps, the back key, and what happens under a finger."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from kivy.uix.widget import Widget

from mobile.engine.state import OpeningState
from mobile.ui.widgets import Btn
from tests.ui.driver import Driver
from tests.ui.scenes import LOCKED, UNLOCKED
from tests.ui.urgent import TAKEN_DAY

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
