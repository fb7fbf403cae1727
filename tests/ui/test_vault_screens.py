"""The vault's screens with real touches: several people, a forgotten PIN, another PIN, leaving, idling."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mobile.engine.errors import HardwareKeyGoneError, VaultWipedError, WrongPinError
from mobile.engine.state import Alarm, AlarmStage, LoginState, Stage
from mobile.ui.mypin import MyPinScreen
from mobile.ui.widgets import Entry, PinKey
from mobile.viewmodels.idle import IdleLock
from tests.ui.bench import BenchEngine
from tests.ui.driver import Driver
from tests.ui.scenes import LOCKED, MORNING, UNLOCKED
from tests.ui.vaults import POOL


async def _press(driver: Driver, digits: str) -> None:
    keys = {key.text: key for key in driver.all(PinKey)}
    for digit in digits:
        await driver.tap(keys[digit])


async def _type(driver: Driver, *words: str) -> None:
    await driver.settle(4)
    for entry, text in zip(driver.all(Entry), words, strict=True):
        entry.text = text
    await driver.settle(2)


async def _open_mypin(driver: Driver) -> None:
    driver.app.navigation.go("settings")
    await driver.settle()
    await driver.tap("Min PIN och telefonen")
    await driver.until(lambda: driver.screen.name == "mypin")
    await driver.settle()


async def test_a_pool_phone_asks_who_and_changes_hands_in_two_taps_and_a_pin() -> None:
    async with Driver(replace(LOCKED, bearers=POOL, active_bearer="b1")) as driver:
        await driver.tap("Byt person")
        await driver.tap("SÖ")
        await driver.until(lambda: "select_bearer" in driver.engine.asked)
        driver.engine.publish(active_bearer="b3")
        await driver.settle()
        assert driver.screen.view.hello == "Hej SÖ"
        await _press(driver, "493817")
        await driver.tap("Lås upp")
        await driver.until(lambda: driver.screen.name == "signin")
        assert driver.engine.asked == ["select_bearer", "unlock"], "and no administrator"


async def test_a_vault_less_is_explained_to_those_whose_vaults_are_still_here() -> None:
    async with Driver(replace(LOCKED, bearers=POOL, pin_attempts_left=1)) as driver:
        driver.engine.errors["unlock"] = VaultWipedError()
        await _press(driver, "111333")
        await driver.tap("Lås upp")
        driver.engine.publish(bearers=POOL[1:], active_bearer="", pin_attempts_left=10)
        await driver.until(lambda: driver.screen.view.mode == "people")
        assert "PIN-koden var fel tio gånger" in driver.screen.view.farewell
        await driver.tap("MK")
        await driver.until(lambda: driver.screen.view.farewell == "")


async def test_a_forgotten_pin_is_cleared_away_only_after_a_question() -> None:
    async with Driver(LOCKED) as driver:
        assert driver.screen.view.clear == "", "nobody is tempted before there is a reason"
        driver.engine.publish(pin_attempts_left=7)
        await driver.settle()
        await driver.tap("Har du glömt din PIN?")
        await driver.tap("Avbryt")
        assert driver.screen.view.mode == "pad"
        assert driver.engine.asked == []
        await driver.tap("Har du glömt din PIN?")
        await driver.tap("Ja, ta bort valvet")
        await driver.until(lambda: driver.screen.name == "enrol")
        await driver.settle()
        assert driver.engine.asked == ["remove b1"]
        assert driver.screen.view.message.startswith("Nyckelvalvet är borttaget")


async def test_a_vault_whose_hardware_key_is_gone_says_so_and_can_be_removed() -> None:
    async with Driver(LOCKED) as driver:
        driver.engine.errors["unlock"] = HardwareKeyGoneError()
        await _press(driver, "493817")
        await driver.tap("Lås upp")
        await driver.until(lambda: driver.screen.view.mode == "clear")
        await driver.settle()
        assert driver.screen.view.clear_title == "Nyckelvalvet hör inte hit"
        await driver.tap("Ja, ta bort valvet")
        await driver.until(lambda: driver.screen.name == "enrol")


async def test_nothing_can_be_typed_while_the_next_try_must_wait() -> None:
    async with Driver(replace(LOCKED, pin_attempts_left=5, pin_wait_until=MORNING + 60)) as driver:
        await _press(driver, "4938")
        assert driver.screen.view.filled == 0


async def test_another_pin_with_every_way_it_can_go_wrong() -> None:
    async with Driver(UNLOCKED) as driver:
        await _open_mypin(driver)
        await driver.tap("Byt PIN eller lösenfras")
        await _type(driver, "493817", "123456", "123456")
        await driver.tap("Byt")
        assert driver.screen.view.message.startswith("För enkel PIN")
        assert [entry.text for entry in driver.all(Entry)] == ["", "", ""], "nothing typed stays"
        await _type(driver, "493817", "602914", "602915")
        await driver.tap("Byt")
        assert "olika" in driver.screen.view.message
        assert driver.engine.asked == []
        driver.engine.errors["change_pin"] = WrongPinError(attempts_left=7, wait_seconds=5)
        await _type(driver, "111333", "602914", "602914")
        await driver.tap("Byt")
        await driver.until(lambda: "7 försök kvar" in driver.screen.view.message)
        await _type(driver, "493817", "fyra ord hör aldrig ihop", "fyra ord hör aldrig ihop")
        await driver.tap("Byt")
        await driver.until(lambda: driver.screen.view.done != "")
        assert driver.screen.view.step == ""
        assert driver.engine.asked == ["change_pin", "change_pin"]


async def test_the_tenth_wrong_old_pin_says_that_the_vault_is_gone() -> None:
    async with Driver(UNLOCKED) as driver:
        await _open_mypin(driver)
        await driver.tap("Byt PIN eller lösenfras")
        driver.engine.errors["change_pin"] = VaultWipedError()
        await _type(driver, "111333", "602914", "602914")
        await driver.tap("Byt")
        await driver.until(lambda: driver.session.farewell == "vault_wiped")
        driver.engine.publish(stage=Stage.NOT_ENROLLED, bearers=(), active_bearer="")
        await driver.until(lambda: driver.screen.name == "enrol")
        await driver.settle()
        assert "PIN-koden var fel tio gånger" in driver.screen.view.message


async def test_leaving_asks_first_and_tells_what_is_destroyed() -> None:
    async with Driver(UNLOCKED) as driver:
        await _open_mypin(driver)
        await driver.tap("Ta bort mig från telefonen")
        assert "historik raderas" in driver.screen.view.leaves
        assert "2 loggar från lås lämnas in först" in driver.screen.view.leaves
        await driver.tap("Avbryt")
        assert driver.engine.asked == []
        await driver.tap("Ta bort mig från telefonen")
        await driver.tap("Ja, ta bort mig")
        await driver.until(lambda: driver.screen.name == "enrol")
        await driver.settle()
        assert driver.engine.asked == ["remove b1"]
        assert driver.screen.view.message.startswith("Nyckelvalvet är borttaget")


async def test_a_colleague_is_added_while_the_first_vault_is_open() -> None:
    async with Driver(UNLOCKED) as driver:
        await _open_mypin(driver)
        await driver.tap("Lägg till en person")
        await driver.until(lambda: driver.screen.name == "enrol")
        assert driver.session.state.stage is Stage.UNLOCKED, "so that it stays one and the same phone"
        await driver.tap("Avbryt")
        await driver.until(lambda: driver.screen.name != "enrol")


async def test_what_a_copy_is_worth_depends_on_the_phone() -> None:
    async with Driver(UNLOCKED) as driver:
        await _open_mypin(driver)
        assert "två dygn" in driver.screen.view.guard
        driver.engine.publish(hardware_key="strongbox")
        await driver.settle()
        assert "säkerhetschip vaktar" in driver.screen.view.guard


async def test_an_older_copy_is_explained_where_the_person_signs_in() -> None:
    state = replace(UNLOCKED, login=LoginState.SIGNED_OUT, vault_warning="vault_older")
    async with Driver(state) as driver:
        assert driver.screen.name == "signin"
        assert driver.screen.view.message.startswith("En äldre kopia av valvet")


# -- the lock that falls by itself ---------------------------------------------------------------------------


class Idling:
    """The app with a clock of its own."""

    def __init__(self, driver: Driver) -> None:
        self.driver, self.time, self.busy = driver, 0.0, False
        self.idle = IdleLock(driver.session, lambda: self.busy, lambda: self.time)

    def asked(self) -> list[str]:
        engine: BenchEngine = self.driver.engine
        return engine.asked

    async def wait(self, seconds: float) -> None:
        self.time += seconds
        self.idle.tick()
        await self.driver.settle(2)


async def test_the_app_locks_itself_when_nobody_has_touched_it() -> None:
    async with Driver(UNLOCKED) as driver:
        idling = Idling(driver)
        await idling.wait(299)
        idling.idle.touched()
        await idling.wait(299)
        assert idling.asked() == []
        await idling.wait(1)
        assert idling.asked() == ["lock_app"]
        await idling.wait(900)
        assert idling.asked() == ["lock_app"], "a locked app has nothing more to lock"


async def test_the_chosen_time_counts_and_never_is_no_choice() -> None:
    async with Driver(UNLOCKED) as driver:
        await _open_mypin(driver)
        await driver.tap("1 minut")
        assert driver.session.preferences.idle_minutes == 1
        idling = Idling(driver)
        await idling.wait(60)
        assert idling.asked() == ["lock_app"]


@pytest.mark.parametrize("why", ["a tap is worked on", "an alarm waits"])
async def test_the_app_never_locks_under_a_tap_or_an_unanswered_alarm(why: str) -> None:
    alarm = Alarm("1", "4417", (), AlarmStage.OFFERED, MORNING, MORNING + 60, MORNING + 3600)
    state = replace(UNLOCKED, alarms=(alarm,)) if why == "an alarm waits" else UNLOCKED
    async with Driver(state) as driver:
        idling = Idling(driver)
        idling.busy = why == "a tap is worked on"
        await idling.wait(3600)
        idling.busy = False
        driver.engine.publish(alarms=())
        await idling.wait(299)
        assert idling.asked() == []
        await idling.wait(1)
        assert idling.asked() == ["lock_app"]


async def test_a_real_touch_puts_the_time_back() -> None:
    async with Driver(UNLOCKED) as driver:
        part = next(part for part in driver.app.parts if MyPinScreen in part.screens)
        idle: IdleLock = part.tick.__self__  # type: ignore[attr-defined]
        before = idle._last
        idle._last -= 200
        driver.lift(driver.press(5, 5))
        await driver.settle()
        assert idle._last >= before
