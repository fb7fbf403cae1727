"""The bleak client over the simulated radio: MTUs, reads, writes, notifications and errors."""

from __future__ import annotations

import asyncio

import pytest
from bleak import BleakClient
from bleak.exc import BleakError, BleakGATTProtocolError
from bumble.att import ATT_Error, Attribute
from bumble.gatt import Characteristic, CharacteristicValue, Service

from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.virtualtime import virtual_time
from tests.simulation.bench import ANSWER, COMMAND, SERVICE, EchoPeripheral, Session, find, session

MTUS = (23, 185, 247, 517)


@pytest.mark.parametrize("mtu", MTUS)
@pytest.mark.parametrize("response", [True, False])
def test_full_writes_and_notifications_at_every_mtu(mtu: int, *, response: bool) -> None:
    @virtual_time
    async def exchange() -> None:
        ether = Ether(seed=1)
        lock = await EchoPeripheral(ether).start()
        radio = PhoneRadio(ether, "phone", mtu=mtu)
        async with session(radio, await find(radio)) as mine:
            characteristic = mine.client.services.get_characteristic(COMMAND)
            assert characteristic is not None
            assert characteristic.max_write_without_response_size == mtu - 3
            assert mine.client.mtu_size == mtu
            value = bytes(index % 251 for index in range(min(mtu - 3, 512)))
            assert await mine.ask(value, response=response) == value
            assert await mine.ask(b"", response=response) == b""
            assert lock.written == [value, b""]

    exchange()


@pytest.mark.parametrize("mtu", MTUS)
def test_a_write_without_response_must_fit_one_packet(mtu: int) -> None:
    @virtual_time
    async def exchange() -> None:
        ether = Ether(seed=1)
        lock = await EchoPeripheral(ether).start()
        radio = PhoneRadio(ether, "phone", mtu=mtu)
        async with session(radio, await find(radio)) as mine:
            with pytest.raises(BleakError, match="too many"):
                await mine.client.write_gatt_char(COMMAND, bytes(min(mtu - 2, 513)), response=False)
            assert lock.written == []

    exchange()


@virtual_time
async def test_an_attribute_holds_512_bytes_and_no_more() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone", mtu=185)
    async with session(radio, await find(radio)) as mine:
        await mine.client.write_gatt_char(COMMAND, bytes(512), response=True)
        with pytest.raises(BleakError, match="too many"):
            await mine.client.write_gatt_char(COMMAND, bytes(513), response=True)
    assert lock.written == [bytes(512)]


@virtual_time
async def test_services_are_found_with_their_properties() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with BleakClient(await find(radio), backend=radio.client_backend) as client:
        command, answer = (client.services.get_characteristic(uuid) for uuid in (COMMAND, ANSWER))
        assert command is not None
        assert answer is not None
        assert set(command.properties) == {"read", "write", "write-without-response"}
        assert answer.properties == ["notify"]
        assert [descriptor.uuid[4:8] for descriptor in answer.descriptors] == ["2902"]
        assert command.service_uuid == SERVICE
        assert await client.read_gatt_descriptor(answer.descriptors[0]) == b"\x00\x00"
    with pytest.raises(BleakError):
        _ = client.services


@virtual_time
async def test_naming_the_services_saves_packets() -> None:
    async def pdus(services: list[str] | None) -> int:
        ether = Ether(seed=1)
        await EchoPeripheral(ether).start()
        radio = PhoneRadio(ether, "phone")
        device = await find(radio)
        with ether.record("phone") as recording:
            async with BleakClient(device, services=services, backend=radio.client_backend) as client:
                assert client.services.get_service(SERVICE) is not None
        return len(recording.att_pdus())

    assert await pdus([SERVICE]) < await pdus(None)


@virtual_time
async def test_reading_and_att_errors() -> None:
    ether = Ether(seed=1)
    lock = EchoPeripheral(ether)

    def refuse(*_: object) -> bytes:
        raise ATT_Error(0x81)

    uuid = "7d1c00ff-3f52-4c8e-9a51-0c6f5ad41e01"
    grumpy = Characteristic(
        uuid,
        Characteristic.Properties.READ | Characteristic.Properties.WRITE,
        Attribute.READABLE | Attribute.WRITEABLE,
        CharacteristicValue(read=refuse, write=refuse),
    )
    lock.device.add_service(Service("7d1c00fe-3f52-4c8e-9a51-0c6f5ad41e01", [grumpy]))
    await lock.start()
    radio = PhoneRadio(ether, "phone")
    async with BleakClient(await find(radio), backend=radio.client_backend) as client:
        assert await client.read_gatt_char(COMMAND) == b"here"
        for attempt in (client.read_gatt_char(uuid), client.write_gatt_char(uuid, b"x", response=True)):
            with pytest.raises(BleakGATTProtocolError) as caught:
                await attempt
            assert int(caught.value.code) == 0x81


