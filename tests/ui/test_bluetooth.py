"""Bluetooth that cannot be used is explained on the day's screen, with what puts it right."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from mobile.engine.state import Bluetooth, Stage
from mobile.ui.device import Device
from mobile.ui.widgets import Btn
from tests.ui.driver import Driver
from tests.ui.scenes import UNLOCKED
from tests.ui.silent import MENDS

WORDS = {
    Bluetooth.OFF: ("Bluetooth är avstängt", "Slå på Bluetooth"),
    Bluetooth.NO_PERMISSION: ("Appen får inte använda Bluetooth", "Ge appen tillåtelse"),
    Bluetooth.LOCATION_OFF: ("Plats är avstängd", "Slå på Plats"),
    Bluetooth.NO_ADAPTER: ("Bluetooth saknas", ""),
    Bluetooth.FAILED: ("Bluetooth svarar inte", ""),
}


@dataclass
class Phone:
    """A telephone that can show questions of its own."""

    asked: list[Bluetooth] = field(default_factory=list)
    asking: bool = False

    def mend(self, bluetooth: Bluetooth) -> None:
        self.asked.append(bluetooth)
        self.asking = True

    def seen_again(self) -> None:
        self.asking = False

    def device(self) -> Device:
        return Device(mends=MENDS, mend=self.mend, is_asking=lambda: self.asking, seen_again=self.seen_again)


def _words(driver: Driver) -> str:
    return " · ".join(str(getattr(widget, "text", "")) for widget in driver.screen.walk())


async def test_every_state_says_what_it_is_and_a_phone_offers_to_mend_it() -> None:
    phone = Phone()
    async with Driver(UNLOCKED, device=phone.device()) as driver:
        await driver.settle()
        assert "Bluetooth" not in _words(driver), "nothing is said while it is on"
        for state, (title, button) in WORDS.items():
            phone.asked.clear()
            driver.engine.publish(bluetooth=state)
            await driver.settle()
            assert title in _words(driver)
            if button:
                await driver.tap(button)
            assert phone.asked == ([state] if button else [])


async def test_a_desktop_explains_and_offers_nothing_it_cannot_do() -> None:
    async with Driver(UNLOCKED, device=Device()) as driver:
        for state, (title, button) in WORDS.items():
            driver.engine.publish(bluetooth=state)
            await driver.settle()
            assert title in _words(driver)
            assert not button or button not in [widget.text for widget in driver.all(Btn)]


async def test_leaving_the_app_locks_it_and_answering_androids_question_does_not() -> None:
    phone = Phone()
    async with Driver(replace(UNLOCKED, bluetooth=Bluetooth.OFF), device=phone.device()) as driver:
        await driver.settle()
        await driver.tap("Slå på Bluetooth")
        assert driver.app.on_pause()
        driver.app.on_resume()
        await driver.settle()
        assert driver.engine.state.stage is Stage.UNLOCKED
        assert driver.app.on_pause()
        await driver.until(lambda: driver.engine.state.stage is Stage.LOCKED)


async def test_a_question_left_lying_locks_the_app_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mobile.ui.app.ANSWER_SECONDS", 0.05)
    phone = Phone(asking=True)
    async with Driver(UNLOCKED, device=phone.device()) as driver:
        loop = asyncio.get_running_loop()
        run = driver.session.runner.run
        driver.session.runner.run = lambda *work: loop.call_soon_threadsafe(run, *work)  # type: ignore[method-assign]
        assert driver.app.on_pause()
        assert driver.engine.state.stage is Stage.UNLOCKED
        await driver.until(lambda: driver.engine.state.stage is Stage.LOCKED)
