"""The reminder on leaving, under a real finger: when it comes, what it asks, and whom it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from kivy.metrics import dp

from mobile.engine.state import Bluetooth, Nearby, OpeningState, Stage
from mobile.ui import leaving as screen_module
from mobile.ui.widgets import Btn
from mobile.viewmodels.leaving import LISTEN_SECONDS
from tests.ui.driver import Driver
from tests.ui.leavings import LEFT_ONE, LEFT_TWO, UNLOCKED_A2, wait
from tests.ui.scenes import DOORS, UNLOCKED


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card is seen in the time of a test."""
    monkeypatch.setattr(screen_module, "ARM_S", 0.05)


async def _asked(driver: Driver) -> None:
    wait(driver.app, driver.engine)
    await driver.until(lambda: driver.screen.name == "leaving" and driver.screen.armed)
    await driver.settle(2)


async def test_a_door_left_unlocked_and_out_of_earshot_is_asked_about_and_heard() -> None:
    async with Driver(LEFT_ONE) as driver:
        for _ in range(LISTEN_SECONDS - 2):
            driver.app.root.ids.screens.get_screen("leaving").model.tick()
        await driver.settle(2)
        assert driver.screen.name == "today", "it may only not have been heard yet"
        await _asked(driver)
        assert driver.told == ["warn"]
        assert driver.screen.view.address == UNLOCKED_A2.address
        button = next(one for one in driver.all(Btn) if one.text == "Lås nu")
        assert button.height >= dp(72)


async def test_lock_now_locks_that_door() -> None:
    async with Driver(LEFT_TWO) as driver:
        driver.engine.steps["a2"] = [(0.02, OpeningState.LOCKED, "")]
        await _asked(driver)
        assert "dörr till" in driver.screen.view.more
        await driver.tap("Lås nu")
        await driver.until(lambda: "lock a2" in driver.engine.asked)
        await driver.until(lambda: driver.app.taps.current("a2").state is OpeningState.LOCKED)


async def test_it_is_locked_is_an_answer() -> None:
    async with Driver(LEFT_ONE) as driver:
        await _asked(driver)
        await driver.tap("Den är låst")
        await driver.until(lambda: driver.screen.name == "today")
        assert "note_locked a2" in driver.engine.asked
        assert not driver.session.state.doors["a2"].left_unlocked


async def test_not_now_asks_again_when_the_app_is_next_opened_or_the_door_left_anew() -> None:
    async with Driver(LEFT_ONE) as driver:
        await _asked(driver)
        driver.app.navigation.back()
        await driver.until(lambda: driver.screen.name == "today")
        wait(driver.app, driver.engine)
        await driver.settle(2)
        assert driver.screen.name == "today"
        assert driver.screen.view.left_unlocked, "the list still says so"
        driver.engine.publish(
            doors=MappingProxyType({**DOORS, "a2": replace(UNLOCKED_A2, nearby=Nearby.HERE)})
        )
        driver.engine.publish(doors=LEFT_ONE.doors)
        await _asked(driver)
        driver.app.navigation.back()
        driver.engine.publish(stage=Stage.LOCKED)
        driver.engine.publish(stage=Stage.UNLOCKED)
        await _asked(driver)
        assert driver.told == ["warn"] * 3


async def test_whoever_is_at_the_door_or_cannot_hear_it_is_left_in_peace() -> None:
    near = replace(UNLOCKED_A2, nearby=Nearby.NEAR)
    quiet = (
        replace(UNLOCKED, doors=MappingProxyType({**DOORS, "a2": near})),
        replace(LEFT_ONE, bluetooth=Bluetooth.OFF),
        UNLOCKED,
    )
    async with Driver(UNLOCKED) as driver:
        for state in quiet:
            driver.engine.publish(stage=Stage.LOCKED)
            driver.engine.publish(stage=Stage.UNLOCKED, doors=state.doors, bluetooth=state.bluetooth)
            wait(driver.app, driver.engine)
            await driver.settle(2)
            assert driver.screen.name == "today"
        assert driver.told == []


async def test_it_never_comes_up_under_a_finger_or_over_a_running_tap() -> None:
    async with Driver(LEFT_ONE) as driver:
        finger = driver.press(10, 10)
        wait(driver.app, driver.engine)
        await driver.settle(3)
        assert driver.screen.name == "today"
        driver.lift(finger)
        await driver.until(lambda: driver.screen.name == "leaving")
