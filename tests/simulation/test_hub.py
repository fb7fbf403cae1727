"""Locks and phones of other processes join a running radio space, and leave it as they like."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from bleak import BleakClient

from simulation.backend import PhoneRadio
from simulation.backend.remote import RemoteEther
from simulation.radio import Ether
from simulation.radio.hub import Hub
from tests.simulation.bench import ANSWER, COMMAND, EchoPeripheral, find

PATIENCE_SECONDS = 10.0
NOT_HCI = b"\x7f" * 8


@dataclass
class House:
    """A hub that is open over TCP and over a unix socket, and what it said of who came and went."""

    hub: Hub
    tcp: str = ""
    unix: str = ""
    said: list[str] = field(default_factory=list)
    seats: list[RemoteEther] = field(default_factory=list)

    async def join(self, where: str) -> RemoteEther:
        """Come in, as any process would."""
        self.seats.append(await RemoteEther.at(where))
        return self.seats[-1]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    said: list[str] = []
    hub = Hub(Ether(seed=3), notice=said.append, most=2)
    house = House(hub, await hub.listen_tcp(), await hub.listen_unix(tmp_path / "air"), said)
    yield house
    for seat in house.seats:
        await seat.close()
    await hub.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():
            await asyncio.sleep(0.01)


async def test_a_lock_over_tcp_and_a_phone_over_a_unix_socket_talk(house: House) -> None:
    lock = await EchoPeripheral(await house.join(house.tcp)).start(interval_ms=20)
    phone = PhoneRadio(await house.join(house.unix), "phone", mtu=247)
    answers: asyncio.Queue[bytes] = asyncio.Queue()
    async with BleakClient(await find(phone, lock.address), backend=phone.client_backend) as client:
        await client.start_notify(ANSWER, lambda _, data: answers.put_nowait(bytes(data)))
        await client.write_gatt_char(COMMAND, b"x" * 200, response=False)
        assert await answers.get() == b"x" * 200
    assert house.said == ["guest-1 has come", "guest-2 has come"]


async def test_the_link_of_a_guest_who_goes_ends_at_once(house: House) -> None:
    there = await house.join(house.tcp)
    lock = await EchoPeripheral(there).start(interval_ms=20)
    phone = PhoneRadio(await house.join(house.tcp), "phone")
    gone = asyncio.Event()
    client = BleakClient(
        await find(phone, lock.address), lambda _client: gone.set(), backend=phone.client_backend
    )
    await client.connect()
    await there.close()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await gone.wait()
    await until(lambda: "guest-1 has gone" in house.said)


async def test_whoever_sends_something_else_than_hci_is_shown_out_alone(house: House) -> None:
    lock = await EchoPeripheral(await house.join(house.unix)).start(interval_ms=20)
    host, port = house.tcp.removeprefix("tcp-client:").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(NOT_HCI)
    assert await reader.read() == b""
    writer.close()
    await until(lambda: house.said[-1] == "guest-2 has gone")
    phone = PhoneRadio(await house.join(house.tcp), "phone")
    assert await find(phone, lock.address)


async def test_one_guest_too_many_waits_outside(house: House) -> None:
    for _ in range(2):
        await house.join(house.tcp)
    await until(lambda: len(house.hub.guests) == 2)
    host, port = house.tcp.removeprefix("tcp-client:").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    assert await reader.read() == b""
    writer.close()
    assert len(house.hub.guests) == 2
