"""Rule 6 on the phone as a whole: killed before any write of a shift, it has lost nothing and has no half."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mobile.engine.engine import PhoneEngine
from mobile.engine.errors import WrongPinError
from mobile.engine.setup import Setup
from mobile.engine.state import Stage
from mobile.engine.storage.vaultfile import Cost
from mobile.viewmodels.preferences import Preferences
from protocol.identity import LockIdentity
from protocol.keys import x25519_public
from tests.lockagent.world import Place, secret
from tests.mobile.issuing import CODE, PASSWORD, PIN, TOTP, URL, USERNAME, SmallServer, Ware
from tests.mobile.power import MemoryDisk, PowerCutError

CHEAP = Cost(memory_kib=64, passes=1, lanes=1)
NOW = 1_790_000_000
FOLDER = Path("/phone")
NEW_PIN = "582640"
BATCHES = [b"a lock's sealed log", b"another's"]


def engine_on(disk: MemoryDisk, server: SmallServer) -> PhoneEngine:
    return PhoneEngine(
        Setup(
            FOLDER,
            transport=server.transport(),
            vault_cost=CHEAP,
            sync_seconds=None,
            wall=lambda: NOW,
            monotonic=lambda: 0.0,
            disk=disk,
        )
    )


def add_right(server: SmallServer, name: str) -> bytes:
    lock = LockIdentity(x25519_public(secret(name)), bytes(32), bytes(32))
    ware = Ware(Place(server.issuer, lock, binding=secret(name)[:8], adv_key=secret(name)), name)
    server.wares.append(ware)
    return server.grant(ware)


@dataclass
class Shift:
    """What was acknowledged before the lights went out."""

    server: SmallServer
    disk: MemoryDisk
    pins: set[str] = field(default_factory=lambda: {PIN})
    least: set[bytes] = field(default_factory=set)
    """Rights that a sync said are here."""
    most: set[bytes] = field(default_factory=set)
    acknowledged: list[bytes] = field(default_factory=list)

    async def work(self, engine: PhoneEngine) -> None:
        """One of each: sync, logs from locks, another PIN, logs home, a right lost, the vault shut."""
        second = add_right(self.server, "d2")
        self.most.add(second)
        await engine.sync()
        self.least.add(second)
        for batch in BATCHES:
            assert await engine._courier.keep(batch)
            self.acknowledged.append(batch)
        self.pins.add(NEW_PIN)
        await engine.change_pin(PIN, NEW_PIN)
        self.pins.discard(PIN)
        await engine.sync()
        self.server.withdraw(second)
        self.least.discard(second)
        await engine.sync()
        self.most.discard(second)
        await engine.lock_app()


async def begun() -> tuple[Shift, PhoneEngine]:
    """Enrolled, signed in and synced, all of it durable."""
    server, disk = SmallServer(now=lambda: NOW), MemoryDisk()
    engine = engine_on(disk, server)
    await engine.start()
    await engine.enrol(URL, CODE, PIN)
    first = add_right(server, "d1")
    await engine.sign_in(USERNAME, PASSWORD)
    await engine.second_factor(TOTP)
    await engine.sync()
    return Shift(server, disk, least={first}, most={first}), engine


async def whole_shift_steps() -> int:
    shift, engine = await begun()
    before = shift.disk.steps
    await shift.work(engine)
    await engine.stop()
    return shift.disk.steps - before


async def _unlock(engine: PhoneEngine, pins: set[str]) -> None:
    """With the PIN that counts; while it was being changed either may be it."""
    for pin in sorted(pins):
        if engine.state.stage is not Stage.UNLOCKED:
            with suppress(WrongPinError):
                await engine.unlock(pin)


async def _check(shift: Shift, found: MemoryDisk) -> None:
    """The app is started again on what the disk may hold."""
    handed_in, shift.server.batches = list(shift.server.batches), list(shift.server.batches)
    shift.server.sent.clear()  # the real server tells by the cursor what has arrived
    shift.server.held.clear()
    engine = engine_on(found, shift.server)
    await engine.start()
    assert engine.state.stage is Stage.LOCKED
    await _unlock(engine, shift.pins)
    assert engine.state.stage is Stage.UNLOCKED, "an acknowledged PIN opens the vault"
    held = set(engine._keyring.content.rights)
    assert shift.least <= held <= shift.most | shift.least, "all of a sync, or nothing of it"
    await engine.sync()
    assert set(engine._keyring.content.rights) == set(shift.server.rights)
    assert set(shift.server.batches) >= set(shift.acknowledged), "no log that a lock was thanked for is lost"
    assert len(shift.server.batches) == len({hashlib.sha256(one).digest() for one in shift.server.batches})
    assert engine._courier.waiting == 0
    await engine.stop()
    shift.server.batches = handed_in


async def test_rule_06_the_app_is_killed_before_any_write_of_a_shift() -> None:
    steps = await whole_shift_steps()
    assert steps > 40
    for cut_at in range(steps + 1):
        shift, engine = await begun()
        shift.disk.cut_at = shift.disk.steps + cut_at
        with suppress(PowerCutError):
            await shift.work(engine)
        with suppress(PowerCutError):
            await engine.stop()
        for found in shift.disk.aftermaths():
            await _check(shift, found)


async def test_rule_06_killed_while_enrolling_leaves_a_vault_that_opens_or_none() -> None:
    seen: set[Stage] = set()
    for cut_at in range(20):
        server, disk = SmallServer(now=lambda: NOW), MemoryDisk(cut_at=cut_at)
        acknowledged = False
        with suppress(PowerCutError):
            engine = engine_on(disk, server)
            await engine.start()
            await engine.enrol(URL, CODE, PIN)
            acknowledged = True
        for found in disk.aftermaths():
            again = engine_on(found, server)
            await again.start()
            assert again.state.stage is Stage.LOCKED or not acknowledged
            seen.add(again.state.stage)
            if again.state.stage is Stage.LOCKED:
                await again.unlock(PIN)
                assert again.state.staff_name == "Anna Lind"
            await again.stop()
    assert seen == {Stage.LOCKED, Stage.NOT_ENROLLED}


@pytest.mark.parametrize("saved_before", [False, True])
def test_rule_06_preferences_are_the_old_or_the_new_ones(saved_before: bool) -> None:
    path, seen = FOLDER / "preferences.json", set()
    for cut_at in range(12):
        disk = MemoryDisk()
        if saved_before:
            old = Preferences(path, disk)
            old.language = "en"
            old.save()
        disk.cut_at = disk.steps + cut_at
        acknowledged = False
        with suppress(PowerCutError):
            chosen = Preferences(path, disk)
            chosen.language, chosen.scale = "xx", 2.0
            chosen.save()
            acknowledged = True
        for found in disk.aftermaths():
            kept = Preferences(path, found)
            old_ones = ("en", 1.0) if saved_before else ("sv", 1.0)
            assert (kept.language, kept.scale) in {old_ones, ("xx", 2.0)}
            assert not acknowledged or kept.language == "xx"
            seen.add(kept.language)
    assert len(seen) == 2


def test_damaged_preferences_are_the_ones_before_or_the_defaults() -> None:
    path, disk = FOLDER / "preferences.json", MemoryDisk()
    disk.write(path, b'{"language": "en", "scale"')
    assert Preferences(path, disk).language == "sv"
    disk.write(path.with_name("preferences.json.old"), b'{"language": "en", "scale": 1.3}')
    assert Preferences(path, disk).language == "en"
