"""From a person's tap to a bolt that obeys volts and ohms: app, radio, lock, gpiozero's pins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import replace
from pathlib import Path

from lockagent.board import config
from lockagent.board.wiring import Wired
from lockagent.bolt import Bolt
from lockagent.hardware import Edges
from mobile.engine.state import Opening
from mobile.engine.state import OpeningState as S
from protocol.settings import LockSettings
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import APARTMENT, LockAtDoor, PhoneInHand, world
from tests.lockagent.doormodel import BOARD, STEP, DoorModel, mock_pins


def _ended(opening: Opening) -> tuple[S, str]:
    return opening.state, opening.reason


@asynccontextmanager
async def at_a_real_door(
    folder: Path, settings: LockSettings = APARTMENT, **how: float
) -> AsyncIterator[tuple[DoorModel, LockAtDoor, PhoneInHand]]:
    """A lock whose motor is a board's, in front of a door model that moves as the loop's time does."""
    w = world(folder)
    lock, phone = await w.at_the_door(settings=settings)
    lock.power_off()
    door = DoorModel(mock_pins(), now=asyncio.get_running_loop().time(), **how)  # type: ignore[arg-type]
    edges = Edges()
    with closing(Wired(config.parse(BOARD), edges.changed)) as wired:
        lock.motor = wired.board  # type: ignore[assignment]
        await lock.power_on()
        assert lock.agent is not None
        edges.listen(lock.agent.touch)
        moving = asyncio.create_task(_move(door))
        yield door, lock, phone
        moving.cancel()
        with suppress(asyncio.CancelledError):
            await moving
        await w.close()


async def _move(door: DoorModel) -> None:
    while True:
        await asyncio.sleep(STEP)
        door.step()


@virtual_time
async def test_rule_10_the_app_says_what_the_bolts_own_contact_saw(tmp_path: Path) -> None:
    async with at_a_real_door(tmp_path) as (door, lock, phone):
        assert _ended(await phone.engine.open_door(lock.door_id)) == (S.OPEN, "")
        assert door.position < 0.05
        assert lock.motor.bolt is Bolt.UNLOCKED
        assert lock.motor.battery is not None, "read while the motor turned"
        door.door_shut = False
        await asyncio.sleep(1)
        assert _ended(await phone.engine.lock_door(lock.door_id)) == (S.AJAR, "ajar")
        await phone.engine.settled()
        assert phone.engine.state.doors[lock.door_id].left_unlocked
        door.door_shut = True
        await asyncio.sleep(1)
        assert _ended(await phone.engine.lock_door(lock.door_id)) == (S.LOCKED, "")
        assert door.position > 0.95


@virtual_time
async def test_rule_10_a_bolt_that_is_held_is_told_as_a_jam_and_let_go_of(tmp_path: Path) -> None:
    async with at_a_real_door(tmp_path) as (door, lock, phone):
        door.blocked_at = 0.6
        assert _ended(await phone.engine.open_door(lock.door_id)) == (S.JAMMED, "jammed")
        heat = door.heat
        await asyncio.sleep(2)
        assert door.heat == heat


@virtual_time
async def test_a_battery_at_its_reserve_refuses_with_words_or_opens_as_it_is_set(tmp_path: Path) -> None:
    keeps = replace(APARTMENT, open_with_last_energy=False)
    async with at_a_real_door(tmp_path, keeps, cells_volts=4.05) as (_, lock, phone):
        assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
        assert lock.motor.battery is not None
        assert lock.motor.battery <= 5
        assert (await phone.engine.lock_door(lock.door_id)).state is S.LOCKED
        assert _ended(await phone.engine.open_door(lock.door_id)) == (S.REFUSED, "battery_empty")


@virtual_time
async def test_rule_11_a_hand_on_the_knob_wins_and_the_app_says_so(tmp_path: Path) -> None:
    async with at_a_real_door(tmp_path) as (door, lock, phone):
        tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
        while door.heat == 0:
            await asyncio.sleep(0.01)
        door.hand_to = 1.0
        assert _ended(await tap) == (S.BY_HAND, "by_hand")
        heat = door.heat
        await asyncio.sleep(1)
        assert (door.position, door.heat) == (1.0, heat)
