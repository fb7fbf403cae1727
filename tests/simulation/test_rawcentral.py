"""The raw central: replays of recorded traffic and bytes no decent stack would send."""

from __future__ import annotations

import pytest
from bumble.core import TimeoutError as BumbleTimeoutError

from simulation.backend import PhoneRadio
from simulation.radio import Ether, HciRecording, Side
from simulation.rawcentral import RawCentral
from simulation.virtualtime import virtual_time
from tests.simulation.bench import COMMAND, EchoPeripheral, find, session


@virtual_time
async def test_replay_sends_the_same_att_bytes_again() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    with ether.record("phone") as recording:
        async with session(radio, await find(radio)) as mine:
            assert await mine.ask(b"open " + bytes(300)) == b"open " + bytes(300)
            assert await mine.ask(b"close", response=False) == b"close"
    assert len(lock.written) == 2
    await lock.advertise()
    async with RawCentral(ether) as raw:
        with ether.record("raw") as replayed:
            await raw.connect(lock.device.random_address)
            await raw.replay(recording.packets)
            assert await raw.notification() == (lock.answer.handle, b"open " + bytes(300))
            assert await raw.notification() == (lock.answer.handle, b"close")
    assert lock.written[2:] == lock.written[:2]
    sent = [[packet.att for packet in each.sent_by(Side.CENTRAL)] for each in (recording, replayed)]
    assert sent[0] == sent[1]


@virtual_time
async def test_replay_of_hci_bytes() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    device = await find(radio)
    with HciRecording(radio.controller) as recording:
        async with session(radio, device) as mine:
            await mine.ask(b"open " + bytes(400))
    recording.stop()
    assert recording.to_host != []
    assert not radio.controller.taps
    await lock.advertise()
    async with RawCentral(ether) as raw:
        await raw.connect(lock.device.random_address)
        await raw.replay_hci(recording.to_controller)
    assert lock.written == [b"open " + bytes(400)] * 2


@virtual_time
async def test_writing_and_subscribing_by_handle() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    async with RawCentral(ether) as raw:
        await raw.connect(lock.device.random_address)
        assert await raw.exchange_mtu(185) == 517
        assert await raw.subscribe(lock.answer.end_group_handle) == b"\x13"
        assert await raw.write(lock.command.handle, b"x" * 180) == b"\x13"
        assert await raw.notification() == (lock.answer.handle, b"x" * 180)
        await raw.write(lock.command.handle, b"quiet", response=False)
        assert await raw.notification() == (lock.answer.handle, b"quiet")
        with pytest.raises(TimeoutError):
            await raw.notification(0.5)


@virtual_time
async def test_rubbish_gets_an_error_and_the_peripheral_lives_on() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    async with RawCentral(ether) as raw:
        await raw.connect(lock.device.random_address)
        answer = await raw.write(0x7777, b"nobody home")
        assert answer is not None
        assert answer[0] == 0x01
        assert await raw.write(lock.command.handle, b"still there") == b"\x13"
    await lock.advertise()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        assert await mine.client.read_gatt_char(COMMAND) == b"here"


@virtual_time
async def test_nobody_answers() -> None:
    ether = Ether(seed=1)
    async with RawCentral(ether) as raw:
        with pytest.raises(BumbleTimeoutError):
            await raw.connect("C0:00:00:00:00:01", 1.0)
        raw.send(b"\x0a\x01\x00")
    with pytest.raises(KeyError):
        ether.find("raw")


@virtual_time
async def test_a_recording_counts_pdus_and_application_bytes() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        handles = {lock.command.handle, lock.answer.handle}
        with ether.record("phone") as recording, ether.record("nobody") as empty:
            await mine.ask(bytes(100))
        await mine.ask(bytes(7))
    assert [packet.sender.value for packet in recording.att_pdus()] == ["central", "peripheral", "peripheral"]
    assert recording.application_bytes(handles) == 200
    assert recording.application_bytes([lock.answer.handle]) == 100
    assert empty.packets == []
