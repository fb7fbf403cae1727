"""Many locks in one process, under real and virtual time."""

from __future__ import annotations

import asyncio
import time

import pytest

from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.virtualtime import run
from tests.simulation.bench import EchoPeripheral, find, session, sightings


async def crowd(ether: Ether, count: int, interval_ms: float) -> list[EchoPeripheral]:
    """So many advertising locks."""
    locks = [
        EchoPeripheral(ether, f"lock-{index}", position=(index % 20, index // 20)) for index in range(count)
    ]
    for lock in locks:
        await lock.start(interval_ms)
    return locks


async def test_a_hundred_locks_in_real_time() -> None:
    ether = Ether(seed=1)
    locks = await crowd(ether, 100, 100)
    radio = PhoneRadio(ether, "phone")
    cpu = time.process_time()
    seen = await sightings(radio, 1.0)
    busy = time.process_time() - cpu
    assert {device.address for device, _ in seen} == {lock.address for lock in locks}
    # A thousand adverts a second, told with their scan responses; a crowded machine may skip some.
    assert len(seen) > 500
    # Some 0.2 s of CPU when it was measured.
    assert busy < 0.7
    async with session(radio, await find(radio, locks[42].address)) as mine:
        assert await mine.ask(b"you") == b"you"
    assert [lock.written for lock in locks if lock.written] == [[b"you"]]


async def test_a_hundred_idle_locks_cost_nothing() -> None:
    ether = Ether(seed=1)
    await crowd(ether, 100, 100)
    cpu = time.process_time()
    await asyncio.sleep(1)
    assert time.process_time() - cpu < 0.1


async def test_five_hundred_locks_at_one_second() -> None:
    ether = Ether(seed=1)
    locks = await crowd(ether, 500, 1000)
    cpu = time.process_time()
    seen = await sightings(PhoneRadio(ether, "phone"), 1.5)
    # Some 0.2 s of CPU when it was measured.
    assert time.process_time() - cpu < 0.75
    assert {device.address for device, _ in seen} == {lock.address for lock in locks}


def test_two_hundred_locks_and_a_shift_in_virtual_time() -> None:
    async def shift() -> tuple[float, int]:
        ether = Ether(seed=1)
        locks = await crowd(ether, 200, 500)
        radio = PhoneRadio(ether, "phone")
        seen = await sightings(radio, 10.0)
        assert len({device.address for device, _ in seen}) == 200
        for lock in locks[:20]:
            async with session(radio, await find(radio, lock.address)) as mine:
                assert await mine.ask(b"open") == b"open"
                await asyncio.sleep(1.0)
            await lock.advertise(500)
        return asyncio.get_running_loop().time(), sum(len(lock.written) for lock in locks)

    started = time.monotonic()
    elapsed, opened = run(shift())
    assert opened == 20
    assert elapsed > 30
    assert time.monotonic() - started < elapsed


def test_the_same_seed_takes_the_same_course() -> None:
    async def course(seed: int) -> list[tuple[str, int]]:
        ether = Ether(seed=seed)
        ether.conditions.fading_db = 3.0
        ether.conditions.advert_loss = 0.2
        await crowd(ether, 10, 100)
        return [
            (device.address, data.rssi) for device, data in await sightings(PhoneRadio(ether, "phone"), 5.0)
        ]

    first = run(course(5))
    assert len(first) > 300
    assert run(course(5)) == first
    assert run(course(6)) != first


@pytest.mark.parametrize("count", [50, 400])
def test_the_cost_of_an_advert_does_not_grow_with_the_crowd(count: int) -> None:
    async def handled() -> int:
        ether = Ether(seed=1)
        await crowd(ether, count, 1000)
        radio = PhoneRadio(ether, "phone")
        device = await radio.device()
        calls = 0
        original = ether.reachable

        def counting(one: str, other: str) -> bool:
            nonlocal calls
            calls += 1
            return original(one, other)

        ether.reachable = counting  # type: ignore[method-assign]
        await device.start_scanning()
        await asyncio.sleep(10)
        await device.stop_scanning()
        return calls

    # Each advert asks once for itself and once for its scan response.
    assert run(handled()) == pytest.approx(count * 10 * 2, rel=0.05)
