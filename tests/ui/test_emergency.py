"""Break-glass and reporting under a real finger: nothing is sent before it is confirmed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import MappingProxyType

from kivy.metrics import dp

from mobile.engine.emergencies import EmergencyRight
from mobile.engine.errors import ServerError
from mobile.engine.state import LoginState
from mobile.ui import tremble
from mobile.ui.alarms import AlarmDoor
from mobile.ui.emergency import ReasonLine
from mobile.ui.widgets import Btn, Entry
from tests.ui.driver import Driver
from tests.ui.scenes import DOORS, MORNING, UNLOCKED
from tests.ui.urgent import OFFERED


async def test_from_a_door_without_a_right_to_an_open_door() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.app.navigation.go("door", "a3")
        await driver.settle(3)
        await driver.tap("Kommer du inte in?")
        await driver.tap("Nödöppning")
        assert driver.screen.name == "emergency"
        assert len(driver.all(ReasonLine)) == 5
        assert all(line.height >= dp(48) for line in driver.all(ReasonLine))
        await driver.tap("Någon ropar på hjälp")
        assert driver.engine.asked == [], "nothing is taken before it is confirmed"
        assert any("går igenom den med dig nästa dag" in step for step in driver.screen.view.steps)
        driver.engine.emergency_right = EmergencyRight(MORNING + 3600, ("a3",))
        driver.engine.publish(
            doors=MappingProxyType({**DOORS, "a3": replace(DOORS["a3"], rights_until=MORNING + 3600)})
        )
        await driver.tap("Ja, ge mig behörighet")
        await driver.until(lambda: driver.screen.step == "given")
        assert driver.engine.asked == ["break_glass call_for_help a3"]
        assert driver.screen.view.until == "Behörig till 11:12"
        [door] = driver.all(AlarmDoor)
        [button] = driver.all(Btn, door)
        assert button.height >= dp(72)
        await driver.tap(button)
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "good")
        await driver.tap("Klar")
        assert (driver.screen.name, driver.screen.step) == ("emergency", "given")
        assert driver.engine.asked[1] == "open a3"
        driver.app.navigation.back()
        await driver.settle(2)
        driver.app.navigation.go("emergency", "a3")
        await driver.settle(2)
        assert driver.screen.step == "why", "the next time begins anew"


async def test_by_alarm_code_when_no_door_is_in_the_list() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.app.navigation.go("emergency")
        await driver.settle(4)
        await driver.tap("Ingen svarar, jag är orolig")
        assert "Skriv larmkoden först" in driver.screen.view.message
        [entry] = driver.all(Entry)
        entry.text = " 4417 "
        driver.engine.publish(alarms=(OFFERED,))
        await driver.until(lambda: driver.screen.name == "alarm")
        driver.app.navigation.back()
        await driver.until(lambda: driver.screen.name == "emergency")
        await driver.settle(3)
        assert entry.text == " 4417 ", "an alarm that came over it takes nothing away"
        await driver.tap("Ingen svarar, jag är orolig")
        assert (driver.screen.step, driver.screen.view.code) == ("confirm", "4417")
        await driver.tap("Ändra")
        assert driver.screen.step == "why"
        [entry] = driver.all(Entry)
        assert entry.text == " 4417 ", "what was typed is still there to be mended"
        await driver.tap("Annat")
        await driver.tap("Ja, ge mig behörighet")
        await driver.until(lambda: driver.screen.step == "given")
        assert driver.engine.asked == ["break_glass other 4417"]


async def test_a_refusal_says_why_and_what_to_do_and_can_be_tried_again() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.app.navigation.go("emergency", "a3")
        await driver.settle(3)
        await driver.tap("Ingen svarar, jag är orolig")
        for error, said in (
            (ServerError("nothing_to_open", why="client_paused"), "Insatsen är pausad"),
            (ServerError("nothing_to_open", why="of_a_later_server"), "Det finns inget att öppna"),
            (ServerError("break_glass_too_often"), "För många nödöppningar"),
            (ServerError("server_unreachable"), "Servern svarar inte"),
        ):
            driver.engine.errors["break_glass no_answer a3"] = error
            await driver.tap("Ja, ge mig behörighet")
            await driver.until(lambda: driver.screen.view.message == said)  # noqa: B023
            assert driver.find("Ring 010-555\u00a001\u00a000")
        driver.engine.errors["break_glass no_answer a3"] = ServerError("right_waits")
        await driver.tap("Ja, ge mig behörighet")
        await driver.until(lambda: driver.screen.step == "waits")
        await driver.tap("Hämta behörigheten")
        await driver.until(lambda: driver.screen.step == "given")


async def test_signing_in_comes_first_and_a_double_tap_is_one() -> None:
    async with Driver(replace(UNLOCKED, login=LoginState.SIGNED_OUT)) as driver:
        await driver.tap("Fortsätt utan att logga in")
        driver.app.navigation.go("emergency", "a3")
        await driver.settle(3)
        await driver.tap("Annat")
        assert "Ja, ge mig behörighet" not in [one.text for one in driver.all(Btn)]
        await driver.tap("Logga in")
        assert driver.screen.name == "signin"
        driver.engine.publish(login=LoginState.SIGNED_IN)
        await driver.until(lambda: driver.screen.name == "emergency")
        assert driver.screen.step == "confirm", "what was chosen is still chosen"
        await driver.settle(4)
        button = next(one for one in driver.all(Btn) if one.text == "Ja, ge mig behörighet")
        x, y = button.to_window(*button.center)
        await asyncio.sleep(tremble.left_of_it(x, y))
        for _ in range(3):
            driver.lift(driver.press(x, y))
        await driver.until(lambda: driver.screen.step == "given")
        assert driver.engine.asked == ["break_glass other a3"]


async def test_a_fault_at_a_door_is_reported_with_two_taps() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.app.navigation.go("help", "g1")
        await driver.settle(3)
        assert "Nödöppning" not in [one.text for one in driver.all(Btn)], "there is a right to this door"
        await driver.tap("Anmäl fel på dörren")
        await driver.tap("Låset är dött")
        assert driver.engine.asked == []
        driver.engine.errors["report dead_lock g1"] = ServerError("server_unreachable")
        await driver.tap("Skicka anmälan")
        await driver.until(lambda: bool(driver.screen.view.message))
        assert driver.screen.step == "confirm", "without coverage nothing is said to have been sent"
        await driver.tap("Skicka anmälan")
        await driver.until(lambda: driver.screen.step == "sent")
        await driver.tap("Klar")
        assert driver.screen.name == "help"
