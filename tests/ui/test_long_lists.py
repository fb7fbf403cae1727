"""A night patrol's phone: thousands of doors, a long night's visits, two hundred taps, and no stutter."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from kivy.uix.label import Label

from mobile.engine.state import HistoryEntry, Nearby, OpeningState, Operation, Stage, Visit
from mobile.ui.rows import DoorLine, FoundLine, VisitBox
from tests.ui.driver import Driver
from tests.ui.scenes import DOORS, UNLOCKED, at, many_doors

CITY = MappingProxyType({**DOORS, **many_doors(4000)})
NIGHT = tuple(
    Visit(f"n{place}", at(0) + place * 900, at(0) + place * 900 + 800, f"{1000 + place}", (f"m{place}",))
    for place in range(60)
)
PATROL = replace(UNLOCKED, doors=CITY, visits=NIGHT)


def _scrolled(driver: Driver) -> float:
    """Pixels between the top of the page's content and what is at the top of the screen."""
    page = driver.screen.ids.page
    return float((1 - page.scroll_y) * (page.children[0].height - page.height))


async def _type(driver: Driver, text: str) -> None:
    driver.screen.ids.typed.ids.entry.text = text
    await driver.settle(3)


async def test_today_makes_only_what_is_looked_at_and_nothing_jumps_as_it_grows() -> None:
    async with Driver(PATROL) as driver:
        before = len(driver.screen.ids.visits.children)
        assert before < len(NIGHT) / 4
        page = driver.screen.ids.page
        page.scroll_y = 0.0
        read = (1 - page.scroll_y) * (page.children[0].height - page.height)
        await driver.settle(4)
        assert len(driver.screen.ids.visits.children) > before
        assert abs(_scrolled(driver) - read) < 2, "what one reads stays where it is"
        for _ in range(12):
            page.scroll_y = 0.0
            await driver.settle(4)
        assert len([box for box in driver.screen.ids.visits.children if isinstance(box, VisitBox)]) == len(
            NIGHT
        )


async def test_a_door_among_thousands_is_three_letters_away() -> None:
    async with Driver(PATROL) as driver:
        await driver.tap(driver.screen.ids.find)
        assert driver.screen.name == "finder"
        assert "4006 dörrar" in driver.screen.view.count
        assert len(driver.all(FoundLine)) <= 15
        await _type(driver, "asg 7")
        assert all("Åsgatan 7" in row.detail for row in driver.screen.view.rows)
        await driver.tap(driver.all(DoorLine)[0])
        assert driver.screen.name == "door"
        assert driver.screen.view.address == "Åsgatan 7"
        driver.app.navigation.back()
        await driver.settle(3)
        assert driver.screen.ids.typed.text == "asg 7", "one comes back to the same list"
        await _type(driver, "finns inte")
        assert driver.screen.view.rows == ()


async def test_the_found_doors_never_move_under_a_finger() -> None:
    async with Driver(PATROL) as driver:
        driver.app.navigation.go("finder")
        await driver.settle(3)
        third = driver.all(DoorLine)[2]
        wanted = third.row.door_id
        finger = driver.press(*third.to_window(*third.center))
        near = {**CITY, "m77": replace(CITY["m77"], nearby=Nearby.HERE)}
        driver.engine.publish(doors=MappingProxyType(near))
        await driver.settle(4)
        driver.lift(finger)
        await driver.settle(4)
        assert driver.app.navigation.door_id == wanted
        driver.app.navigation.back()
        await driver.settle(3)
        assert driver.screen.view.rows[0].door_id in {"g1", "m77"}
        assert "m77" in [row.door_id for row in driver.screen.view.rows[:3]], "nearby doors come first"


async def test_streets_are_in_swedish_order_and_numbers_count_as_numbers() -> None:
    async with Driver(PATROL) as driver:
        driver.app.navigation.go("finder")
        await driver.settle(3)
        await _type(driver, "torggatan")
        houses = [row.detail.split(" · ")[0] for row in driver.screen.view.rows]
        assert houses == sorted(houses, key=lambda address: int(address.split()[-1]))
        quiet = {key: replace(door, nearby=Nearby.NO) for key, door in CITY.items()}
        driver.engine.publish(doors=MappingProxyType({**many_doors(5), "a3": quiet["a3"]}))
        await _type(driver, "")
        streets = [row.detail.split()[0] for row in driver.screen.view.rows]
        assert streets == ["Björkallén", "Södra", "Torggatan", "Åsgatan", "Åsgatan", "Ängsstigen"]


async def test_history_grows_as_it_is_scrolled_and_shows_what_failed_alone() -> None:
    async with Driver(UNLOCKED) as driver:
        driver.engine.entries = [
            HistoryEntry(at(9) - 600 * place, "g1", "Björkallén 14 · Port B", Operation.OPEN, state, reason)
            for place in range(200)
            for state, reason in [
                (OpeningState.REFUSED, "revoked") if place % 40 == 3 else (OpeningState.OPEN, "")
            ]
        ]
        await driver.tap("Historik")
        await driver.until(lambda: len(driver.screen.ids.rows.children) == 20)
        driver.screen.ids.page.scroll_y = 0.0
        await driver.until(lambda: len(driver.screen.ids.rows.children) > 20)
        await driver.settle(4)
        await driver.tap("Gick inte (5)")
        assert len(driver.screen.view.rows) == 5
        await driver.tap("Alla")
        assert len(driver.screen.view.rows) == 200


async def test_when_the_vault_shuts_no_widget_keeps_an_address() -> None:
    async with Driver(PATROL) as driver:
        for screen, door_id in (("finder", ""), ("door", "a1"), ("help", "g1"), ("today", "")):
            driver.app.navigation.go(screen, door_id)
            await driver.settle(2)
        await _through_settings_to_the_lock(driver)
        words = [w.text for w in driver.app.root.walk(restrict=True) if isinstance(w, Label)]
        for screen in driver.app.root.ids.screens.screens:
            words += [w.text for w in screen.walk(restrict=True) if isinstance(w, Label)]
        streets = ("Björkallén", "Kvarnbacksvägen", "Åsgatan", "Torggatan")
        assert [text for text in words if any(street in text for street in streets)] == []


async def _through_settings_to_the_lock(driver: Driver) -> None:
    await driver.tap("Inställningar")
    await driver.tap("Lås appen")
    await driver.until(lambda: driver.engine.state.stage is Stage.LOCKED and driver.screen.name == "pin")
    await driver.settle(3)
