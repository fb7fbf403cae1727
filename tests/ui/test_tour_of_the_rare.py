"""A tour of screens that a day seldom shows, with one finger, in each language and at three text sizes."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from mobile.engine.emergencies import EmergencyRight
from mobile.engine.state import Nearby, OpeningState
from mobile.ui import alarms, leaving
from mobile.ui.alarms import AlarmDoor
from mobile.ui.widgets import Btn
from tests.ui.driver import Driver
from tests.ui.guide import PRACTICE_DOORS
from tests.ui.leavings import LEFT_ONE, wait
from tests.ui.scenes import DOORS, MORNING, UNLOCKED
from tests.ui.tour import LOOKS, Tour
from tests.ui.urgent import OFFERED


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that has come up is seen in the time of a test."""
    monkeypatch.setattr(alarms, "ARM_S", 0.05)
    monkeypatch.setattr(leaving, "ARM_S", 0.05)


@pytest.mark.parametrize(("language", "scale"), LOOKS)
async def test_an_alarm_is_taken_opened_and_handed_over(language: str, scale: float) -> None:
    async with Driver(UNLOCKED, language=language, scale=scale) as driver:
        tour = Tour(driver)
        driver.engine.publish(alarms=(OFFERED,))
        await tour.stands_at("alarm")
        await driver.until(lambda: driver.screen.armed)
        await tour.press("alarm.take")
        await driver.until(lambda: driver.screen.view.part == "taken" and driver.screen.armed)
        await driver.settle(3)
        await driver.tap(driver.all(Btn, driver.all(AlarmDoor)[0])[0])
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "good")
        await driver.settle(3)
        await tour.press("common.done")
        await tour.stands_at("alarm")
        await driver.until(lambda: driver.screen.armed)
        await tour.press("alarm.hand_over")
        await driver.settle(3)
        await driver.until(lambda: driver.screen.armed)
        await tour.press("alarm.hand_over_yes")
        await driver.until(lambda: "hand-over 7" in driver.engine.asked)
        assert driver.engine.asked == ["take 7", "open g1", "dismiss_opening", "hand-over 7"]


@pytest.mark.parametrize(("language", "scale"), LOOKS)
async def test_an_emergency_opening_and_a_report(language: str, scale: float) -> None:
    async with Driver(UNLOCKED, language=language, scale=scale) as driver:
        tour = Tour(driver)
        driver.engine.emergency_right = EmergencyRight(MORNING + 3600, ("a3",))
        driver.app.navigation.go("help", "a3")
        await tour.stands_at("help")
        await tour.press("emergency.title")
        await tour.stands_at("emergency")
        await tour.press("emergency.call_for_help")
        await driver.until(lambda: driver.screen.step == "confirm")
        await driver.settle(3)
        await tour.press("emergency.take")
        await driver.until(lambda: driver.screen.step == "given")
        driver.app.navigation.go("help", "g1")
        await tour.stands_at("help")
        await tour.press("report.title")
        await tour.stands_at("report")
        await tour.press("report.low_battery")
        await driver.until(lambda: driver.screen.step == "confirm")
        await driver.settle(3)
        await tour.press("report.send")
        await driver.until(lambda: driver.screen.step == "sent")
        assert driver.engine.asked == ["break_glass call_for_help a3", "report low_battery g1"]


@pytest.mark.parametrize(("language", "scale"), LOOKS)
async def test_practice_from_the_settings_to_the_first_open_lock(language: str, scale: float) -> None:
    async with Driver(UNLOCKED, language=language, scale=scale) as driver:
        tour = Tour(driver)
        driver.engine.practice_doors = dict(PRACTICE_DOORS)
        await tour.press("nav.settings")
        await tour.press("practice.link")
        await tour.stands_at("practice")
        await tour.press("practice.begin")
        await driver.until(lambda: "p1" in driver.session.state.doors)
        near = {**PRACTICE_DOORS, "p1": replace(PRACTICE_DOORS["p1"], nearby=Nearby.HERE)}
        driver.engine.publish(doors=MappingProxyType({**DOORS, **near}))
        await driver.settle(4)
        await tour.press("practice.open")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "good")
        await driver.settle(3)
        await tour.press("common.done")
        await tour.stands_at("practice")
        assert driver.session.state.practised == {"near", "tap", "granted", "open"}


@pytest.mark.parametrize(("language", "scale"), LOOKS)
async def test_another_pin_and_leaving_the_phone(language: str, scale: float) -> None:
    async with Driver(UNLOCKED, language=language, scale=scale) as driver:
        tour = Tour(driver)
        await tour.press("nav.settings")
        await tour.press("mypin.title")
        await tour.stands_at("mypin")
        await tour.press("mypin.change")
        await tour.fill("493817", "602914", "602914")
        await tour.press("mypin.do_change")
        await driver.until(lambda: "change_pin" in driver.engine.asked)
        await driver.settle(4)
        await tour.press("mypin.leave")
        await driver.settle(4)
        await tour.press("mypin.leave_yes")
        await driver.until(lambda: "remove b1" in driver.engine.asked)
        await tour.stands_at("enrol")


@pytest.mark.parametrize(("language", "scale"), LOOKS)
async def test_a_door_left_unlocked_is_locked_from_the_question(language: str, scale: float) -> None:
    async with Driver(LEFT_ONE, language=language, scale=scale) as driver:
        tour = Tour(driver)
        driver.engine.steps["a2"] = [(0.02, OpeningState.LOCKED, "")]
        wait(driver.app, driver.engine)
        await tour.stands_at("leaving")
        await driver.until(lambda: driver.screen.armed)
        await tour.press("leaving.lock")
        await driver.until(lambda: driver.app.taps.current("a2").state is OpeningState.LOCKED)
        assert "lock a2" in driver.engine.asked
