"""Links lost at every point of an opening: the truth on screen, and never a second act for one tap."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from bumble.device import ConnectionParametersPreferences

from lockagent.bolt import Bolt, Order
from mobile.engine.state import OpeningState as S
from protocol import bulletin
from simulation.faults import CutLink, Drop, lock_notifies, phone_writes
from simulation.radio import Rule
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import GATE, LockAtDoor, PhoneInHand, world

# At MTU 247 each of these is one packet: m0 and m2, m3 notified; m1 and then bulletin or carry written.
CUTS: dict[str, Rule] = {
    "before m0": CutLink(lock_notifies, nth=1),
    "after m0": CutLink(lock_notifies, nth=1, deliver=True),
    "m1 lost": CutLink(phone_writes, nth=1),
    "between m1 and m2": CutLink(phone_writes, nth=1, deliver=True),
    "m2 lost": CutLink(lock_notifies, nth=2),
    "between m2 and m3": CutLink(lock_notifies, nth=2, deliver=True),
    "m3 lost": CutLink(lock_notifies, nth=3),
    "m1 swallowed": Drop(phone_writes, nth=1),
    "m2 swallowed": Drop(lock_notifies, nth=2),
    "m3 swallowed": Drop(lock_notifies, nth=3),
}


@pytest.mark.parametrize("cut", list(CUTS))
def test_rule_10_a_retry_never_acts_twice_when_the_link_is_lost(tmp_path: Path, cut: str) -> None:
    """The gate's strike is the sharp case: releasing it twice would be two openings."""

    @virtual_time
    async def story() -> None:
        w = world(tmp_path)
        gate, phone = await w.at_the_door(settings=GATE)
        rule = CUTS[cut]
        w.ether.add_rule(rule)
        before = asyncio.get_running_loop().time()
        opening = await phone.engine.open_door(gate.door_id)
        assert asyncio.get_running_loop().time() - before < 20
        assert rule.struck, "the fault must have happened"
        assert opening.state is S.OPEN
        await phone.engine.settled()
        assert gate.motor.runs == [Order.PULSE]
        assert gate.kinds().count("GRANTED") == 1
        assert gate.kinds().count("OUTCOME") == 1
        shown = phone.states(gate.door_id)
        assert shown == [S.SEARCHING, S.CONNECTING, S.GRANTED_UNLOCKING, S.OPEN], "in order, none twice"
        await w.close()

    story()


@virtual_time
async def test_rule_10_not_even_when_the_lock_reboots_in_between(tmp_path: Path) -> None:
    """The power goes while the bolt moves: the lock says that it does not know, and does not move again."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    while not lock.motor.runs:
        await asyncio.sleep(0.05)
    lock.power_off()
    lock.motor.order(Order.STOP, asyncio.get_running_loop().time())
    await asyncio.sleep(1)
    await lock.power_on()
    opening = await tap
    assert (opening.state, opening.reason) == (S.OUTCOME_UNKNOWN, "outcome_unknown")
    assert lock.motor.runs == [Order.UNLOCK]
    assert lock.kinds().count("GRANTED") == 1
    await w.close()


@virtual_time
async def test_rule_10_an_answer_lost_for_good_is_told_as_unknown(tmp_path: Path) -> None:
    """Granted, then the lock is never heard again: neither "open" nor "refused"."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    while not lock.motor.runs:
        await asyncio.sleep(0.05)
    lock.power_off()
    opening = await tap
    assert (opening.state, opening.reason) == (S.OUTCOME_UNKNOWN, "link_lost")
    assert not set(phone.states(lock.door_id)) & {S.OPEN, S.ALREADY_OPEN, S.REFUSED}
    await w.close()


@virtual_time
async def test_rule_10_what_was_granted_is_never_told_as_refused(tmp_path: Path) -> None:
    """The link dies after m2; before the phone asks again a colleague brings the revocation of its token."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    cut = CutLink(lock_notifies, nth=2, deliver=True)
    w.ether.add_rule(cut)
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    while not cut.struck:
        await asyncio.sleep(0.01)
    _revoke_everything(lock, phone)
    opening = await tap
    assert opening.state is S.OUTCOME_UNKNOWN
    assert S.REFUSED not in phone.states(lock.door_id)
    await asyncio.sleep(3)
    assert lock.motor.runs == [Order.UNLOCK]
    await w.close()


def _revoke_everything(lock: LockAtDoor, phone: PhoneInHand) -> None:
    """Give the lock a newer bulletin that revokes all of a phone's tokens, as if a colleague had."""
    assert lock.agent is not None
    context = lock.agent.core._context
    assert context.binding is not None
    old = context.binding.bulletin
    revoked = {bulletin.revoked_hash(old.binding, key) for key in phone.engine._keyring.content.rights}
    news = replace(old, seq=old.seq + 1, revoked=frozenset(revoked))
    context.binding = replace(context.binding, bulletin=news)


