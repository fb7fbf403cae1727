"""The installer's work from the screens: what is chosen, what is typed, what is told."""

from __future__ import annotations

from mobile.engine.errors import EngineError, ServerError
from mobile.engine.workorders import WorkDone
from tests.ui.driver import Driver
from tests.ui.fitting import LABEL, ORDERS
from tests.ui.scenes import UNLOCKED, Scene


async def _at_the_list(driver: Driver) -> None:
    driver.engine.orders = ORDERS
    await driver.show(Scene("installing", UNLOCKED, lambda app, _engine: app.navigation.go("installing")))
    await driver.until(lambda: bool(driver.screen.view.orders))


async def test_an_order_is_chosen_the_label_typed_and_the_work_told() -> None:
    async with Driver(UNLOCKED) as driver:
        await _at_the_list(driver)
        screen = driver.screen
        screen.model.choose(3)
        assert screen.view.phase == "orders", "what is blocked is not begun"
        screen.model.choose(2)
        await driver.settle()
        screen.ids.place.children[0].ids.label.ids.entry.text = LABEL
        screen.forward()
        await driver.until(lambda: screen.view.phase == "done")
        assert f"carry_out 2 {LABEL}" in driver.engine.asked
        assert screen.view.text == "Låset låste upp och låste igen."
        screen.forward()
        await driver.until(lambda: screen.view.phase == "orders")
        assert driver.engine.asked.count("work_orders") == 2, "the day's list is asked for anew"


async def test_a_new_program_for_the_lock_is_told_with_the_result() -> None:
    async with Driver(UNLOCKED) as driver:
        await _at_the_list(driver)
        screen = driver.screen
        for done, told in (
            (WorkDone(tried=True, program=7), "nytt program och startar om"),
            (WorkDone(tried=True, hindered="firmware_invalid"), "kom inte med. Låset tror bara på program"),
        ):
            driver.engine.work_done = done
            screen.model.choose(2)
            await driver.settle()
            screen.ids.place.children[0].ids.label.ids.entry.text = LABEL
            screen.forward()
            await driver.until(lambda: screen.view.phase == "done")
            assert screen.view.text.startswith("Låset låste upp och låste igen. ")
            assert told in screen.view.text
            screen.forward()
            await driver.until(lambda: screen.view.phase == "orders" and bool(screen.view.orders))


async def test_what_stands_in_the_way_is_said_and_the_label_need_not_be_read_again() -> None:
    async with Driver(UNLOCKED) as driver:
        await _at_the_list(driver)
        screen = driver.screen
        driver.engine.errors[f"carry_out 2 {LABEL}"] = EngineError("lock_not_in_setup")
        screen.model.choose(2)
        await driver.settle()
        screen.ids.place.children[0].ids.label.ids.entry.text = LABEL
        screen.forward()
        await driver.until(lambda: bool(screen.view.message))
        await driver.settle()
        assert "Håll in låsets knapp" in screen.view.message
        assert screen.ids.place.children[0].ids.label.ids.entry.text == LABEL
        assert screen.back()
        await driver.settle()
        screen.model.choose(2)
        await driver.settle()
        assert screen.ids.place.children[0].ids.label.ids.entry.text == "", "another order, another lock"


async def test_whoever_is_no_installer_is_told_so() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.engine.errors["work_orders"] = ServerError("not_permitted")
        await driver.show(Scene("stranger", UNLOCKED, lambda app, _engine: app.navigation.go("installing")))
        await driver.until(lambda: bool(driver.screen.view.message))
        assert driver.screen.view.message.startswith("Bara montörer har arbete här")
