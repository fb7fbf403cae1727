"""Opening from a cold start: no network at all, after a reboot, in flight mode with Bluetooth on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from lockagent.bolt import Order
from mobile.engine.engine import PhoneEngine
from mobile.engine.setup import Setup
from mobile.engine.state import Bluetooth, DoorView, OpeningState, SyncStatus
from simulation.backend import PhoneRadio
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import CHEAP, LockAtDoor, PhoneInHand, World, world
from tests.mobile.issuing import PIN

S = OpeningState
SOON = 4.0
"""From the PIN to an open door, when the lock is heard at once (virtual seconds)."""


async def _off_and_away(w: World) -> tuple[LockAtDoor, PhoneInHand]:
    """The shift was fetched; then the app ended, and there is no coverage any more."""
    lock, phone = await w.at_the_door()
    await phone.engine.stop()
    w.server.calls.clear()
    return lock, phone


async def _start(w: World, phone: PhoneInHand, name: str = "anna", **changed: object) -> PhoneEngine:
    """The app is started from what lies on the disk, and from nothing else."""
    setup = Setup(
        w.folder / name,
        scanner_backend=phone.radio.scanner_backend,
        client_backend=phone.radio.client_backend,
        transport=w.server.transport(),
        wall=w.wall,
        monotonic=asyncio.get_running_loop().time,
        random=w.chance(name),
        vault_cost=CHEAP,
        disk=w.disk,
    )
    engine = phone.engine = PhoneEngine(replace(setup, **changed))  # type: ignore[arg-type]
    await engine.start()
    return engine


def _door(engine: PhoneEngine, lock: LockAtDoor) -> DoorView:
    return engine.state.doors[lock.door_id]


@virtual_time
async def test_rule_02_a_cold_start_with_no_network_opens_the_door(tmp_path: Path) -> None:
    """All that runs by itself is on; rounds and websocket find nobody, and nobody waits for them."""
    w = world(tmp_path)
    lock, phone = await _off_and_away(w)
    engine = await _start(w, phone)
    begun = asyncio.get_running_loop().time()
    await engine.unlock(PIN)
    assert (await engine.open_door(lock.door_id)).state is S.OPEN
    assert asyncio.get_running_loop().time() - begun < SOON
    assert lock.motor.runs == [Order.UNLOCK]
    await w.close()


@virtual_time
async def test_after_a_reboot_of_the_phone_with_its_clock_back_in_1970(tmp_path: Path) -> None:
    """Monotonic time begins anew and the wall clock is lost: neither is asked whether a right holds."""
    w = world(tmp_path)
    lock, phone = await _off_and_away(w)
    await phone.radio.leave()
    loop = asyncio.get_running_loop()
    rebooted = loop.time()
    engine = await _start(w, phone, wall=lambda: 3600, monotonic=lambda: loop.time() - rebooted)
    await engine.unlock(PIN)
    assert (await engine.open_door(lock.door_id)).state is S.OPEN
    await w.close()


@virtual_time
async def test_flight_mode_with_bluetooth_turned_on_again(tmp_path: Path) -> None:
    """Flight mode turns Bluetooth off too; the person turns it on, and the app needs no telling."""
    w = world(tmp_path)
    lock, phone = await _off_and_away(w)
    await phone.radio.switch_off()
    engine = await _start(w, phone)
    await engine.unlock(PIN)
    refused = await engine.open_door(lock.door_id)
    assert (refused.state, refused.reason) == (S.BLUETOOTH_OFF, "bluetooth_off")
    await phone.radio.switch_on()
    await asyncio.sleep(10)
    assert engine.state.bluetooth is Bluetooth.ON
    assert (await engine.open_door(lock.door_id)).state is S.OPEN
    assert not engine.state.sync.online
    await w.close()


@virtual_time
async def test_a_door_tapped_before_the_scan_has_heard_anything_is_found(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await _off_and_away(w)
    engine = await _start(w, phone)
    unlocking = asyncio.create_task(engine.unlock(PIN))
    while not engine.state.doors:
        await asyncio.sleep(0.001)
    opening = await engine.open_door(lock.door_id)
    await unlocking
    assert opening.state is S.OPEN
    await w.close()


@virtual_time
async def test_an_app_killed_in_mid_tap_starts_and_tells_what_the_lock_knows(tmp_path: Path) -> None:
    """No goodbye, no last save: the bolt moved, and a new tap is told so."""
    w = world(tmp_path)
    lock, phone = await _off_and_away(w)
    engine = await _start(w, phone)
    await engine.unlock(PIN)
    killed = asyncio.create_task(engine.open_door(lock.door_id))
    while not lock.motor.runs:
        await asyncio.sleep(0.05)
    await phone.radio.leave()  # the process is gone, and its radio with it
    radio = PhoneRadio(w.ether, "anna-again", mtu=247)
    again = PhoneInHand(engine, radio)
    restarted = await _start(w, again)
    await restarted.unlock(PIN)
    await asyncio.sleep(2)
    assert (await restarted.open_door(lock.door_id)).state is S.ALREADY_OPEN
    assert lock.motor.runs == [Order.UNLOCK]
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    await restarted.stop()
    await w.close()


@virtual_time
async def test_the_sync_bar_tells_how_old_it_all_is(tmp_path: Path) -> None:
    w = world(tmp_path)
    _, phone = await _off_and_away(w)
    before = phone.engine.state.sync
    await asyncio.sleep(3 * 3600)
    engine = await _start(w, phone)
    await engine.unlock(PIN)
    sync: SyncStatus = engine.state.sync
    assert sync.last_synced_at == before.last_synced_at
    assert not sync.online
    await w.close()
