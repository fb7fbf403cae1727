"""A person's way through the app: real touches on the real screens, from enrolment to a locked door."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from kivy.metrics import dp

from mobile.engine.errors import EngineError, VaultWipedError, WrongPinError
from mobile.engine.state import AppState, BearerCard, LoginState, Nearby, OpeningState, Stage
from mobile.ui.frame import SyncBar
from mobile.ui.widgets import Btn, Entry, PinKey
from tests.ui.bench import Step
from tests.ui.driver import Driver
from tests.ui.scenes import DOORS, LOCKED, UNLOCKED

SLOW: list[Step] = [(0.05, OpeningState.SEARCHING, ""), (0.3, OpeningState.OPEN, "")]


async def _type(driver: Driver, *words: str) -> None:
    await driver.settle(4)  # the screen before is still there for a frame
    for entry, text in zip(driver.all(Entry), words, strict=True):
        entry.text = text
    await driver.settle(2)


async def test_enrol_shows_the_server_before_anything_is_sent() -> None:
    async with Driver(AppState()) as driver:
        assert driver.screen.name == "enrol"
        assert not driver.app.root.ids.sync.view.visible
        await _type(driver, "nyckel.exempel.se", "k7qf-2m9x")
        await driver.tap("Fortsätt")
        await driver.until(lambda: driver.screen.step == "check")
        assert driver.screen.view.municipality == "Exempelby kommun"
        assert driver.engine.asked == ["server_identity"]
        await driver.tap("Ja, det stämmer")
        await _type(driver, "493817", "493818")
        await driver.tap("Registrera")
        assert "olika" in driver.screen.view.message
        await _type(driver, "123456", "123456")
        await driver.tap("Registrera")
        assert driver.screen.view.message.startswith("För enkel PIN")
        assert driver.engine.asked == ["server_identity"]
        await _type(driver, "493817", "493817")
        await driver.tap("Registrera")
        await driver.until(lambda: driver.screen.name == "signin")
        assert driver.engine.asked == ["server_identity", "enrol"]


async def test_two_logins_then_today() -> None:
    async with Driver(replace(UNLOCKED, stage=Stage.LOCKED, login=LoginState.SIGNED_OUT)) as driver:
        keys = {key.text: key for key in driver.all(PinKey)}
        for digit in "493817":
            await driver.tap(keys[digit])
        assert driver.screen.view.filled == 6
        await driver.tap("Lås upp")
        await driver.until(lambda: driver.screen.name == "signin")
        await _type(driver, "anna.lindqvist", "hemligt")
        await driver.tap("Logga in")
        await driver.until(lambda: driver.screen.needs_code)
        await _type(driver, "123456")
        await driver.tap("Bekräfta")
        await driver.until(lambda: driver.screen.name == "today")
        assert driver.engine.asked == ["unlock", "sign_in", "second_factor", "sync"]


async def test_wrong_pin_says_how_many_tries_are_left() -> None:
    async with Driver(LOCKED) as driver:
        driver.engine.errors["unlock"] = WrongPinError(attempts_left=8, wait_seconds=0)
        driver.engine.publish(pin_attempts_left=8)
        keys = {key.text: key for key in driver.all(PinKey)}
        for digit in "111222":
            await driver.tap(keys[digit])
        await driver.tap("Lås upp")
        await driver.until(lambda: driver.screen.view.trouble)
        assert driver.screen.view.message == "Fel PIN. 8 försök kvar"
        assert driver.screen.view.filled == 0


async def test_rule_09_one_tap_opens_and_a_second_tap_joins_the_first() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.engine.steps["g1"] = SLOW
        button = next(button for button in driver.all(Btn) if button.text == "Öppna")
        x, y = button.to_window(*button.center)
        for _ in range(3):
            driver.lift(driver.press(x, y))
        await driver.settle(2)
        assert driver.screen.name == "result"
        await driver.until(lambda: driver.screen.tone == "good")
        assert driver.engine.asked.count("open g1") == 1
        assert driver.told == ["good"]


async def test_nothing_opens_without_a_tap() -> None:
    async with Driver(UNLOCKED) as driver:
        here = {door_id: replace(door, nearby=Nearby.HERE) for door_id, door in DOORS.items()}
        driver.engine.publish(doors=MappingProxyType(here))
        await driver.settle(10)
        driver.app.navigation.go("door", "a1")
        await driver.settle(10)
        assert not [verb for verb in driver.engine.asked if verb.startswith("open")]


async def test_rule_10_never_green_before_the_bolt_has_moved() -> None:
    async with Driver(UNLOCKED) as driver:
        seen: list[tuple[str, str]] = []
        driver.engine.steps["a1"] = [
            (0.05, OpeningState.SEARCHING, ""),
            (0.05, OpeningState.CONNECTING, ""),
            (0.05, OpeningState.GRANTED_UNLOCKING, ""),
            (0.05, OpeningState.OPEN, ""),
        ]
        driver.app.door.open("a1")

        def watch() -> bool:
            now = (driver.screen.name, getattr(driver.screen, "tone", ""))
            if now not in seen:
                seen.append(now)
            return now == ("result", "good")

        await driver.until(watch)
        assert [tone for name, tone in seen if name == "result"] == ["running", "good"]
        await driver.tap("Lås när du går")
        assert driver.screen.tone == "running", "the green of the opening must not stand for the locking"


async def test_a_jam_is_amber_with_help_and_a_retry() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.engine.steps["a1"] = [(0.01, OpeningState.JAMMED, "jammed")]
        driver.app.door.open("a1")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "warn")
        assert driver.told == ["warn"]
        driver.engine.steps["a1"] = [(0.01, OpeningState.OPEN, "")]
        await driver.tap("Försök igen")
        await driver.until(lambda: driver.screen.tone == "good")
        assert driver.engine.asked.count("open a1") == 2
        await driver.tap("Klar")
        assert driver.screen.name == "today"
        assert "dismiss_opening" in driver.engine.asked


async def test_help_is_one_tap_from_a_refusal() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.engine.steps["g1"] = [(0.01, OpeningState.REFUSED, "revoked")]
        driver.app.door.open("g1")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "bad")
        assert "återkallad" in driver.screen.view.happened
        await driver.tap("Kommer du inte in?")
        assert driver.screen.name == "help"
        assert driver.screen.view.support_phone == "010-555 01 00"


async def test_an_error_of_the_engine_is_never_a_success() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.engine.errors["open a1"] = EngineError("disk_full")
        driver.app.door.open("a1")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "bad")
        assert "minne är fullt" in driver.screen.view.happened


async def test_the_list_never_moves_under_a_finger() -> None:
    async with Driver(UNLOCKED) as driver:
        first = next(button for button in driver.all(Btn) if button.text == "Öppna")
        x, y = first.to_window(*first.center)
        finger = driver.press(x, y)
        swapped = {**DOORS, "g1": replace(DOORS["g1"], nearby=Nearby.NO)}
        swapped["a1"] = replace(DOORS["a1"], nearby=Nearby.HERE)
        driver.engine.publish(doors=MappingProxyType(swapped))
        await driver.settle(5)
        driver.lift(finger)
        await driver.settle(5)
        await driver.until(lambda: driver.screen.name == "result")
        assert driver.engine.asked == ["open g1"], "the door under the finger is the door that opens"


async def test_language_and_size_change_live_and_stay() -> None:
    async with Driver(UNLOCKED) as driver:
        await driver.tap("Inställningar")
        await driver.tap("English")
        assert driver.screen.ids.page.children[0].children[-1].text == "Settings"
        before = driver.app.theme.body
        await driver.tap("200 %")
        assert driver.app.theme.body == 2 * before
        await driver.tap("Dark")
        assert driver.app.theme.dark
        assert driver.screen.name == "settings"


async def test_lock_and_sign_out_are_different_things() -> None:
    async with Driver(UNLOCKED) as driver:
        await driver.tap("Inställningar")
        await driver.tap("Logga ut")
        assert "sign_out" not in driver.engine.asked, "it tells what it destroys, and asks, first"
        await driver.tap("Avbryt")
        await driver.tap("Lås appen")
        await driver.until(lambda: driver.screen.name == "pin")
        assert driver.engine.asked == ["lock_app"]
        driver.engine.publish(stage=Stage.UNLOCKED)
        await driver.until(lambda: driver.screen.name == "today")
        await driver.tap("Inställningar")
        await driver.tap("Logga ut")
        await driver.tap("Ja, logga ut")
        await driver.until(lambda: driver.screen.name == "signin")


async def test_sync_bar_is_on_every_screen_and_syncs() -> None:
    async with Driver(UNLOCKED) as driver:
        for screen, door_id in (
            ("today", ""),
            ("door", "a1"),
            ("help", "a1"),
            ("history", ""),
            ("settings", ""),
        ):
            driver.app.navigation.go(screen, door_id)
            await driver.settle(3)
            [bar] = driver.all(SyncBar)
            assert bar.height >= dp(48)
        await driver.tap(bar)
        assert driver.engine.asked[-1] == "sync"


async def test_history_shows_failures_too_and_forgets_when_left() -> None:
    from tests.ui.scenes import HISTORY

    async with Driver(UNLOCKED) as driver:
        driver.engine.entries = list(HISTORY)
        await driver.tap("Historik")
        await driver.until(lambda: len(driver.screen.ids.rows.children) == len(HISTORY))
        model = driver.screen.model
        await driver.tap("I dag")
        assert model.rows() == []


async def test_a_wiped_vault_is_explained_where_the_person_lands() -> None:
    async with Driver(LOCKED) as driver:
        driver.engine.errors["unlock"] = VaultWipedError()
        keys = {key.text: key for key in driver.all(PinKey)}
        for digit in "111222":
            await driver.tap(keys[digit])
        await driver.tap("Lås upp")
        driver.engine.publish(stage=Stage.NOT_ENROLLED)
        await driver.until(lambda: driver.screen.name == "enrol")
        await driver.until(lambda: "fel tio gånger" in driver.screen.view.message)


async def test_a_pool_phone_lets_each_person_choose_and_a_new_one_enrol() -> None:
    people = (BearerCard("b1", "AL"), BearerCard("b2", "MK"))
    async with Driver(replace(LOCKED, bearers=people)) as driver:
        await driver.tap("Byt person")
        await driver.tap("MK")
        assert driver.engine.asked == ["select_bearer"]
        await driver.tap("Byt person")
        await driver.tap("Ny person")
        assert driver.screen.name == "enrol"
        await driver.tap("Avbryt")
        assert driver.screen.name == "pin"
