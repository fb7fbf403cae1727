"""A Linux desktop without Bluetooth says which of its many reasons it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from bleak.backends.bluezdbus import manager

from mobile.engine.radio import Radio
from mobile.engine.scanner import Scanner
from mobile.engine.state import Bluetooth
from tests.mobile.systembus import Bus


async def _told(address: str, monkeypatch: pytest.MonkeyPatch) -> Bluetooth:
    """What the person is told when the scan begins on a desktop with this bus."""
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    manager._global_instances.clear()
    told: list[Bluetooth] = []
    scanner = Scanner(Radio(), on_bluetooth=told.append, on_nearby=lambda _: None)
    await scanner.start()
    await scanner.stop()
    bus = manager._global_instances[asyncio.get_running_loop()]._bus if manager._global_instances else None
    if bus is not None:
        bus.disconnect()
    manager._global_instances.clear()
    return told[-1]


async def test_there_is_no_bus_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await _told(f"unix:path={tmp_path}/none", monkeypatch) is Bluetooth.NO_ADAPTER


async def test_the_bus_may_not_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus()
    bus.accepts = False
    async with bus.running(tmp_path / "bus") as address:
        assert await _told(address, monkeypatch) is Bluetooth.NO_PERMISSION


@pytest.mark.parametrize(
    ("error", "state"),
    [
        ("org.freedesktop.DBus.Error.ServiceUnknown", Bluetooth.OFF),
        ("org.freedesktop.DBus.Error.Spawn.ServiceNotFound", Bluetooth.OFF),
        ("org.freedesktop.DBus.Error.AccessDenied", Bluetooth.NO_PERMISSION),
        ("org.freedesktop.DBus.Error.Failed", Bluetooth.FAILED),
    ],
)
async def test_bluez_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, state: Bluetooth
) -> None:
    bus = Bus()
    bus.refusal = error
    async with bus.running(tmp_path / "bus") as address:
        assert await _told(address, monkeypatch) is state


async def test_there_is_no_adapter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Bus().running(tmp_path / "bus") as address:
        assert await _told(address, monkeypatch) is Bluetooth.NO_ADAPTER


async def test_the_adapter_cannot_look_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus()
    bus.adapter(roles=["peripheral"])
    async with bus.running(tmp_path / "bus") as address:
        assert await _told(address, monkeypatch) is Bluetooth.NO_ADAPTER


async def test_the_adapter_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus()
    bus.adapter(powered=False)
    async with bus.running(tmp_path / "bus") as address:
        assert await _told(address, monkeypatch) is Bluetooth.OFF


@pytest.mark.parametrize(
    ("error", "state"),
    [
        ("org.bluez.Error.NotReady", Bluetooth.OFF),
        ("org.bluez.Error.NotAuthorized", Bluetooth.NO_PERMISSION),
        ("org.bluez.Error.Failed", Bluetooth.FAILED),
    ],
)
async def test_the_scan_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str, state: Bluetooth
) -> None:
    bus = Bus()
    bus.adapter()
    bus.scan_refusal = error
    async with bus.running(tmp_path / "bus") as address:
        assert await _told(address, monkeypatch) is state


async def test_everything_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bus = Bus()
    bus.adapter()
    async with bus.running(tmp_path / "bus") as address:
        assert await _told(address, monkeypatch) is Bluetooth.ON
