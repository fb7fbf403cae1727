"""The practice guide with real touches: every step follows the lock, it can be left and taken up again."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from mobile.engine.errors import EngineError
from mobile.engine.state import Nearby, OpeningState, Stage
from mobile.ui.practice import StepLine
from mobile.viewmodels.practice import STEPS
from tests.ui.driver import Driver
from tests.ui.guide import PRACTICE_DOORS, UNTIL_LOCK, practising
from tests.ui.scenes import DOORS, UNLOCKED


def current(driver: Driver) -> str:
    """The step that the guide asks for now, '' when it asks for none."""
    return next((line.row.step for line in driver.all(StepLine) if line.row.current), "")


def done(driver: Driver) -> list[str]:
    return [line.row.step for line in driver.all(StepLine) if line.row.done]


async def begin(driver: Driver) -> None:
    driver.engine.practice_doors = dict(PRACTICE_DOORS)
    await driver.tap("Inställningar")
    await driver.tap("Öva vid ett övningslås")
    assert driver.screen.name == "practice"
    await driver.tap("Börja öva")
    await driver.until(lambda: current(driver) == "near")


def walk_up(driver: Driver) -> None:
    near = {**PRACTICE_DOORS, "p1": replace(PRACTICE_DOORS["p1"], nearby=Nearby.HERE)}
    driver.engine.publish(doors=MappingProxyType({**DOORS, **near}))


async def test_the_whole_guide_with_one_finger() -> None:
    async with Driver(UNLOCKED) as driver:
        await begin(driver)
        assert driver.screen.view.places == (
            "Övningslås 1 · Kontorsgatan 2 · Våning 2",
            "Övningslås 2 · Utbildningscentrum, Skolgatan 11 · Uppgång C",
        ), "where they are is said while none is heard"
        assert not driver.screen.view.can
        walk_up(driver)
        await driver.until(lambda: current(driver) == "tap")
        await driver.tap("Öppna övningslåset")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "good")
        await driver.tap("Klar")
        assert (driver.screen.name, current(driver)) == ("practice", "lock")
        assert done(driver) == list(UNTIL_LOCK)
        driver.engine.steps["p1"] = [(0.01, OpeningState.LOCKED, "")]
        await driver.tap("Lås övningslåset")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "good")
        await driver.tap("Klar")
        assert current(driver) == "refused"
        await driver.tap("Fråga för tidigt")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "bad")
        assert driver.screen.view.happened.startswith("För tidigt.")
        assert "samordnare" in driver.screen.view.next
        await driver.tap("Tillbaka")
        assert current(driver) == "help"
        await driver.tap("Visa kortet")
        assert driver.screen.name == "help"
        driver.app.navigation.back()
        await driver.settle()
        assert (driver.screen.name, current(driver)) == ("practice", "")
        assert done(driver) == list(STEPS)
        asked = [verb for verb in driver.engine.asked if verb.split()[0] in {"open", "lock", "too"}]
        assert asked == ["open p1", "lock p1", "too early p1"]
        await driver.tap("Klar")
        assert driver.screen.name == "settings"


async def test_rule_10_a_tap_alone_is_no_step_that_the_lock_must_confirm() -> None:
    async with Driver(practising("near")) as driver:
        driver.app.navigation.go("practice")
        await driver.settle()
        driver.engine.steps["p1"] = [
            (0.01, OpeningState.SEARCHING, ""),
            (0.01, OpeningState.NOT_FOUND, "not_found"),
        ]
        await driver.tap("Öppna övningslåset")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "warn")
        await driver.tap("Tillbaka")
        assert done(driver) == ["near", "tap"]
        driver.engine.steps["p1"] = [
            (0.01, OpeningState.GRANTED_UNLOCKING, ""),
            (0.01, OpeningState.JAMMED, "jammed"),
        ]
        await driver.tap("Öppna övningslåset")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "warn")
        await driver.tap("Tillbaka")
        assert (done(driver), current(driver)) == (["near", "tap", "granted"], "open")


async def test_trying_the_refusal_again_asks_too_early_again_and_never_opens() -> None:
    async with Driver(practising(*UNTIL_LOCK, "lock")) as driver:
        driver.app.navigation.go("practice")
        await driver.settle()
        await driver.tap("Fråga för tidigt")
        await driver.until(lambda: driver.screen.name == "result" and driver.screen.tone == "bad")
        driver.engine.publish(
            openings=MappingProxyType(
                {"p1": replace(driver.engine.state.openings["p1"], early=True, changed_at=99)}
            )
        )
        await driver.tap("Försök igen")
        await driver.until(lambda: driver.engine.asked.count("too early p1") == 2)
        assert "open p1" not in driver.engine.asked


async def test_called_away_and_back_it_goes_on_where_it_was_left() -> None:
    async with Driver(practising("near", "tap")) as driver:
        await driver.tap("Fortsätt öva (2 av 7)")
        assert current(driver) == "granted"
        driver.engine.publish(stage=Stage.LOCKED)
        await driver.until(lambda: driver.screen.name == "pin")
        driver.engine.publish(stage=Stage.UNLOCKED)
        await driver.until(lambda: driver.screen.name == "today")
        await driver.tap("Fortsätt öva (2 av 7)")
        assert current(driver) == "granted"


async def test_another_person_on_the_same_phone_begins_at_the_beginning() -> None:
    async with Driver(practising(*UNTIL_LOCK)) as driver:
        driver.engine.publish(stage=Stage.LOCKED, practised=frozenset())
        await driver.until(lambda: driver.screen.name == "pin")
        driver.engine.publish(**{name: getattr(UNLOCKED, name) for name in UNLOCKED.__slots__})
        await driver.until(lambda: driver.screen.name == "today")
        driver.app.navigation.go("practice")
        await driver.settle()
        assert done(driver) == []


async def test_where_there_is_no_practice_lock_it_says_whom_to_ask() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.engine.errors["begin_practice"] = EngineError("practice_nowhere")
        driver.app.navigation.go("practice")
        await driver.settle()
        await driver.tap("Börja öva")
        await driver.until(lambda: driver.screen.view.trouble)
        assert "Inget övningslås" in driver.screen.view.trouble
        assert "samordnare" in driver.screen.view.trouble


async def test_a_step_can_be_left_out_and_all_of_it_done_again() -> None:
    async with Driver(practising(*UNTIL_LOCK, "lock")) as driver:
        driver.app.navigation.go("practice")
        await driver.settle()
        await driver.tap("Hoppa över steget")
        assert current(driver) == "help"
        await driver.tap("Visa kortet")
        driver.app.navigation.back()
        await driver.settle()
        await driver.tap("Öva en gång till")
        await driver.until(lambda: current(driver) == "tap")
        assert done(driver) == ["near"], "the lock is still heard"


async def test_a_practice_lock_is_not_among_todays_doors() -> None:
    async with Driver(practising("near")) as driver:
        assert {row.door_id for row in driver.screen.view.nearby} == {"g1", "a1"}