@virtual_time
async def test_notifications_stop_when_told_and_are_not_turned_on_twice() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        with pytest.raises(BleakError):
            await mine.subscribe()
        await mine.client.stop_notify(ANSWER)
        await mine.client.write_gatt_char(COMMAND, b"unheard", response=True)
        await asyncio.sleep(1)
        assert mine.answers.empty()
        await mine.client.stop_notify(ANSWER)
        await mine.subscribe()
        assert await mine.ask(b"heard") == b"heard"


@virtual_time
async def test_subscribing_is_two_pdus_and_an_operation_three() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with BleakClient(await find(radio), backend=radio.client_backend) as client:
        with ether.record() as recording:
            await client.start_notify(ANSWER, lambda _c, _d: None)
        assert len(recording.att_pdus()) == 2
        with ether.record() as recording:
            await client.write_gatt_char(COMMAND, bytes(400), response=True)
            await asyncio.sleep(1)
        assert len(recording.att_pdus()) == 3


@virtual_time
async def test_a_disconnect_in_mid_request_is_a_bleak_error() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    gone: list[BleakClient] = []
    client = BleakClient(await find(radio), gone.append, backend=radio.client_backend)
    await client.connect()
    radio.move((500.0, 0.0))
    with pytest.raises(BleakError, match="disconnected"):
        await client.read_gatt_char(COMMAND)
    assert gone == [client]
    assert lock.disconnect_reasons != []
    with pytest.raises(BleakError):
        await client.read_gatt_char(COMMAND)
    with pytest.raises(BleakError):
        await client.start_notify(ANSWER, lambda _c, _d: None)
    await client.disconnect()


@virtual_time
async def test_a_disconnect_during_discovery_is_a_bleak_error() -> None:
    ether = Ether(seed=1)
    ether.conditions.connection_interval = 0.030
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    client = BleakClient(await find(radio), backend=radio.client_backend)
    connecting = asyncio.ensure_future(client.connect())
    # The link stands at the next advert, within 110 ms; discovery takes some 24 × 30 ms.
    await asyncio.sleep(0.3)
    assert ether.links() != []
    radio.move((500.0, 0.0))
    with pytest.raises(BleakError):
        await connecting
    assert not client.is_connected


@virtual_time
async def test_cancelling_a_connect_in_discovery_leaves_no_link_behind() -> None:
    ether = Ether(seed=1)
    ether.conditions.connection_interval = 0.030
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    client = BleakClient(await find(radio), backend=radio.client_backend)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await client.connect()
    await asyncio.sleep(0.1)
    assert ether.links() == []
    assert lock.disconnect_reasons != []


@virtual_time
async def test_a_caller_that_gives_up_does_not_get_the_next_ones_answer() -> None:
    ether = Ether(seed=1)
    ether.conditions.connection_interval = 0.030
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        loop = asyncio.get_running_loop()
        started = loop.time()
        with pytest.raises(TimeoutError):
            # On its way at 30 ms at the latest, answered 30 ms later.
            async with asyncio.timeout(0.035):
                await mine.client.write_gatt_char(COMMAND, b"given up", response=True)
        await mine.client.write_gatt_char(COMMAND, b"next", response=True)
        assert loop.time() - started > 0.1, "the first exchange ends before the second begins"
        assert await mine.client.read_gatt_char(COMMAND) == b"here"
    assert lock.written == [b"given up", b"next"], "what was sent cannot be taken back"


@virtual_time
async def test_a_client_connects_again_after_a_loss() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    gone = asyncio.Event()
    client = BleakClient(await find(radio), lambda _client: gone.set(), backend=radio.client_backend)
    await client.connect()
    await Session(client).subscribe()
    with pytest.raises(BleakError):
        await client.connect()
    await lock.connections[0].disconnect()
    await gone.wait()
    await lock.advertise()
    await client.connect()
    again = Session(client)
    await again.subscribe()
    assert await again.ask(b"again") == b"again"
    await client.disconnect()


@virtual_time
async def test_pairing_is_refused() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with BleakClient(await find(radio), backend=radio.client_backend) as client:
        for attempt in (client.pair(), client.unpair()):
            with pytest.raises(BleakError):
                await attempt
