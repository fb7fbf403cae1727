"""The lock's real peripheral over the simulated ether, spoken to with genuine bleak."""

from __future__ import annotations

import asyncio

import pytest
from bleak.exc import BleakError
from bumble.hci import Address, AddressType
from bumble.smp import SMP_CID

from lockagent.bolt import Order
from lockagent.lockfolder import store_over
from lockagent.motor.simulated import SimulatedMotor
from protocol import advert, gatt
from protocol.entries import Entry, EntryType
from protocol.messages import OutcomeCode
from protocol.phone import PhoneState
from protocol.reasons import Reason
from protocol.suites import SUITES
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.rawcentral import RawCentral
from simulation.virtualtime import virtual_time
from tests.lockagent.air import LiveLock, Talk, connected, phone_session, sighted
from tests.lockagent.bench import SECRETS, Phone


@pytest.mark.parametrize("mtu", [23, 185, 247, 517])
@virtual_time
async def test_an_opening_over_the_air_at_any_mtu(mtu: int) -> None:
    ether = Ether(seed=mtu)
    lock, radio, anna = await LiveLock(ether).start(), PhoneRadio(ether, "anna", mtu=mtu), Phone()
    async with connected(radio, lock.place) as client:
        talk = await Talk(client, phone_session(lock.place, anna, mtu=mtu)).run()
    assert talk.session.decision is not None
    assert talk.session.decision.reason == Reason.GRANTED
    assert talk.session.outcome is not None
    assert talk.session.outcome.code is OutcomeCode.MOVED
    assert lock.motor.runs == [Order.UNLOCK]


@virtual_time
async def test_rule_08_address_salt_and_rid_change_together_after_every_connection() -> None:
    ether = Ether(seed=2)
    lock, radio = await LiveLock(ether).start(), PhoneRadio(ether, "anna")
    seen = []
    for _ in range(4):
        device, data = await sighted(radio, lock.place)
        now = advert.parse(data.manufacturer_data[gatt.COMPANY_ID])
        seen.append((device.address, now.salt, now.rid))
        async with connected(radio, lock.place):
            await asyncio.sleep(0.1)
        await asyncio.sleep(6)
    for part in range(3):
        assert len({one[part] for one in seen}) == 4


@virtual_time
async def test_rule_08_the_advert_changes_every_quarter_of_an_hour_untouched() -> None:
    ether = Ether(seed=2)
    lock, radio = await LiveLock(ether).start(), PhoneRadio(ether, "anna")
    before, _ = await sighted(radio, lock.place)
    await asyncio.sleep(gatt.ADVERT_ROTATION_SECONDS + 1)
    after, _ = await sighted(radio, lock.place)
    assert before.address != after.address


@virtual_time
async def test_the_lock_is_seen_and_serves_while_another_phone_is_connected() -> None:
    ether = Ether(seed=4)
    lock = await LiveLock(ether).start()
    one, two, anna = PhoneRadio(ether, "one"), PhoneRadio(ether, "two"), Phone()
    async with connected(one, lock.place), connected(two, lock.place) as client:
        talk = await Talk(client, phone_session(lock.place, anna)).run()
    assert talk.session.outcome is not None
    assert talk.session.outcome.code is OutcomeCode.MOVED


@virtual_time
async def test_strangers_on_every_link_do_not_keep_staff_out() -> None:
    ether = Ether(seed=5)
    lock, anna = await LiveLock(ether).start(), Phone()
    strangers = [PhoneRadio(ether, f"stranger-{n}") for n in range(3)]
    async with (
        connected(strangers[0], lock.place),
        connected(strangers[1], lock.place),
        connected(strangers[2], lock.place),
        connected(PhoneRadio(ether, "anna"), lock.place) as client,
    ):
        talk = await Talk(client, phone_session(lock.place, anna)).run()
        assert talk.session.outcome is not None
        assert talk.session.outcome.code is OutcomeCode.MOVED