@virtual_time
async def test_rule_10_nor_is_what_may_have_been_granted_unheard(tmp_path: Path) -> None:
    """The same, but m2 itself was lost: all the phone knows is that it asked."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    cut = CutLink(lock_notifies, nth=2)
    w.ether.add_rule(cut)
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    while not cut.struck:
        await asyncio.sleep(0.01)
    _revoke_everything(lock, phone)
    opening = await tap
    assert (opening.state, opening.reason) == (S.NO_ANSWER, "no_answer")
    assert S.REFUSED not in phone.states(lock.door_id)
    await asyncio.sleep(3)
    assert lock.motor.runs == [Order.UNLOCK]
    await w.close()


@virtual_time
async def test_rule_10_a_request_never_answered_is_told_as_no_answer(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    w.ether.add_rule(Drop(phone_writes, nth=1, times=1000))
    loop = asyncio.get_running_loop()
    before = loop.time()
    opening = await phone.engine.open_door(lock.door_id)
    assert (opening.state, opening.reason) == (S.NO_ANSWER, "no_answer")
    assert loop.time() - before < 30
    assert lock.motor.runs == []
    await w.close()


@virtual_time
async def test_a_door_out_of_range_is_not_found_after_twenty_seconds(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    phone.radio.move((5000.0, 0.0))
    await asyncio.sleep(30)
    loop = asyncio.get_running_loop()
    before = loop.time()
    opening = await phone.engine.open_door(lock.door_id)
    assert (opening.state, opening.reason) == (S.NOT_FOUND, "not_found")
    assert 19 < loop.time() - before < 22
    phone.radio.move((0.0, 0.0))
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    await w.close()


@virtual_time
async def test_bluetooth_off_is_said_at_once_and_mends(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    await phone.radio.switch_off()
    await asyncio.sleep(30)
    loop = asyncio.get_running_loop()
    before = loop.time()
    opening = await phone.engine.open_door(lock.door_id)
    assert (opening.state, opening.reason) == (S.BLUETOOTH_OFF, "bluetooth_off")
    assert loop.time() - before < 1
    assert phone.engine.state.bluetooth.value == "off"
    await phone.radio.switch_on()
    await asyncio.sleep(10)
    assert phone.engine.state.bluetooth.value == "on", "it comes back by itself"
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    await w.close()


@virtual_time
async def test_bluetooth_switched_off_in_the_middle(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    while not lock.motor.runs:
        await asyncio.sleep(0.05)
    await phone.radio.switch_off()
    opening = await tap
    assert (opening.state, opening.reason) == (S.OUTCOME_UNKNOWN, "link_lost")
    await w.close()


@virtual_time
async def test_bluetooth_switched_off_just_before_the_tap(tmp_path: Path) -> None:
    """The scan does not know yet; connecting finds out."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    await asyncio.sleep(2)
    await phone.radio.switch_off()
    opening = await phone.engine.open_door(lock.door_id)
    assert (opening.state, opening.reason) == (S.BLUETOOTH_OFF, "bluetooth_off")
    await w.close()


