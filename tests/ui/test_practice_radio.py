"""The guide through real screens, the real engine and the real lock agent: a first opening over the radio."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from lockagent.agent import Agent, Parts
from lockagent.core.clock import RtcReading
from lockagent.core.identity import LockSecrets
from lockagent.core.memory import BLANK
from lockagent.lockfolder import store_over
from lockagent.motor.lamp import Lamp
from lockagent.peripheral.bumble_radio import BumbleRadio
from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.storage.vaultfile import Cost
from mobile.ui.practice import StepLine
from mobile.viewmodels.practice import STEPS
from protocol import commission
from protocol.reasons import Reason
from protocol.settings import DoorKind, LockSettings
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from tests.lockagent.crashdisk import CrashDisk
from tests.lockagent.world import Place, secret
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer, Ware
from tests.ui.driver import Driver


async def _practice_lock(ether: Ether, server: SmallServer, shown: list[str]) -> Agent:
    secrets = LockSecrets(secret("p/s"), secret("p/l"), secret("p/e"))
    place = Place(
        server.issuer,
        secrets.identity,
        binding=secret("p/binding")[:8],
        settings=LockSettings(DoorKind.PRACTICE),
        adv_key=secret("p/adv"),
    )
    server.wares.append(Ware(place, "p1", kind="practice"))
    store = store_over(CrashDisk(), secrets)
    store.create(BLANK.encode())
    controller = ether.controller("practice", position=(1.0, 0.0))
    lamp = Lamp(lambda bolt: shown.append(bolt.value), seconds=0.2)
    parts = Parts(store, secrets, lamp, RtcReading(int(time.time())), os.urandom)
    agent = Agent(parts, radio=BumbleRadio(controller, controller, os.urandom))
    assert agent.commission(commission.verify(place.commission(time=server.now()))) is Reason.GRANTED
    await agent.start()
    return agent


async def _signed_in(folder: Path, ether: Ether, server: SmallServer) -> PhoneEngine:
    radio = PhoneRadio(ether, "anna", mtu=247)
    engine = PhoneEngine(
        Setup(
            folder,
            transport=server.transport(),
            vault_cost=Cost(memory_kib=64, passes=1, lanes=1),
            sync_seconds=None,
            scanner_backend=radio.scanner_backend,
            client_backend=radio.client_backend,
        )
    )
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    return engine


async def test_five_minutes_at_a_practice_lock_without_coverage(tmp_path: Path) -> None:
    server, shown = SmallServer(now=lambda: int(time.time())), list[str]()
    ether = Ether(seed=3)
    agent = await _practice_lock(ether, server, shown)
    engine = await _signed_in(tmp_path, ether, server)
    async with Driver(engine=engine) as driver:
        driver.session.now = server.now

        async def until(tone: str) -> None:
            await driver.until(
                lambda: driver.screen.name == "result" and driver.screen.tone in {tone, "bad", "warn"}, 30
            )
            assert driver.screen.tone == tone, driver.screen.view
            await driver.tap("Tillbaka" if tone == "bad" else "Klar")

        await driver.tap("Inställningar")
        await driver.tap("Öva vid ett övningslås")
        await driver.tap("Börja öva")
        await driver.until(lambda: driver.screen.view.act == "open" and driver.screen.view.can, 20)
        server.away = True
        await driver.tap("Öppna övningslåset")
        await until("good")
        await driver.tap("Lås övningslåset")
        await until("good")
        await driver.tap("Fråga för tidigt")
        await until("bad")
        assert shown == ["unlocked", "locked"]
        await driver.tap("Visa kortet")
        driver.app.navigation.back()
        await driver.settle()
        done = [line.row.step for line in driver.all(StepLine) if line.row.done]
        assert done == list(STEPS)
        await asyncio.wait_for(engine.settled(), 20)
        await driver.until(lambda: engine.state.practised == frozenset(STEPS), 20)
        await engine.lock_app()
        assert engine.state.practised == frozenset()
        await engine.unlock(PIN)
        assert engine.state.practised == frozenset(STEPS), "kept in the vault"
    await engine.stop()
    await agent.stop()
