"""What the phone says about its own Bluetooth is believed before anything is tried, and followed at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from mobile.engine.radio import Radio
from mobile.engine.scanner import Scanner
from mobile.engine.state import Bluetooth
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.virtualtime import virtual_time


class Phone:
    """A phone whose Bluetooth is turned off and on."""

    def __init__(self, now: Bluetooth = Bluetooth.ON) -> None:
        self.now = now
        self.listeners: list[Callable[[], object]] = []

    def state(self) -> Bluetooth:
        return self.now

    def watch(self, changed: Callable[[], object]) -> Callable[[], None]:
        self.listeners.append(changed)
        return lambda: self.listeners.remove(changed)

    def becomes(self, now: Bluetooth) -> None:
        self.now = now
        for changed in tuple(self.listeners):
            changed()


def _scanner(phone: Phone) -> tuple[Scanner, list[Bluetooth]]:
    told: list[Bluetooth] = []
    radio = PhoneRadio(Ether(seed=1), "phone")
    parts = Radio(scanner_backend=radio.scanner_backend, client_backend=radio.client_backend, adapter=phone)
    return Scanner(parts, on_bluetooth=told.append, on_nearby=lambda _: None), told


@virtual_time
async def test_every_state_is_told_without_a_try() -> None:
    for state in (Bluetooth.OFF, Bluetooth.NO_PERMISSION, Bluetooth.LOCATION_OFF, Bluetooth.NO_ADAPTER):
        scanner, told = _scanner(Phone(state))
        await scanner.start()
        assert told == [state]
        await scanner.stop()


@virtual_time
async def test_a_change_is_followed_within_the_same_second() -> None:
    phone = Phone()
    scanner, told = _scanner(phone)
    await scanner.start()
    for state in (Bluetooth.OFF, Bluetooth.ON, Bluetooth.NO_PERMISSION, Bluetooth.ON):
        phone.becomes(state)
        await asyncio.sleep(0.5)
    assert told == [Bluetooth.ON, Bluetooth.OFF, Bluetooth.ON, Bluetooth.NO_PERMISSION, Bluetooth.ON]
    await scanner.stop()


@virtual_time
async def test_off_and_on_again_in_one_breath_ends_with_a_scan() -> None:
    phone = Phone()
    scanner, told = _scanner(phone)
    await scanner.start()
    phone.becomes(Bluetooth.OFF)
    await asyncio.sleep(0)
    phone.becomes(Bluetooth.ON)
    await asyncio.sleep(1)
    assert told[-1] is Bluetooth.ON
    await scanner.stop()


@virtual_time
async def test_news_that_is_none_starts_nothing() -> None:
    phone = Phone()
    scanner, told = _scanner(phone)
    await scanner.start()
    for _ in range(10):
        phone.becomes(Bluetooth.ON)
        await asyncio.sleep(0.1)
    assert told == [Bluetooth.ON]
    await scanner.stop()
    assert not phone.listeners
