"""One tap over the whole stack: engine, bleak, bumble, simulated air, bumble, lock agent, motor."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lockagent.bolt import Bolt, Order
from mobile.engine.state import Nearby, Opening, Operation
from mobile.engine.state import OpeningState as S
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import GATE, world

WAY_TO_OPEN = [S.SEARCHING, S.CONNECTING, S.GRANTED_UNLOCKING, S.OPEN]


def _ended(opening: Opening) -> tuple[S, str]:
    return opening.state, opening.reason


@virtual_time
async def test_rule_02_a_door_opens_with_no_network_on_either_side(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    assert _ended(await phone.engine.open_door(lock.door_id)) == (S.OPEN, "")
    assert lock.motor.bolt is Bolt.UNLOCKED
    assert phone.states(lock.door_id) == WAY_TO_OPEN
    await phone.engine.settled()
    assert lock.kinds() == ["GRANTED", "OUTCOME"]
    await w.close()


@virtual_time
async def test_one_opening_costs_two_round_trips_and_few_bytes(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    await phone.engine.open_door(lock.door_id)
    traffic = phone.engine.last_traffic
    assert traffic is not None
    assert traffic.round_trips == 2
    assert traffic.application_bytes <= 340
    assert traffic.message_bytes < traffic.application_bytes
    await w.close()


@virtual_time
async def test_locking_on_leaving_and_doing_it_twice(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    await phone.engine.open_door(lock.door_id)
    await phone.engine.settled()
    assert phone.engine.state.doors[lock.door_id].left_unlocked
    assert (await phone.engine.open_door(lock.door_id)).state is S.ALREADY_OPEN
    assert (await phone.engine.lock_door(lock.door_id)).state is S.LOCKED
    assert (await phone.engine.lock_door(lock.door_id)).state is S.ALREADY_LOCKED
    await phone.engine.settled()
    assert lock.motor.runs == [Order.UNLOCK, Order.LOCK]
    assert not phone.engine.state.doors[lock.door_id].left_unlocked
    await w.close()


@virtual_time
async def test_a_door_left_unlocked_is_remembered_with_its_time_until_somebody_says_it_is_locked(
    tmp_path: Path,
) -> None:
    """Over a restart of the app too; and out of earshot is told by the list of what is near."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    before = w.wall()
    await phone.engine.open_door(lock.door_id)
    await phone.engine.settled()
    assert before <= phone.engine.state.doors[lock.door_id].unlocked_at <= w.wall()
    phone.radio.move((5000.0, 0.0))
    await phone.engine.lock_app()
    await asyncio.sleep(1800)
    await phone.engine.unlock("493817")
    await asyncio.sleep(12)
    door = phone.engine.state.doors[lock.door_id]
    assert (door.left_unlocked, door.nearby, door.near_place) == (True, Nearby.NO, 0)
    await phone.engine.note_locked(lock.door_id)
    assert not phone.engine.state.doors[lock.door_id].left_unlocked
    await phone.engine.lock_app()
    await phone.engine.unlock("493817")
    door = phone.engine.state.doors[lock.door_id]
    assert (door.left_unlocked, door.unlocked_at) == (False, 0)
    assert lock.motor.runs == [Order.UNLOCK], "saying so moves no bolt"
    await w.close()


@virtual_time
async def test_two_doors_at_hand_are_told_apart_by_how_near_they_are(tmp_path: Path) -> None:
    w = world(tmp_path)
    beside = await w.lock("lock-2")
    lock, phone = await w.at_the_door()
    w.server.away = False
    w.server.grant(beside.ware)
    await phone.engine.sync()
    w.ether.set_rssi("anna", lock.name, -60)
    w.ether.set_rssi("anna", beside.name, -45)
    await asyncio.sleep(10)
    doors = phone.engine.state.doors
    assert (doors[beside.door_id].near_place, doors[lock.door_id].near_place) == (1, 2)
    w.ether.set_rssi("anna", beside.name, -72)
    await asyncio.sleep(10)
    doors = phone.engine.state.doors
    assert (doors[beside.door_id].near_place, doors[lock.door_id].near_place) == (2, 1)
    await w.close()


@virtual_time
async def test_a_gate_opens_and_is_never_left_unlocked(tmp_path: Path) -> None:
    w = world(tmp_path)
    gate, phone = await w.at_the_door(settings=GATE)
    assert (await phone.engine.open_door(gate.door_id)).state is S.OPEN
    await phone.engine.settled()
    door = phone.engine.state.doors[gate.door_id]
    assert not door.left_unlocked
    assert not door.may_lock
    assert gate.motor.runs == [Order.PULSE]
    await asyncio.sleep(30)
    assert (await phone.engine.open_door(gate.door_id)).state is S.OPEN
    assert gate.motor.runs == [Order.PULSE, Order.PULSE], "a new tap is a new act"
    await w.close()


@pytest.mark.parametrize(
    ("fault", "ended"),
    [
        ("jammed", (S.JAMMED, "jammed")),
        ("motor_dead", (S.MOTOR_TIMEOUT, "motor_timeout")),
        ("sensor_dead", (S.MOTOR_TIMEOUT, "motor_timeout")),
    ],
)
def test_rule_10_the_app_says_open_only_when_the_bolt_moved(
    tmp_path: Path, fault: str, ended: tuple[S, str]
) -> None:
    @virtual_time
    async def story() -> None:
        w = world(tmp_path)
        lock, phone = await w.at_the_door()
        setattr(lock.motor.faults, fault, True)
        assert _ended(await phone.engine.open_door(lock.door_id)) == ended
        assert not set(phone.states(lock.door_id)) & {S.OPEN, S.ALREADY_OPEN}
        await w.close()

    story()