@virtual_time
async def test_the_gatt_table_takes_writes_where_frames_go_and_nowhere_else() -> None:
    ether = Ether(seed=6)
    lock, radio = await LiveLock(ether).start(), PhoneRadio(ether, "stranger")
    async with connected(radio, lock.place) as client:
        for service in client.services:
            for characteristic in service.characteristics:
                if characteristic.uuid not in {suite.rx_uuid for suite in SUITES}:
                    with pytest.raises(BleakError):
                        await client.write_gatt_char(characteristic, b"x", response=True)
        names = [
            bytes(await client.read_gatt_char(one))
            for service in client.services
            for one in service.characteristics
            if one.uuid.startswith("00002a00")
        ]
    assert names == [b"Nyckelfri"]


@virtual_time
async def test_rule_10_a_link_lost_after_m1_and_the_same_request_again_acts_once() -> None:
    ether = Ether(seed=7)
    lock, radio, anna = await LiveLock(ether).start(), PhoneRadio(ether, "anna"), Phone()
    request_id = anna.request_id()
    async with connected(radio, lock.place) as client:
        first = phone_session(lock.place, anna, request_id=request_id)
        await Talk(client, first).run(until=PhoneState.WAIT_M3)
    await asyncio.sleep(3)
    async with connected(radio, lock.place) as client:
        again = await Talk(client, phone_session(lock.place, anna, request_id=request_id)).run()
    assert again.session.outcome is not None
    assert again.session.outcome.code is OutcomeCode.MOVED
    assert lock.motor.runs == [Order.UNLOCK]


@virtual_time
async def test_a_stranger_who_wants_to_pair_gets_one_word_and_noise_gets_none() -> None:
    ether = Ether(seed=8)
    lock, radio = await LiveLock(ether).start(), PhoneRadio(ether, "anna")
    device, _ = await sighted(radio, lock.place)
    async with RawCentral(ether) as raw:
        await raw.connect(Address(device.address, AddressType.RANDOM_DEVICE))
        assert raw.connection is not None
        answers: list[bytes] = []
        raw.device.l2cap_channel_manager.register_fixed_channel(
            SMP_CID, lambda _handle, pdu: answers.append(bytes(pdu))
        )
        for pdu in (b"\x01\x03\x00\x01\x10\x07\x07", b"\x0c" + bytes(64), b"\x05\x05", b"\xff", b""):
            raw.connection.send_l2cap_pdu(SMP_CID, pdu)
        await asyncio.sleep(5)
    assert answers == [b"\x05\x05"]


@virtual_time
async def test_a_damaged_store_is_the_first_thing_reported_even_with_an_empty_battery() -> None:
    ether = Ether(seed=9)
    lock = await LiveLock(ether).start()
    lock.agent.halt()
    ether.remove(lock.name)
    blob = bytearray(lock.disk.durable["log"])
    blob[256 + 70] ^= 1
    lock.disk.durable["log"] = bytes(blob)
    lock.motor = SimulatedMotor(battery=9)
    await lock.start()
    boot = store_over(lock.disk, SECRETS).boot()
    kinds = [EntryType(Entry.decode(record.entry).kind).name for record in boot.records]
    assert kinds == ["STORE_CORRUPT", "BOOT", "LOW_BATTERY"]


@virtual_time
async def test_a_lock_that_is_being_stopped_begins_nothing() -> None:
    ether = Ether(seed=1)
    lock = await LiveLock(ether).start()
    async with connected(PhoneRadio(ether, "phone"), lock.place) as client:
        session = phone_session(lock.place, Phone())
        heard: asyncio.Queue[bytes] = asyncio.Queue()
        await client.start_notify(gatt.SUITE1_TX_UUID, lambda _sender, data: heard.put_nowait(bytes(data)))
        m1 = session.receive(await heard.get()).send
        stopping = asyncio.create_task(lock.agent.stop())
        await asyncio.sleep(0)
        for frame in m1:
            await client.write_gatt_char(gatt.SUITE1_RX_UUID, frame, response=False)
        await stopping
    assert lock.motor.runs == []  # nobody would be there to stop it
