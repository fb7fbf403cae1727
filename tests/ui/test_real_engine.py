"""The screens on the real engine: real vault, real HTTP client, a small issuing server at the other end."""

from __future__ import annotations

import time
from pathlib import Path

from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.state import Stage
from mobile.engine.storage.vaultfile import Cost
from mobile.ui.rows import DoorLine
from mobile.ui.widgets import Entry, PinKey
from protocol.identity import LockIdentity
from protocol.keys import x25519_public
from tests.lockagent.world import APARTMENT, Place, secret
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer, Ware
from tests.ui.driver import Driver

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)


def _engine(folder: Path, server: SmallServer) -> PhoneEngine:
    setup = Setup(folder, transport=server.transport(), vault_cost=CHEAP, sync_seconds=None)
    return PhoneEngine(setup)


def _ware(server: SmallServer) -> Ware:
    lock = LockIdentity(x25519_public(secret("s")), secret("l"), x25519_public(secret("e")))
    place = Place(server.issuer, lock, binding=secret("d1")[:8], settings=APARTMENT, adv_key=secret("d1"))
    return Ware(place, "d1")


async def _type(driver: Driver, *words: str) -> None:
    await driver.settle(4)  # the screen before is still there for a frame
    for entry, text in zip(driver.all(Entry), words, strict=True):
        entry.text = text
    await driver.settle(2)


async def _pin(driver: Driver, pin: str) -> None:
    keys = {key.text: key for key in driver.all(PinKey)}
    for digit in pin:
        await driver.tap(keys[digit])
    await driver.tap("Lås upp")


async def test_from_a_one_time_code_to_todays_doors_and_back_after_a_restart(tmp_path: Path) -> None:
    server = SmallServer(now=lambda: int(time.time()))
    engine = _engine(tmp_path, server)
    await engine.start()
    async with Driver(engine=engine) as driver:
        driver.session.now = server.now
        await _type(driver, URL, CODE)
        await driver.tap("Fortsätt")
        await driver.until(lambda: driver.screen.step == "check")
        assert driver.screen.view.municipality == "Provköping"
        await driver.tap("Ja, det stämmer")
        await _type(driver, PIN, PIN)
        await driver.tap("Registrera")
        await driver.until(lambda: driver.screen.name == "signin", 10)
        server.wares.append(_ware(server))
        server.grant(server.wares[0])
        assert driver.screen.part.ids.user.text == USERNAME
        await _type(driver, USERNAME, PASSWORD)
        await driver.tap("Logga in")
        await driver.until(lambda: driver.screen.needs_code)
        await _type(driver, TOTP)
        await driver.tap("Bekräfta")
        await driver.until(lambda: driver.screen.name == "today")
        await driver.until(lambda: len(driver.all(DoorLine)) == 1, 10)
        server.away = True
        await driver.tap("Inställningar")
        await driver.tap("Lås appen")
        await driver.until(lambda: driver.screen.name == "pin")
        assert not engine.state.doors, "a locked phone's snapshot holds no doors"
    await engine.stop()

    again = _engine(tmp_path, server)
    await again.start()
    async with Driver(engine=again) as driver:
        driver.session.now = server.now
        assert driver.screen.name == "pin"
        await _pin(driver, "594028")
        await driver.until(lambda: driver.screen.view.trouble, 10)
        assert driver.screen.view.message == "Fel PIN. 9 försök kvar"
        await _pin(driver, PIN)
        await driver.until(lambda: again.state.stage is Stage.UNLOCKED, 10)
        await driver.until(lambda: driver.screen.name == "today")
        await driver.until(lambda: len(driver.all(DoorLine)) == 1, 10)
        assert server.away, "and all that with no server in sight"
    await again.stop()