@virtual_time
async def test_rule_10_a_hand_on_the_knob_is_told_as_such(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    while not lock.motor.runs:
        await asyncio.sleep(0.05)
    lock.motor.turn_by_hand(Bolt.LOCKED, asyncio.get_running_loop().time())
    assert lock.agent is not None
    lock.agent.touch()
    assert _ended(await tap) == (S.BY_HAND, "by_hand")
    await w.close()


@virtual_time
async def test_rule_10_granted_is_shown_before_the_bolt_has_moved(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    seen_while_moving: list[S] = []
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    while lock.motor.bolt is not Bolt.UNLOCKED:
        seen_while_moving += phone.states(lock.door_id)[-1:]
        await asyncio.sleep(0.1)
    assert S.GRANTED_UNLOCKING in seen_while_moving
    assert not set(seen_while_moving) & {S.OPEN, S.ALREADY_OPEN}
    assert (await tap).state is S.OPEN
    await w.close()


@virtual_time
async def test_a_second_tap_joins_the_first(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    taps = [phone.engine.open_door(lock.door_id) for _ in range(3)]
    openings = await asyncio.gather(*taps)
    assert openings[0] == openings[1] == openings[2]
    await phone.engine.settled()
    assert lock.motor.runs == [Order.UNLOCK]
    assert lock.kinds() == ["GRANTED", "OUTCOME"]
    await w.close()


@virtual_time
async def test_a_third_tap_joins_the_second_while_the_first_still_carries_logs(tmp_path: Path) -> None:
    w = world(tmp_path)
    w.ether.conditions.connection_interval = 0.05
    lock, phone = await w.at_the_door()
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    second = asyncio.create_task(phone.engine.open_door(lock.door_id))
    while phone.engine.state.sync.waiting_logs == 0:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    third = asyncio.create_task(phone.engine.open_door(lock.door_id))
    assert await second == await third
    await phone.engine.settled()
    assert lock.kinds().count("GRANTED") == 2
    await w.close()


@virtual_time
async def test_opening_and_locking_at_once_happen_one_after_the_other(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    opened, locked = await asyncio.gather(
        phone.engine.open_door(lock.door_id), phone.engine.lock_door(lock.door_id)
    )
    assert (opened.state, locked.state) == (S.OPEN, S.LOCKED)
    assert lock.motor.runs == [Order.UNLOCK, Order.LOCK]
    await w.close()


@pytest.mark.parametrize("mtu", [23, 185, 247, 517])
def test_an_opening_works_at_every_mtu(tmp_path: Path, mtu: int) -> None:
    @virtual_time
    async def story() -> None:
        w = world(tmp_path)
        lock, phone = await w.at_the_door(mtu=mtu)
        assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
        await phone.engine.settled()
        assert phone.engine.state.sync.waiting_logs > 0, "the log rides along"
        assert phone.engine.last_traffic is not None
        assert phone.engine.last_traffic.round_trips == 2
        await w.close()

    story()


@virtual_time
async def test_rule_09_a_person_acts_or_no_door_is_even_spoken_to(tmp_path: Path) -> None:
    """Coming close, scanning, syncing, unlocking the app: none of it makes a link, let alone an opening."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    w.server.away = False
    recording = w.ether.record()
    for _ in range(3):
        await asyncio.sleep(60)
        await phone.engine.sync()
        await phone.engine.lock_app()
        await phone.engine.unlock("493817")
    await asyncio.sleep(5)
    assert phone.engine.state.doors[lock.door_id].nearby is Nearby.HERE
    assert recording.packets == []
    assert w.ether.links() == []
    assert lock.motor.runs == []
    await w.close()


@virtual_time
async def test_rule_09_a_person_acts_on_one_door_and_the_one_beside_it_stays_shut(tmp_path: Path) -> None:
    w = world(tmp_path)
    beside = await w.lock("lock-2")
    lock, phone = await w.at_the_door()
    w.server.away = False
    w.server.grant(beside.ware)
    await phone.engine.sync()
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    await phone.engine.settled()
    assert beside.motor.runs == []
    assert beside.kinds() == []
    await w.close()


@virtual_time
async def test_the_persons_own_log_keeps_failed_taps_and_survives_the_app(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    lock.motor.faults.jammed = True
    await phone.engine.open_door(lock.door_id)
    lock.motor.faults.jammed = False
    await phone.engine.open_door(lock.door_id)
    await phone.engine.settled()
    await phone.engine.lock_app()
    assert phone.engine.state.doors == {}
    assert phone.engine.state.openings == {}
    await phone.engine.unlock("493817")
    newest, oldest = await phone.engine.history()
    assert (newest.state, oldest.state) == (S.OPEN, S.JAMMED)
    assert newest.operation is Operation.OPEN
    assert newest.door_label == f"Lås {lock.door_id}"
    assert phone.engine.state.doors[lock.door_id].left_unlocked
    await w.close()


@virtual_time
async def test_a_result_stays_until_it_is_dismissed(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    await asyncio.sleep(0.01)
    await phone.engine.dismiss_opening(lock.door_id)
    assert lock.door_id in phone.engine.state.openings, "not while it is worked on"
    await tap
    assert phone.engine.state.openings[lock.door_id].state is S.OPEN
    await phone.engine.dismiss_opening(lock.door_id)
    assert lock.door_id not in phone.engine.state.openings
    await w.close()
