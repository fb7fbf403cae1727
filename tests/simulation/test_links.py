"""A connection in the air: supervision, connection events, retransmissions, fragments and goodbyes."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from bleak import BleakClient
from bleak.exc import BleakError
from bumble import hci

from simulation.backend import PhoneRadio
from simulation.radio import Conditions, Ether, Side
from simulation.virtualtime import virtual_time
from tests.simulation.bench import COMMAND, EchoPeripheral, find, session

#: bumble's central asks for this supervision timeout, in seconds.
SUPERVISION = 0.72


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


@virtual_time
async def test_goodbye_reaches_both_ends() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)):
        assert [link.peripheral for link in ether.links("phone")] == ["lock"]
    await asyncio.sleep(0)
    assert lock.disconnect_reasons == [hci.HCI_REMOTE_USER_TERMINATED_CONNECTION_ERROR]
    assert ether.links() == []


@virtual_time
async def test_a_peer_that_walks_away_is_lost_at_both_ends_by_supervision() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    gone = asyncio.Event()
    client = BleakClient(await find(radio), lambda _client: gone.set(), backend=radio.client_backend)
    await client.connect()
    left = now()
    radio.move((500.0, 0.0))
    await gone.wait()
    assert now() - left == pytest.approx(SUPERVISION)
    assert not client.is_connected
    assert lock.disconnect_reasons == [hci.HCI_CONNECTION_TIMEOUT_ERROR]


@virtual_time
async def test_coming_back_in_time_saves_the_link_and_what_was_queued() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        radio.move((500.0, 0.0))
        await asyncio.sleep(0.1)
        asking = asyncio.ensure_future(mine.ask(b"are you there"))
        await asyncio.sleep(0.5)
        assert not asking.done()
        radio.move((0.0, 0.0))
        assert await asking == b"are you there"
        await asyncio.sleep(5)
        assert mine.client.is_connected
    assert lock.disconnect_reasons == [hci.HCI_REMOTE_USER_TERMINATED_CONNECTION_ERROR]


@virtual_time
async def test_a_lock_that_loses_power_is_noticed() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    gone = asyncio.Event()
    client = BleakClient(await find(radio), lambda _client: gone.set(), backend=radio.client_backend)
    await client.connect()
    ether.remove("lock")
    await asyncio.wait_for(gone.wait(), 1.0)
    assert lock.disconnect_reasons == [], "a lock without power hears nothing"
    again = await EchoPeripheral(ether).start()
    async with session(radio, await find(radio, again.address)) as mine:
        assert await mine.ask(b"restarted") == b"restarted"


@virtual_time
async def test_reset_forgets_everything_without_a_word() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    gone = asyncio.Event()
    client = BleakClient(await find(radio), lambda _client: gone.set(), backend=radio.client_backend)
    await client.connect()
    await lock.advertise()
    await lock.device.send_sync_command(hci.HCI_Reset_Command())
    assert not ether.find("lock").advertiser.enabled
    await asyncio.wait_for(gone.wait(), 1.0)
    assert lock.disconnect_reasons == []


@virtual_time
async def test_a_disconnect_the_peer_cannot_hear_ends_by_supervision() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    client = BleakClient(await find(radio), backend=radio.client_backend)
    await client.connect()
    radio.move((500.0, 0.0))
    left = now()
    await client.disconnect()
    assert now() - left == pytest.approx(SUPERVISION)
    assert lock.disconnect_reasons == [hci.HCI_CONNECTION_TIMEOUT_ERROR]


@pytest.mark.parametrize(("interval", "expected"), [(0.0, 0.0), (0.030, 0.060), (0.0075, 0.015)])
def test_an_exchange_costs_one_interval_each_way(interval: float, expected: float) -> None:
    @virtual_time
    async def measure() -> None:
        ether = Ether(seed=1, conditions=Conditions(connection_interval=interval))
        await EchoPeripheral(ether).start()
        radio = PhoneRadio(ether, "phone")
        async with session(radio, await find(radio)) as mine:
            durations = []
            for _ in range(5):
                started = now()
                await mine.ask(b"x")
                durations.append(now() - started)
        # The write response and the notification travel in the same event.
        assert durations == pytest.approx([expected] * 5)

    measure()


@virtual_time
async def test_without_a_fixed_interval_the_central_gets_what_it_asked_for() -> None:
    ether = Ether(seed=1, conditions=Conditions(connection_interval=None))
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        started = now()
        await mine.ask(b"x")
        # bumble asks for 15 to 30 ms; the longest is what a sparing phone takes.
        assert now() - started == pytest.approx(2 * 0.030)
        await (await radio.device()).connections[1].update_parameters(50.0, 50.0, 0, 2000)
        await asyncio.sleep(1)
        await mine.ask(b"x")
        started = now()
        await mine.ask(b"x")
        assert now() - started == pytest.approx(0.1)
        assert ether.links()[0].supervision_timeout == pytest.approx(2.0)


@virtual_time
async def test_the_interval_may_change_in_mid_link() -> None:
    ether = Ether(seed=1, conditions=Conditions(connection_interval=0.0075))
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        for _ in range(50):
            await mine.ask(b"x")
        ether.conditions.connection_interval = 0.1
        started = now()
        await mine.ask(b"x")
        assert now() - started <= 0.2 + 1e-6
        ether.conditions.connection_interval = 0.0
        started = now()
        await mine.ask(b"x")
        assert now() == started


@virtual_time
async def test_one_event_carries_only_so_many_packets() -> None:
    ether = Ether(seed=1, conditions=Conditions(connection_interval=0.030, packets_per_event=2))
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone", mtu=23)
    async with session(radio, await find(radio)) as mine:
        recording = ether.record()
        for index in range(6):
            await mine.client.write_gatt_char(COMMAND, bytes([index]), response=False)
        for _ in range(6):
            await mine.answers.get()
    assert lock.written == [bytes([index]) for index in range(6)]
    times = [packet.time for packet in recording.sent_by(Side.CENTRAL)]
    gaps = [round(later - earlier, 6) for earlier, later in itertools.pairwise(times[:6])]
    assert gaps == [0, 0.03, 0, 0.03, 0]


@virtual_time
async def test_a_long_pdu_fills_an_event() -> None:
    ether = Ether(seed=1, conditions=Conditions(connection_interval=0.030, packets_per_event=3))
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        recording = ether.record()
        for _ in range(3):
            # 512 bytes take three link-layer packets of 251.
            await mine.client.write_gatt_char(COMMAND, bytes(512), response=False)
        for _ in range(3):
            await mine.answers.get()
    times = [packet.time for packet in recording.sent_by(Side.CENTRAL)]
    assert [round(later - earlier, 6) for earlier, later in itertools.pairwise(times)] == [0.03, 0.03]


@virtual_time
async def test_packet_loss_delays_but_loses_nothing_and_keeps_the_order() -> None:
    async def took(loss: float, seed: int) -> float:
        ether = Ether(seed=seed, conditions=Conditions(connection_interval=0.030, packet_loss=loss))
        await EchoPeripheral(ether).start()
        radio = PhoneRadio(ether, "phone")
        async with session(radio, await find(radio)) as mine:
            started = now()
            for index in range(40):
                value = bytes([index]) * 100
                assert await mine.ask(value) == value
            return now() - started

    clean, lossy = await took(0.0, 1), await took(0.3, 1)
    assert clean == pytest.approx(40 * 0.06)
    assert lossy > 1.3 * clean
    assert await took(0.3, 1) == pytest.approx(lossy)
    assert await took(0.3, 2) != pytest.approx(lossy)


@virtual_time
async def test_packet_loss_without_connection_events_still_costs_time() -> None:
    ether = Ether(seed=1, conditions=Conditions(packet_loss=0.5))
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        started = now()
        assert await mine.ask(b"x" * 20) == b"x" * 20
        assert now() >= started
    assert now() > 0.05


@virtual_time
async def test_when_every_packet_is_lost_supervision_ends_the_link() -> None:
    ether = Ether(seed=1, conditions=Conditions(connection_interval=0.030))
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    client = BleakClient(await find(radio), backend=radio.client_backend)
    await client.connect()
    ether.conditions.packet_loss = 1.0
    started = now()
    with pytest.raises(BleakError):
        await client.write_gatt_char(COMMAND, b"lost", response=True)
    assert SUPERVISION <= now() - started < SUPERVISION + 0.1
    assert not client.is_connected


@virtual_time
async def test_a_long_pdu_crosses_hci_in_fragments_of_251_bytes() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone", mtu=517)
    sizes: list[tuple[bool, int]] = []
    async with session(radio, await find(radio)) as mine:
        ether.find("lock").taps.append(
            lambda to_controller, raw: sizes.append((to_controller, len(raw) - 5)) if raw[0] == 2 else None
        )
        value = bytes(range(256)) * 2
        assert await mine.ask(value) == value
    assert lock.written == [value]
    # 512 bytes, ATT header 3, L2CAP header 4: 519 in all, both ways.
    assert [size for to_controller, size in sizes if not to_controller][:3] == [251, 251, 17]
    assert [size for to_controller, size in sizes if to_controller and size > 100] == [251, 251]


@virtual_time
async def test_flow_control_does_not_run_dry() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, await find(radio)) as mine:
        # Three fragments each: many times the 64 buffers of a controller.
        for _ in range(100):
            assert await mine.ask(bytes(500)) == bytes(500)
    assert len(lock.written) == 100


@virtual_time
async def test_a_peripheral_keeps_several_links_apart() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radios = [PhoneRadio(ether, name, position=(0.0, index)) for index, name in enumerate(("a", "b", "c"))]
    sessions = []
    for radio in radios:
        opened = session(radio, await find(radio))
        sessions.append((opened, await opened.__aenter__()))
        await lock.advertise()
    values = [bytes([65 + index]) * 50 for index in range(3)]
    answers = await asyncio.gather(
        *(mine.ask(value) for (_, mine), value in zip(sessions, values, strict=True))
    )
    assert answers == values
    assert sorted(lock.written) == values
    assert len(ether.links("lock")) == 3
    for opened, _ in sessions:
        await opened.__aexit__(None, None, None)
