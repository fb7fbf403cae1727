"""The alarm card under a real finger: it comes over everything, steals nothing, and one tap takes it."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.engine.errors import ServerError
from mobile.engine.state import AlarmStage, Nearby, Stage
from mobile.ui import alarms as screen_module
from mobile.ui.alarms import AlarmButton, AlarmDoor
from mobile.ui.frame import Strip
from mobile.ui.widgets import Btn
from mobile.viewmodels import alarms as model
from tests.ui.driver import Driver
from tests.ui.scenes import DOORS, UNLOCKED
from tests.ui.test_flows import SLOW
from tests.ui.urgent import OFFERED, OFFERED_DAY, TAKEN, TAKEN_DAY


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result is read, and a card is seen, in the time of a test."""
    monkeypatch.setattr(model, "READ_S", 0.2)
    monkeypatch.setattr(screen_module, "ARM_S", 0.1)


async def _armed(driver: Driver) -> None:
    await driver.until(lambda: driver.screen.name == "alarm" and driver.screen.armed)


async def _tap(driver: Driver, words: str) -> None:
    await _armed(driver)
    await driver.settle(2)
    await driver.tap(words)


def _everything(driver: Driver) -> list[Widget]:
    """Every widget of every screen, shown or not."""
    screens = driver.app.root.ids.screens.screens
    return [widget for screen in screens for widget in screen.walk()] + list(driver.app.root.walk())


def _button(driver: Driver, words: str) -> Btn:
    return next(one for one in driver.all(Btn) if one.text == words)


async def test_an_alarm_comes_up_over_any_screen_and_is_heard() -> None:
    async with Driver(UNLOCKED) as driver:
        places = (("today", ""), ("door", "a1"), ("help", "a1"), ("history", ""), ("settings", ""))
        for time, (screen, door_id) in enumerate(places):
            driver.app.navigation.go(screen, door_id)
            await driver.settle(2)
            driver.told.clear()
            driver.engine.publish(alarms=(replace(OFFERED, id=str(time)),))
            await driver.until(lambda: driver.screen.name == "alarm")
            assert driver.told[:1] == ["alarm"]
            driver.engine.publish(alarms=())
            await driver.until(lambda: driver.screen.view.part == "over")
            await _tap(driver, "Klar")
            await driver.until(lambda: driver.screen.name == screen)  # noqa: B023


async def test_one_tap_takes_it_and_its_doors_open_from_the_card() -> None:
    async with Driver(OFFERED_DAY) as driver:
        await _armed(driver)
        button = _button(driver, "Ta larmet")
        assert button.height >= dp(72)
        x, y = button.to_window(*button.center)
        for _ in range(3):  # a second tap joins the first
            driver.lift(driver.press(x, y))
        await driver.until(lambda: driver.screen.view.part == "taken")
        assert driver.engine.asked == ["take 7"]
        assert [door.row.door_id for door in driver.all(AlarmDoor)] == ["g1", "a1"], "gate before apartment"
        assert all(one.height >= dp(72) for one in driver.all(Btn) if one.text == "Öppna")
        await _tap(driver, "Öppna")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "good")
        await driver.tap("Klar")
        assert driver.screen.name == "alarm", "the apartment is next"
        assert driver.engine.asked == ["take 7", "open g1", "dismiss_opening"]


async def test_what_has_just_come_up_takes_no_touches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_module, "ARM_S", 0.7)
    async with Driver(UNLOCKED) as driver:
        driver.engine.publish(alarms=(OFFERED,))
        await driver.until(lambda: driver.screen.name == "alarm" and bool(driver.all(AlarmButton)))
        await driver.settle(3)
        await driver.tap("Ta larmet")
        await driver.tap("Jag kan inte")
        assert driver.engine.asked == [], "the finger was on its way to something else"
        await _tap(driver, "Jag kan inte")
        await driver.until(lambda: driver.screen.name == "today")
        assert driver.engine.asked == ["decline 7"]


async def test_it_does_not_come_up_under_a_finger() -> None:
    async with Driver(UNLOCKED) as driver:
        button = _button(driver, "Öppna")
        finger = driver.press(*button.to_window(*button.center))
        driver.engine.publish(alarms=(OFFERED,))
        await driver.settle(6)
        assert driver.screen.name == "today"
        assert not driver.all(Strip), "nothing moves under it either"
        assert driver.told == ["alarm"], "it is heard all the same"
        driver.lift(finger)
        await driver.until(lambda: driver.screen.name == "result")
        assert driver.engine.asked == ["open g1"], "the door under the finger is the door that opens"
        await driver.until(lambda: driver.screen.name == "alarm")


async def test_it_waits_for_a_tap_and_for_its_result_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "READ_S", 0.6)
    async with Driver(UNLOCKED) as driver:
        driver.engine.steps["g1"] = SLOW
        await driver.tap("Öppna")
        driver.engine.publish(alarms=(OFFERED,))
        await driver.settle(4)
        assert (driver.screen.name, driver.screen.tone) == ("result", "running")
        assert driver.all(Strip)
        await driver.until(lambda: driver.screen.tone == "good")
        await driver.settle(4)
        assert driver.screen.name == "result", "that the door is open must be seen"
        await driver.until(lambda: driver.screen.name == "alarm")
        assert driver.told.count("good") == 1