@virtual_time
async def test_locking_the_app_waits_for_the_lock_and_then_wipes(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    while not lock.motor.runs:
        await asyncio.sleep(0.05)
    await phone.engine.lock_app()
    assert (await tap).state is S.OPEN, "the bolt was moving: a moment's patience tells the truth"
    assert phone.engine.state.openings == {}
    assert w.ether.links() == []
    await phone.engine.unlock("493817")
    assert [entry.state for entry in await phone.engine.history()] == [S.OPEN]
    await w.close()


@virtual_time
async def test_locking_the_app_gives_up_a_search(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    phone.radio.move((5000.0, 0.0))
    await asyncio.sleep(10)
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    await asyncio.sleep(1)
    await phone.engine.lock_app()
    assert (await tap).state is S.NOT_FOUND
    assert lock.motor.bolt is Bolt.LOCKED
    await w.close()


@virtual_time
async def test_a_tap_that_waits_for_another_ends_idle_when_the_app_is_locked(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    phone.radio.move((5000.0, 0.0))
    await asyncio.sleep(10)
    first = asyncio.create_task(phone.engine.open_door(lock.door_id))
    await asyncio.sleep(0.1)
    second = asyncio.create_task(phone.engine.lock_door(lock.door_id))
    await asyncio.sleep(0.1)
    await phone.engine.lock_app()
    assert (await first).state is S.NOT_FOUND
    assert (await second).state is S.IDLE
    assert phone.engine.state.openings == {}
    await w.close()


@virtual_time
async def test_two_phones_at_once_at_one_lock_both_learn_the_truth(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, anna = await w.at_the_door()
    w.server.away = False
    bo = await w.phone("bo")
    w.server.grant(lock.ware, to="device-2")
    await bo.engine.sync()
    openings = await asyncio.gather(anna.engine.open_door(lock.door_id), bo.engine.open_door(lock.door_id))
    assert {one.state for one in openings} <= {S.OPEN, S.ALREADY_OPEN}
    assert lock.motor.runs == [Order.UNLOCK]
    await w.close()


@virtual_time
async def test_a_lock_that_changed_its_address_a_moment_ago_is_reached_soon(tmp_path: Path) -> None:
    """Bo's opening made the lock change its address; what Anna's phone heard before leads nowhere."""
    w = world(tmp_path)
    lock, anna = await w.at_the_door()
    w.server.away = False
    bo = await w.phone("bo")
    w.server.grant(lock.ware, to="device-2")
    await bo.engine.sync()
    loop = asyncio.get_running_loop()
    for phone in (bo, anna, bo, anna, anna):
        before = loop.time()
        assert (await phone.engine.open_door(lock.door_id)).state in (S.OPEN, S.ALREADY_OPEN)
        assert loop.time() - before < 4
        await phone.engine.settled()
    await w.close()


@virtual_time
async def test_a_link_that_loses_every_third_packet_only_takes_longer(tmp_path: Path) -> None:
    w = world(tmp_path)
    lock, phone = await w.at_the_door(mtu=23)
    w.ether.conditions.connection_interval = 0.03
    w.ether.conditions.packet_loss = 0.3
    w.ether.conditions.advert_loss = 0.3
    assert (await phone.engine.open_door(lock.door_id)).state is S.OPEN
    await phone.engine.settled()
    assert lock.motor.runs == [Order.UNLOCK]
    await w.close()


@virtual_time
async def test_a_request_to_connect_that_the_lock_never_heard_is_made_again_at_once(tmp_path: Path) -> None:
    """The lock still has its address: nothing has to be heard anew first."""
    w = world(tmp_path)
    lock, phone = await w.at_the_door()
    await asyncio.sleep(2)
    w.ether.conditions.connect_loss = 1.0
    loop = asyncio.get_running_loop()
    begun = loop.time()
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    await asyncio.sleep(1.2)
    w.ether.conditions.connect_loss = 0.0
    w.ether.conditions.advert_loss = 0.5
    assert (await tap).state is S.OPEN
    assert loop.time() - begun < 6
    await w.close()


@virtual_time
async def test_whoever_walks_away_while_connecting_is_told_within_the_search(tmp_path: Path) -> None:
    """Giving up a connection takes a stack its supervision timeout, five seconds; nobody waits for that."""
    w = world(tmp_path)
    w.ether.conditions.connection_interval = 0.05
    lock, phone = await w.at_the_door(manners=ConnectionParametersPreferences(supervision_timeout=5000))
    phone.radio.move((5000.0, 0.0))
    await asyncio.sleep(10)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    tap = asyncio.create_task(phone.engine.open_door(lock.door_id))
    await asyncio.sleep(18.5)
    phone.radio.move((0.0, 0.0))
    while not w.ether.links(lock.name):
        await asyncio.sleep(0.01)
    phone.radio.move((5000.0, 0.0))
    assert (await tap).state in (S.NOT_FOUND, S.NO_ANSWER)
    assert loop.time() - begun < 23
    await w.close()
