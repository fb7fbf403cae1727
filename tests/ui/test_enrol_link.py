"""A link from a QR code: the app opens where it says, on a new phone and on one that has people already."""

from __future__ import annotations

from mobile.engine.errors import ServerError
from mobile.engine.state import AppState, LoginState, Stage
from mobile.ui.widgets import Entry
from tests.ui.driver import Driver
from tests.ui.scenes import LINK, LOCKED, MORNING, UNLOCKED
from tests.ui.urgent import OFFERED


async def test_a_scanned_code_asks_only_whose_server_it_is() -> None:
    async with Driver(AppState()) as driver:
        driver.app.enrol_with(LINK)
        await driver.until(lambda: driver.screen.step == "check")
        assert driver.screen.view.municipality == "Exempelby kommun"
        assert "QR-koden" in driver.screen.view.intro
        assert driver.engine.asked == ["server_identity"], "nothing else is sent before the person says yes"
        await driver.tap("Ja, det stämmer")
        for entry in driver.all(Entry):
            entry.text = "493817"
        await driver.tap("Registrera")
        await driver.until(lambda: driver.screen.name == "signin")
        assert driver.engine.asked == ["server_identity", "enrol"]


async def test_a_link_before_the_first_frame_waits_for_the_engine_to_look_around() -> None:
    async with Driver(AppState()) as driver:
        driver.app.enrol_with(LINK)
        driver.engine.publish(stage=Stage.LOCKED, bearers=LOCKED.bearers)
        await driver.until(lambda: driver.screen.name == "enrol" and driver.screen.step == "check")
        await driver.tap("Nej, avbryt")
        await driver.tap("Avbryt")
        assert driver.screen.name == "pin"


async def test_a_link_waits_while_somebody_works_and_covers_no_alarm() -> None:
    """Any app or page can open one: it takes no screen from under a hand and keeps no alarm away."""
    async with Driver(UNLOCKED) as driver:
        driver.app.enrol_with(LINK)
        await driver.settle()
        assert (driver.screen.name, driver.engine.asked) == ("today", [])
        driver.engine.publish(alarms=(OFFERED,))
        await driver.until(lambda: driver.screen.name == "alarm")
        driver.engine.publish(stage=Stage.LOCKED, login=LoginState.SIGNED_OUT, alarms=(), doors=LOCKED.doors)
        await driver.until(lambda: driver.screen.name == "enrol" and driver.screen.step == "check")


async def test_a_link_that_has_waited_long_is_forgotten() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.app.enrol_with(LINK)
        await driver.settle()
        driver.session.wall = lambda: MORNING + 3600
        driver.engine.publish(stage=Stage.LOCKED, login=LoginState.SIGNED_OUT, alarms=(), doors=LOCKED.doors)
        await driver.until(lambda: driver.screen.name == "pin")
        assert driver.engine.asked == []


async def test_a_server_with_other_roots_is_refused_in_words() -> None:
    async with Driver(AppState()) as driver:
        driver.app.enrol_with(LINK[:-1] + "0")
        await driver.until(lambda: bool(driver.screen.view.message))
        assert driver.screen.step == "address"
        assert driver.engine.asked == ["server_identity"]


async def test_a_server_that_is_away_can_be_asked_again_without_scanning_again() -> None:
    async with Driver(AppState()) as driver:
        driver.engine.errors["server_identity"] = ServerError("server_unreachable")
        driver.app.enrol_with(LINK)
        await driver.until(lambda: bool(driver.screen.view.message))
        assert [entry.text for entry in driver.all(Entry)] == ["https://nyckel.exempel.se", "K7QF-2M9X-4TRB"]
        await driver.tap("Fortsätt")
        await driver.until(lambda: driver.screen.step == "check")
        assert "QR-koden" in driver.screen.view.intro, "the roots of the link still count"


async def test_another_address_typed_over_the_links_is_compared_by_eye() -> None:
    async with Driver(AppState()) as driver:
        driver.engine.errors["server_identity"] = ServerError("server_unreachable")
        driver.app.enrol_with(LINK)
        await driver.until(lambda: bool(driver.screen.view.message))
        driver.all(Entry)[0].text = "annan.exempel.se"
        await driver.tap("Fortsätt")
        await driver.until(lambda: driver.screen.step == "check")
        assert "QR-koden" not in driver.screen.view.intro


async def test_a_damaged_link_says_so() -> None:
    async with Driver(AppState()) as driver:
        driver.app.enrol_with("nyckelfri://enrol?server=https%3A%2F%2Fx.se")
        await driver.settle()
        assert driver.screen.view.message.startswith("Länken går inte att använda")
        assert driver.engine.asked == []
