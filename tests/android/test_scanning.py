"""Bleak's own Android backend, driven through the app's radio against an Android that keeps count."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from bleak.backends.device import BLEDevice

from mobile.engine.link import Link
from mobile.engine.radio import LinkLostError, Radio, RadioOffError, bounded
from mobile.engine.scanner import Scanner
from mobile.engine.state import Bluetooth
from mobile.engine.traffic import Traffic
from protocol import advert, gatt
from protocol.suites import SUITE_1
from tests.android.air import ADDRESS, Air
from tests.android.phone import Phone

Take = Callable[..., Phone]
GRANTED = {"android.permission.BLUETOOTH_SCAN", "android.permission.BLUETOOTH_CONNECT"}
KEY = bytes(range(32))
BINDING = b"binding1"


def _radio(phone: Phone) -> tuple[Air, Radio]:
    air = Air(phone)
    from mobile.android import scanning
    from mobile.android.adapter import PhoneAdapter

    return air, Radio(
        scanner_backend=scanning.PhoneScanner,
        client_backend=scanning.PhoneClient,
        adapter=PhoneAdapter(),
    )


def _link(radio: Radio) -> tuple[Link, BLEDevice]:
    return Link(radio, Traffic(), SUITE_1), BLEDevice(ADDRESS, None, None)


async def _soon(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(3):
        while not true():
            await asyncio.sleep(0.01)


# -- scanning -----------------------------------------------------------------------------------------------


async def test_a_lock_is_heard_and_nobody_is_asked_for_a_place(take: Take) -> None:
    phone = take(granted=GRANTED)
    air, radio = _radio(phone)
    heard: list[Any] = []
    scanner = Scanner(radio, on_bluetooth=lambda _: None, on_nearby=heard.append)
    scanner.watch([(BINDING, KEY)])
    await scanner.start()
    air.advertise(advert.make(KEY, b"saltsalt").data)
    await _soon(lambda: bool(heard))
    assert list(heard[-1]) == [BINDING]
    assert air.permissions_asked == []
    assert [one.fake["setServiceUuid"].fake for one in air.filters] == [gatt.SERVICE_UUID]
    await scanner.stop()
    assert air.scans == []


async def test_a_scan_that_could_not_begin_does_not_stand_in_the_way_of_the_next(take: Take) -> None:
    phone = take(granted=GRANTED)
    air, radio = _radio(phone)
    air.fails_with = "java.lang.SecurityException"
    for _ in range(3):
        with pytest.raises(LinkLostError):
            await bounded(radio.scan(lambda _device, _data: None), 3)
    air.fails_with = ""
    scan = await bounded(radio.scan(lambda _device, _data: None), 3)
    assert len(air.scans) == 1
    await scan.stop()
    again = await bounded(radio.scan(lambda _device, _data: None), 3)
    await again.stop()


@pytest.mark.parametrize("reason", [1, 2, 3, 4, 5, 6])
async def test_every_reason_not_to_scan_is_told_and_leaves_the_adapter_alone(take: Take, reason: int) -> None:
    """Bleak would turn the telephone's Bluetooth off and on for the second: there is no such call here."""
    phone = take(granted=GRANTED)
    air, radio = _radio(phone)
    air.scan_refused = reason
    told: list[Bluetooth] = []
    scanner = Scanner(radio, on_bluetooth=told.append, on_nearby=lambda _: None)
    await scanner.start()
    assert told == [Bluetooth.FAILED]
    assert air.scans == []
    air.scan_refused = 0
    await scanner.stop()
    await (await bounded(radio.scan(lambda _device, _data: None), 3)).stop()


async def test_a_race_with_the_switch_leaves_nothing_running_either(take: Take) -> None:
    """Bluetooth goes off between the question and the start."""
    phone = take(granted=GRANTED)
    _, radio = _radio(phone)
    radio.known = lambda: Bluetooth.ON  # type: ignore[method-assign]
    phone.bluetooth = False
    with pytest.raises(LinkLostError):
        await bounded(radio.scan(lambda _device, _data: None), 3)
    phone.bluetooth = True
    await (await bounded(radio.scan(lambda _device, _data: None), 3)).stop()


