"""Fault rules: cuts, drops, lost responses and flipped bits, each where it was aimed."""

from __future__ import annotations

import asyncio

import pytest
from bleak.exc import BleakError

from simulation.backend import PhoneRadio
from simulation.faults import CutLink, Drop, FlipBits, lock_notifies, matches, phone_writes
from simulation.radio import Ether, Side
from simulation.radio.packets import ATT_READ_REQUEST, ATT_WRITE_RESPONSE
from simulation.virtualtime import virtual_time
from tests.simulation.bench import COMMAND, EchoPeripheral, Session, find, session


class Scene:
    """A phone connected to a lock."""

    def __init__(self, ether: Ether, lock: EchoPeripheral, radio: PhoneRadio) -> None:
        self.ether, self.lock, self.radio = ether, lock, radio

    @classmethod
    async def open(cls) -> Scene:
        """Set it up, not yet connected."""
        ether = Ether(seed=1)
        lock = await EchoPeripheral(ether).start()
        return cls(ether, lock, PhoneRadio(ether, "phone"))


async def lost(mine: Session) -> bool:
    """Whether the link dies within two seconds."""
    for _ in range(20):
        if not mine.client.is_connected:
            return True
        await asyncio.sleep(0.1)
    return False


@virtual_time
async def test_cut_before_a_write_arrives() -> None:
    scene = await Scene.open()
    async with session(scene.radio, await find(scene.radio)) as mine:
        rule = CutLink(phone_writes, nth=2)
        scene.ether.add_rule(rule)
        assert await mine.ask(b"first") == b"first"
        with pytest.raises(BleakError):
            await mine.client.write_gatt_char(COMMAND, b"second", response=True)
        assert scene.lock.written == [b"first"]
        assert [packet.value for packet in rule.struck] == [b"second"]
        assert not mine.client.is_connected


@virtual_time
async def test_cut_after_a_write_arrived_the_lock_acted_and_the_phone_knows_nothing() -> None:
    scene = await Scene.open()
    async with session(scene.radio, await find(scene.radio)) as mine:
        scene.ether.add_rule(CutLink(phone_writes, deliver=True))
        with pytest.raises(BleakError):
            await mine.client.write_gatt_char(COMMAND, b"open", response=True)
        assert scene.lock.written == [b"open"]
        assert mine.answers.empty()
    assert len(scene.lock.disconnect_reasons) == 1


@virtual_time
async def test_cut_between_answer_and_outcome() -> None:
    scene = await Scene.open()
    async with session(scene.radio, await find(scene.radio)) as mine:
        scene.ether.add_rule(CutLink(lock_notifies, nth=2))
        assert await mine.ask(b"one") == b"one"
        await mine.client.write_gatt_char(COMMAND, b"two", response=True)
        assert await lost(mine)
        assert mine.answers.empty()
        assert scene.lock.written == [b"one", b"two"]


@virtual_time
async def test_cut_on_what_a_predicate_sees() -> None:
    scene = await Scene.open()
    async with session(scene.radio, await find(scene.radio)) as mine:
        scene.ether.add_rule(CutLink(lambda packet: packet.value == b"boom"))
        assert await mine.ask(b"fine") == b"fine"
        with pytest.raises(BleakError):
            await mine.client.write_gatt_char(COMMAND, b"boom", response=True)


@virtual_time
async def test_a_dropped_request_ends_in_att_timeout_and_a_dead_link() -> None:
    scene = await Scene.open()
    loop = asyncio.get_running_loop()
    async with session(scene.radio, await find(scene.radio)) as mine:
        scene.ether.add_rule(Drop(matches(opcodes=frozenset({ATT_READ_REQUEST}))))
        started = loop.time()
        with pytest.raises(BleakError, match="no answer"):
            await mine.client.read_gatt_char(COMMAND)
        assert loop.time() - started == pytest.approx(30.0)
        assert not mine.client.is_connected


@virtual_time
async def test_a_lost_response_though_the_lock_acted() -> None:
    scene = await Scene.open()
    async with session(scene.radio, await find(scene.radio)) as mine:
        scene.ether.add_rule(Drop(matches(sender=Side.PERIPHERAL, opcodes=frozenset({ATT_WRITE_RESPONSE}))))
        with pytest.raises(BleakError):
            await mine.client.write_gatt_char(COMMAND, b"open", response=True)
        assert scene.lock.written == [b"open"]


@virtual_time
async def test_a_lost_notification_is_just_missing() -> None:
    scene = await Scene.open()
    async with session(scene.radio, await find(scene.radio)) as mine:
        scene.ether.add_rule(Drop(lock_notifies, nth=2, times=2))
        for value in (b"1", b"2", b"3", b"4"):
            await mine.client.write_gatt_char(COMMAND, value, response=True)
        await asyncio.sleep(1)
        assert [mine.answers.get_nowait() for _ in range(mine.answers.qsize())] == [b"1", b"4"]
        assert mine.client.is_connected


@virtual_time
async def test_flipped_bits_hit_the_value_and_nothing_else() -> None:
    async def flip(seed: int) -> bytes:
        scene = await Scene.open()
        async with session(scene.radio, await find(scene.radio)) as mine:
            scene.ether.add_rule(FlipBits(phone_writes, bits=3, seed=seed))
            await mine.client.write_gatt_char(COMMAND, bytes(40), response=True)
        return scene.lock.written[0]

    value = await flip(1)
    assert len(value) == 40
    assert sum(byte.bit_count() for byte in value) == 3
    assert await flip(1) == value
    assert await flip(2) != value


@virtual_time
async def test_a_rule_can_be_lifted_and_may_name_a_link() -> None:
    scene = await Scene.open()
    everybody = Drop(matches(sender=Side.PERIPHERAL, name="somebody else"))
    nobody = Drop(lock_notifies, times=1000)
    scene.ether.add_rule(everybody)
    lift = scene.ether.add_rule(nobody)
    async with session(scene.radio, await find(scene.radio)) as mine:
        await mine.client.write_gatt_char(COMMAND, b"unheard", response=True)
        await asyncio.sleep(1)
        assert mine.answers.empty()
        lift()
        lift()
        assert await mine.ask(b"heard") == b"heard"
    assert everybody.struck == []
