"""A tour of every screen with one finger, in each language and at three text sizes."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from mobile.engine.state import AppState, LoginState, Nearby, OpeningState, Stage
from mobile.ui.rows import DoorLine, NearCard
from mobile.ui.widgets import Btn, PinKey
from tests.ui.driver import Driver
from tests.ui.scenes import DOORS, LOCKED, UNLOCKED
from tests.ui.tour import LOOKS, Tour


@pytest.mark.parametrize(("language", "scale"), LOOKS)
async def test_enrolment_and_the_two_logins(language: str, scale: float) -> None:
    async with Driver(AppState(), language=language, scale=scale) as driver:
        tour = Tour(driver)
        await tour.fill("nyckel.exempel.se", "k7qf-2m9x")
        await tour.press("common.continue")
        await driver.until(lambda: driver.screen.step == "check")
        await driver.settle(3)
        await tour.press("enrol.yes")
        await tour.fill("493817", "493817")
        await tour.press("enrol.finish")
        await tour.stands_at("signin")
        await tour.fill("anna.lindqvist", "hemligt")
        await tour.press("signin.next")
        await driver.until(lambda: driver.screen.needs_code)
        await tour.fill("123456")
        await tour.press("signin.confirm")
        await tour.stands_at("today")
        driver.engine.publish(stage=Stage.LOCKED, bearers=LOCKED.bearers, active_bearer="b1")
        await tour.stands_at("pin")
        keys = {key.text: key for key in driver.all(PinKey)}
        for digit in "493817":
            await driver.tap(keys[digit])
        await tour.press("pin.open")
        await tour.stands_at("today")
        assert driver.engine.asked == [
            "server_identity", "enrol", "sign_in", "second_factor", "sync", "unlock",
        ]  # fmt: skip


@pytest.mark.parametrize(("language", "scale"), LOOKS)
async def test_the_day_its_doors_and_what_came_of_them(language: str, scale: float) -> None:
    async with Driver(UNLOCKED, language=language, scale=scale) as driver:
        tour = Tour(driver)
        card = driver.all(NearCard)[0]
        await driver.tap(next(button for button in card.walk(restrict=True) if isinstance(button, Btn)))
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "good")
        await tour.press("result.lock_on_leaving")
        await driver.until(lambda: driver.engine.asked[-1] == "lock g1" and driver.screen.tone == "good")
        await driver.settle(3)
        await tour.press("common.done")
        await tour.stands_at("today")
        await driver.tap(driver.screen.ids.find)
        await tour.stands_at("finder")
        await tour.fill("kvarn 108")
        await driver.tap(driver.all(DoorLine)[0])
        await tour.stands_at("door")
        driver.engine.steps["g2"] = [(0.01, OpeningState.REFUSED, "expired")]
        await tour.press("door.open")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "bad")
        await driver.settle(3)
        await tour.press("door.help")
        await tour.stands_at("help")
        driver.app.navigation.back()
        await driver.settle(3)
        await tour.press("common.retry")
        await driver.until(lambda: driver.engine.asked.count("open g2") == 2)
        await driver.until(lambda: driver.screen.tone == "bad")
        assert driver.told == ["good", "good", "bad", "bad"]


@pytest.mark.parametrize(("language", "scale"), LOOKS)
async def test_own_history_choices_and_what_there_is_to_know(language: str, scale: float) -> None:
    async with Driver(UNLOCKED, language=language, scale=scale) as driver:
        tour = Tour(driver)
        await tour.press("nav.history")
        await tour.stands_at("history")
        await tour.press("nav.settings")
        await tour.press("about.title")
        await tour.stands_at("about")
        await tour.press("about.show_licences")
        await driver.until(lambda: ("Kivy", "MIT") in driver.screen.view.licences)
        assert driver.app.navigation.back()
        await tour.stands_at("settings")
        await tour.press("settings.dark")
        await driver.until(lambda: driver.app.theme.dark)
        await driver.settle(3)
        await tour.press("settings.sign_out")
        await driver.until(lambda: driver.screen.view.asking)
        await driver.settle(3)
        await tour.press("settings.sign_out_yes")
        await tour.stands_at("signin")
        await tour.press("signin.later")
        await tour.stands_at("today")
        assert driver.screen.view.empty == "none", "and the day says so"
        assert driver.engine.state.login is LoginState.SIGNED_OUT


async def test_today_says_why_no_door_can_be_heard() -> None:
    from mobile.engine.state import Bluetooth

    quiet = {door_id: replace(door, nearby=Nearby.NO) for door_id, door in DOORS.items()}
    async with Driver(replace(UNLOCKED, doors=MappingProxyType(quiet))) as driver:
        assert "Gå fram till dörren" in driver.screen.view.near_hint
        for state, words in (
            (Bluetooth.OFF, "avstängt"),
            (Bluetooth.NO_PERMISSION, "Bluetooth"),
            (Bluetooth.NO_ADAPTER, "Bluetooth"),
            (Bluetooth.LOCATION_OFF, "Plats"),
        ):
            driver.engine.publish(bluetooth=state)
            await driver.settle(2)
            assert words in driver.screen.view.trouble
            assert not driver.screen.view.near_hint


async def test_support_and_the_other_way_in_are_one_tap_from_a_call() -> None:
    from mobile.ui.device import Device

    called: list[str] = []
    async with Driver(UNLOCKED) as driver:
        driver.app.device = Device(dial=called.append)
        driver.app.navigation.go("help", "g1")
        await driver.settle(3)
        await driver.tap("Ring 010-555\u00a001\u00a012")
        await driver.tap("Ring 010-555\u00a001\u00a000")
        driver.app.navigation.go("about")
        await driver.settle(3)
        await driver.tap("Ring 010-555\u00a001\u00a000")
        await driver.until(lambda: len(called) == 3)
        assert called == ["010-5550112", "010-5550100", "010-5550100"]