async def test_going_back_answers_nothing_and_the_strip_leads_there_again() -> None:
    async with Driver(OFFERED_DAY) as driver:
        await _armed(driver)
        driver.app.root_window.dispatch("on_keyboard", 27, 0, None, [])
        await driver.until(lambda: driver.screen.name == "today")
        for screen, door_id in (("door", "a1"), ("history", ""), ("settings", "")):
            driver.app.navigation.go(screen, door_id)
            await driver.settle(3)
            [strip] = driver.all(Strip)
            assert strip.height >= dp(48)
            assert "Björkallén 14" in strip.view.detail
        await driver.tap(strip)
        await _tap(driver, "Ta larmet")
        await driver.until(lambda: driver.screen.view.part == "taken")
        assert driver.engine.asked == ["history", "take 7"]


async def test_without_coverage_it_is_not_taken_and_then_somebody_else_was_quicker() -> None:
    async with Driver(OFFERED_DAY) as driver:
        driver.engine.errors["take 7"] = ServerError("server_unreachable")
        await _tap(driver, "Ta larmet")
        await driver.until(lambda: bool(driver.screen.view.message))
        assert (driver.screen.view.part, driver.screen.view.message) == ("offered", "Servern svarar inte")
        driver.engine.errors["take 7"] = ServerError("alarm_taken")
        await driver.tap("Ta larmet")
        await driver.until(lambda: driver.screen.view.part == "over")
        assert driver.screen.view.title == "Någon annan har tagit larmet"
        driver.engine.publish(alarms=())
        await _tap(driver, "Klar")
        await driver.until(lambda: driver.screen.name == "today")


async def test_taken_but_the_right_is_not_here_yet() -> None:
    bare = {key: replace(door, rights_until=None) for key, door in DOORS.items()}
    state = replace(TAKEN_DAY, doors=MappingProxyType(bare))
    async with Driver(state) as driver:
        await _armed(driver)
        assert all(one.disabled for one in driver.all(Btn) if one.text == "Öppna")
        assert "Behörighet saknas" in driver.screen.view.message
        await driver.tap("Hämta behörigheten")
        assert driver.engine.asked == ["sync"]
        driver.engine.publish(doors=MappingProxyType(DOORS))
        await driver.settle(3)
        assert driver.screen.view.message == ""


async def test_handing_over_tells_what_it_means_first() -> None:
    async with Driver(TAKEN_DAY) as driver:
        await _tap(driver, "Lämna över larmet")
        assert driver.engine.asked == []
        await driver.tap("Behåll larmet")
        await driver.tap("Lämna över larmet")
        await driver.tap("Ja, lämna över")
        await driver.until(lambda: driver.screen.view.part == "over")
        assert driver.screen.view.title == "Larmet är överlämnat"
        await _tap(driver, "Klar")
        await driver.until(lambda: driver.screen.name == "today")
        assert driver.engine.asked == ["hand-over 7"]


async def test_the_patrol_ends_it_while_its_door_is_on_the_screen() -> None:
    async with Driver(TAKEN_DAY) as driver:
        await _tap(driver, "Kommer du inte in?")
        assert driver.screen.name == "help"
        without = {key: door for key, door in DOORS.items() if key not in {"g1", "a1"}}
        driver.engine.publish(alarms=(), doors=MappingProxyType(without))
        await driver.until(lambda: driver.screen.name == "alarm")
        assert driver.screen.view.title == "Larmet är avslutat"
        await _tap(driver, "Klar")
        await driver.until(lambda: driver.screen.name == "today")


async def test_one_that_the_patrol_hands_over_comes_up_and_a_new_one_over_it() -> None:
    second = replace(OFFERED, id="8", alarm_code="3120", door_ids=("a3",))
    async with Driver(UNLOCKED) as driver:
        driver.engine.publish(alarms=(TAKEN,))
        await _armed(driver)
        assert driver.told == ["alarm"]
        driver.engine.publish(alarms=(TAKEN, second))
        await driver.until(lambda: driver.screen.view.alarm_id == "8")
        await _tap(driver, "Jag kan inte")
        await driver.until(lambda: driver.screen.view.alarm_id == "7")
        assert driver.engine.asked == ["decline 8"]


async def test_a_locked_phone_shows_nothing_of_an_alarm() -> None:
    async with Driver(OFFERED_DAY) as driver:
        await _armed(driver)
        driver.engine.publish(stage=Stage.LOCKED, alarms=())
        await driver.until(lambda: driver.screen.name == "pin")
        assert not driver.all(Strip)
        said = " ".join(str(getattr(widget, "text", "")) for widget in _everything(driver))
        assert "Björkallén" not in said and "2093" not in said
        driver.engine.publish(stage=Stage.UNLOCKED, alarms=(OFFERED,))
        # An alarm that is still open asks again when the app is opened.
        await driver.until(lambda: driver.screen.name == "alarm")


async def test_rule_09_an_alarm_opens_no_door_by_itself() -> None:
    async with Driver(OFFERED_DAY) as driver:
        here = {key: replace(door, nearby=Nearby.HERE) for key, door in DOORS.items()}
        driver.engine.publish(doors=MappingProxyType(here))
        await _tap(driver, "Ta larmet")
        await driver.until(lambda: driver.engine.state.alarms[0].stage is AlarmStage.TAKEN)
        await driver.settle(10)
        assert driver.engine.asked == ["take 7"]
        assert driver.engine.state.openings == {}
