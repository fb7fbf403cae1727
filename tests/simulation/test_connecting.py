"""Coming together: silent peers, giving up, races, and Bluetooth turned off."""

from __future__ import annotations

import asyncio

import pytest
from bleak import BleakClient, BleakScanner
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakDeviceNotFoundError,
    BleakError,
)

from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.virtualtime import run, virtual_time
from tests.simulation.bench import COMMAND, SERVICE, EchoPeripheral, find, session


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


@virtual_time
async def test_a_silent_peer_ends_in_a_timeout_and_the_next_attempt_works() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    device = await find(radio)
    await lock.device.stop_advertising()
    started = now()
    with pytest.raises(TimeoutError):
        await BleakClient(device, timeout=4.0, backend=radio.client_backend).connect()
    assert now() - started == pytest.approx(4.0)
    assert not radio.controller.initiating
    await lock.advertise()
    async with session(radio, device) as mine:
        assert await mine.ask(b"now") == b"now"


@virtual_time
async def test_giving_up_frees_the_radio_at_once() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    device = await find(radio)
    await lock.device.stop_advertising()
    attempt = asyncio.ensure_future(BleakClient(device, backend=radio.client_backend).connect())
    await asyncio.sleep(1)
    assert radio.controller.initiating
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert not radio.controller.initiating
    await lock.advertise()
    async with session(radio, device) as mine:
        assert await mine.ask(b"now") == b"now"
    assert len(lock.connections) == 1


@virtual_time
async def test_connecting_by_address_alone() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    async with session(radio, lock.address) as mine:
        assert await mine.ask(b"x") == b"x"
    with pytest.raises(BleakDeviceNotFoundError):
        await BleakClient("C0:00:00:00:00:99", timeout=1.0, backend=radio.client_backend).connect()


@virtual_time
async def test_one_attempt_at_a_time_but_both_get_there() -> None:
    ether = Ether(seed=1)
    one = await EchoPeripheral(ether, "one").start()
    two = await EchoPeripheral(ether, "two").start()
    radio = PhoneRadio(ether, "phone")
    devices = [await find(radio, lock.address) for lock in (one, two)]
    async with session(radio, devices[0]) as first, session(radio, devices[1]) as second:
        assert await asyncio.gather(first.ask(b"1"), second.ask(b"2")) == [b"1", b"2"]
    clients = [BleakClient(device, backend=radio.client_backend) for device in devices]
    await one.advertise()
    await two.advertise()
    await asyncio.gather(*(client.connect() for client in clients))
    assert all(client.is_connected for client in clients)


