"""The bar on top: always there, true, and one tap from what mends it."""

from __future__ import annotations

from dataclasses import replace

from mobile.engine.state import Stage
from mobile.ui.frame import SyncBar
from tests.ui.driver import Driver
from tests.ui.scenes import SESSION_OVER, STALE_DAY, UNLOCKED


async def test_a_tap_on_a_session_that_is_over_leads_to_signing_in() -> None:
    async with Driver(SESSION_OVER) as driver:
        await driver.tap("Fortsätt utan att logga in")
        await driver.until(lambda: driver.screen.name == "today")
        [bar] = driver.all(SyncBar)
        assert (bar.view.tone, bar.view.reason) == ("stale", "Inloggningen har gått ut")
        await driver.tap(bar)
        await driver.until(lambda: driver.screen.name == "signin")
        assert driver.engine.asked == []


async def test_a_tap_syncs_and_the_bar_follows_what_comes_of_it() -> None:
    async with Driver(STALE_DAY) as driver:
        [bar] = driver.all(SyncBar)
        assert (bar.tone, bar.view.reason) == ("stale", "Servern svarar inte")
        await driver.tap(bar)
        assert driver.engine.asked == ["sync"]
        fresh = replace(UNLOCKED.sync, last_synced_at=driver.session.now(), waiting_logs=0)
        driver.engine.publish(sync=replace(fresh, syncing=True))
        await driver.settle(2)
        assert (bar.tone, bar.view.text) == ("busy", "Synkar…")
        driver.engine.publish(sync=fresh)
        await driver.settle(2)
        assert (bar.tone, bar.view.text) == ("fine", "Synkad nyss")


async def test_a_shut_vault_syncs_nothing_but_still_says_what_waits() -> None:
    async with Driver(replace(UNLOCKED, stage=Stage.LOCKED)) as driver:
        [bar] = driver.all(SyncBar)
        assert "2 loggar väntar" in bar.view.text
        await driver.tap(bar)
        assert driver.engine.asked == []