async def test_a_start_that_android_would_count_is_not_wasted(take: Take) -> None:
    phone = take()
    air, radio = _radio(phone)
    with pytest.raises(RadioOffError):
        await radio.scan(lambda _device, _data: None)
    assert air.scans == []


# -- connecting ---------------------------------------------------------------------------------------------


async def test_a_link_carries_frames_both_ways(take: Take) -> None:
    phone = take(granted=GRANTED)
    air, radio = _radio(phone)
    link, device = _link(radio)
    await link.connect(device, 3)
    assert air.lent[0].priority == 1, "the shortest connection interval is asked for"
    assert link.capacity == 514
    await link.subscribe()
    await link.send([b"\x00\x7f\x80\xff"])
    assert await link.receive(3) == b"\x01\xff"
    assert air.lent[0].written == [b"\x00\x7f\x80\xff"]
    await link.close()
    assert air.open == 0


async def test_a_lost_connection_is_told_on_the_engines_loop(take: Take) -> None:
    phone = take(granted=GRANTED)
    air, radio = _radio(phone)
    told: list[str] = []
    client = radio.client(
        BLEDevice(ADDRESS, None, None), lambda _: told.append(threading.current_thread().name), 3
    )
    await bounded(client.connect(), 3)
    air.lent[0].lose()
    await _soon(lambda: bool(told))
    assert told == [threading.current_thread().name]
    await client.disconnect()
    assert air.open == 0


async def test_a_waiting_reader_wakes_when_the_lock_is_gone(take: Take) -> None:
    phone = take(granted=GRANTED)
    air, radio = _radio(phone)
    link, device = _link(radio)
    await link.connect(device, 3)
    await link.subscribe()
    waiting = asyncio.create_task(link.receive(3))
    await asyncio.sleep(0.05)
    air.lent[0].lose()
    with pytest.raises(LinkLostError):
        await waiting
    await link.close()
    assert air.open == 0


@pytest.mark.parametrize("how", ["status 133", "nobody answers"])
async def test_forty_failed_connections_give_back_all_that_android_lent(take: Take, how: str) -> None:
    """Android lends an app about thirty; then nothing connects until the telephone is restarted."""
    phone = take(granted=GRANTED)
    air, radio = _radio(phone)
    air.answers = False
    for number in range(40):
        link, device = _link(radio)
        work = asyncio.create_task(link.connect(device, 0.05 if how == "nobody answers" else 3))
        await _soon(lambda number=number: len(air.lent) == number + 1)
        if how == "status 133":
            air.lent[-1].fail()
        with pytest.raises(LinkLostError):
            await work
        await link.close()
    assert air.open == 0


async def test_a_connection_is_given_back_though_nobody_confirms_its_end(take: Take) -> None:
    phone = take(granted=GRANTED)
    air, radio = _radio(phone)
    client = radio.client(BLEDevice(ADDRESS, None, None), lambda _: None, 3)
    await bounded(client.connect(), 3)
    air.answers = False
    with pytest.raises(LinkLostError):
        await bounded(client.disconnect(), 0.05)
    assert air.open == 0


def test_all_of_it_on_the_engines_own_thread(take: Take) -> None:
    """Bleak makes its callbacks while it connects: Java must know that thread."""
    phone = take(granted=GRANTED)
    air, radio = _radio(phone)
    from mobile.android.thread import JavaThread
    from mobile.engine.thread import EngineThread

    async def open_and_close() -> None:
        scan = await bounded(radio.scan(lambda _device, _data: None), 3)
        link, device = _link(radio)
        await link.connect(device, 3)
        await link.close()
        await scan.stop()

    thread = EngineThread(JavaThread)
    thread.start()
    thread.submit(open_and_close()).result(10)
    thread.stop()
    assert len(air.lent) == 1
    assert air.open == 0
    pythons = EngineThread()
    pythons.start()
    with pytest.raises(LinkLostError):
        pythons.submit(open_and_close()).result(10)
    pythons.stop()