@virtual_time
async def test_two_phones_at_one_lock_one_gets_the_advert_the_other_the_next() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    anna, bo = PhoneRadio(ether, "anna"), PhoneRadio(ether, "bo")
    target = await find(anna)
    opened = [asyncio.ensure_future(_ask(radio, target, radio.name.encode())) for radio in (anna, bo)]
    done, waiting = await asyncio.wait(opened, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == len(waiting) == 1
    await lock.advertise()
    answers = {task.result() for task in (await asyncio.wait(opened))[0]}
    assert answers == {b"anna", b"bo"}
    assert len(lock.connections) == 2


async def _ask(radio: PhoneRadio, target: object, value: bytes) -> bytes:
    async with session(radio, target) as mine:  # type: ignore[arg-type]
        return await mine.ask(value)


def test_who_wins_a_race_follows_the_seed() -> None:
    async def winner(seed: int) -> str:
        ether = Ether(seed=seed)
        await EchoPeripheral(ether).start()
        anna, bo = PhoneRadio(ether, "anna"), PhoneRadio(ether, "bo")
        target = await find(anna)
        opened = [asyncio.ensure_future(_ask(radio, target, radio.name.encode())) for radio in (anna, bo)]
        done, waiting = await asyncio.wait(opened, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        await asyncio.wait(opened)
        return done.pop().result().decode()

    winners = [run(winner(seed)) for seed in range(8)]
    assert set(winners) == {"anna", "bo"}
    assert [run(winner(seed)) for seed in range(8)] == winners


@virtual_time
async def test_bluetooth_off_is_said_as_bleak_says_it() -> None:
    ether = Ether(seed=1)
    await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    device = await find(radio)
    await radio.switch_off()
    for attempt in (
        BleakScanner(service_uuids=[SERVICE], backend=radio.scanner_backend).start(),
        BleakClient(device, backend=radio.client_backend).connect(),
    ):
        with pytest.raises(BleakBluetoothNotAvailableError) as caught:
            await attempt
        assert caught.value.reason is BleakBluetoothNotAvailableReason.POWERED_OFF
    await radio.switch_on()
    async with session(radio, device) as mine:
        assert await mine.ask(b"back") == b"back"


@virtual_time
async def test_bluetooth_turned_off_ends_links_scans_and_attempts() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether, "lock").start()
    other = await EchoPeripheral(ether, "other").start()
    radio = PhoneRadio(ether, "phone")
    gone = asyncio.Event()
    target = await find(radio, lock.address)
    silent = await find(radio, other.address)
    await other.device.stop_advertising()
    client = BleakClient(target, lambda _client: gone.set(), backend=radio.client_backend)
    await client.connect()
    await lock.advertise()
    heard: list[float] = []
    scanner = BleakScanner(lambda _d, _a: heard.append(now()), backend=radio.scanner_backend)
    await scanner.start()
    attempt = asyncio.ensure_future(BleakClient(silent, backend=radio.client_backend).connect())
    await asyncio.sleep(1)
    off = now()
    await radio.switch_off()
    assert gone.is_set() or await asyncio.wait_for(gone.wait(), 1)
    with pytest.raises(BleakError):
        await attempt
    with pytest.raises(BleakError):
        await client.write_gatt_char(COMMAND, b"x", response=True)
    await asyncio.sleep(3)
    assert max(heard) <= off
    await scanner.stop()


@virtual_time
async def test_scan_starts_are_counted_for_androids_limit() -> None:
    ether = Ether(seed=1)
    radio = PhoneRadio(ether, "phone")
    for _ in range(3):
        async with BleakScanner(backend=radio.scanner_backend):
            await asyncio.sleep(2)
    assert radio.scan_starts == [0.0, 2.0, 4.0]


@virtual_time
async def test_names_are_unique_and_addresses_follow_the_seed() -> None:
    ether = Ether(seed=1)
    ether.controller("lock")
    with pytest.raises(ValueError, match="lock"):
        ether.controller("lock")
    assert ether.address("lock") == Ether(seed=1).address("lock")
    assert ether.address("lock") != Ether(seed=2).address("lock")
    assert ether.address("lock") != ether.address("other")


@virtual_time
async def test_a_connection_request_nobody_heard_fails_soon_and_may_be_tried_again() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    device = await find(radio)
    ether.conditions.connect_loss = 1.0
    started = now()
    with pytest.raises(BleakError):
        await BleakClient(device, backend=radio.client_backend).connect()
    # The next advert, then six of the intervals bumble asks for (30 ms at most).
    assert now() - started < 0.11 + 6 * 0.03 + 0.001
    assert lock.connections == []
    assert ether.links() == []
    ether.conditions.connect_loss = 0.0
    async with session(radio, device) as mine:
        assert await mine.ask(b"again") == b"again"


@virtual_time
async def test_a_phone_without_battery_is_missed_and_may_come_back() -> None:
    ether = Ether(seed=1)
    lock = await EchoPeripheral(ether).start()
    radio = PhoneRadio(ether, "phone")
    device = await find(radio)
    await BleakClient(device, backend=radio.client_backend).connect()
    await radio.leave()
    await radio.leave()
    with pytest.raises(KeyError):
        ether.find("phone")
    await asyncio.sleep(1)
    assert len(lock.disconnect_reasons) == 1
    await lock.advertise()
    async with session(radio, device) as mine:
        assert await mine.ask(b"charged") == b"charged"
