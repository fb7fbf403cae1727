"""How often a lock speaks: seldom, after a touch or knock often, never by a beat that gives it away."""

from __future__ import annotations

import asyncio

from bleak import BleakScanner

from lockagent.bolt import Woken
from lockagent.core.pace import FAST_SECONDS, RATION_SECONDS, Pace
from lockagent.core.upkeep import ROTATION_SPREAD_SECONDS
from protocol import gatt
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.virtualtime import virtual_time
from tests.lockagent.air import LiveLock, Talk, connected, phone_session, sighted
from tests.lockagent.bench import Bench, Phone, commissioned
from tests.lockagent.world import HOUR

SLOW_MS, FAST_MS = 1000, 100


def test_a_touch_hurries_the_adverts_for_a_while_and_a_second_one_prolongs_it() -> None:
    bench = commissioned()
    bench.feed(Woken())
    assert bench.pace is Pace.FAST
    bench.advance(FAST_SECONDS / 2)
    bench.feed(Woken())
    bench.advance(FAST_SECONDS - 1)
    assert bench.pace is Pace.FAST
    bench.advance(2)
    assert bench.pace is Pace.SLOW


def hurried(bench: Bench, seconds: int) -> int:
    """Seconds spent hurrying while somebody knocks once a second."""
    spent = 0
    for _ in range(seconds):
        bench.feed(Woken())
        spent += bench.pace is Pace.FAST
        bench.advance(1)
    return spent


def test_rule_12_who_knocks_all_day_makes_the_lock_hurry_ten_minutes_an_hour() -> None:
    bench = commissioned()
    assert hurried(bench, HOUR) <= 2 * RATION_SECONDS + FAST_SECONDS
    assert hurried(bench, HOUR) <= RATION_SECONDS + FAST_SECONDS


def test_the_address_stays_when_the_pace_changes() -> None:
    bench = commissioned()
    before = list(bench.adverts)
    bench.feed(Woken())
    bench.advance(FAST_SECONDS + 1)
    assert bench.adverts == before


async def heard(radio: PhoneRadio, seconds: float) -> list[str]:
    """The address of every advert heard."""
    seen: list[str] = []
    async with BleakScanner(
        lambda device, _data: seen.append(device.address),
        service_uuids=[gatt.SERVICE_UUID],
        backend=radio.scanner_backend,
    ):
        await asyncio.sleep(seconds)
    return seen


@virtual_time
async def test_on_the_air_a_knock_makes_ten_adverts_of_one_from_the_same_address() -> None:
    ether = Ether(seed=31)
    lock = await LiveLock(ether, slow_ms=SLOW_MS).start()
    radio = PhoneRadio(ether, "anna")
    await asyncio.sleep(1)
    slow = await heard(radio, 10)
    lock.agent.feed(Woken())
    fast = await heard(radio, 10)
    await asyncio.sleep(FAST_SECONDS)
    later = await heard(radio, 10)
    assert [round(len(seen), -1) for seen in (slow, fast, later)] == [10, 100, 10]
    assert len({*slow, *fast}) == 1


def test_rule_08_adverts_change_at_moments_that_no_beat_foretells() -> None:
    bench = commissioned()
    waits = []
    for _ in range(60):
        before, begun = len(bench.adverts), bench.wall
        while len(bench.adverts) == before:
            bench.advance(1)
        waits.append(bench.wall - begun)
    assert max(waits) <= gatt.ADVERT_ROTATION_SECONDS + 1
    assert min(waits) >= gatt.ADVERT_ROTATION_SECONDS - ROTATION_SPREAD_SECONDS - 1
    assert len({round(wait) for wait in waits}) > 40


@virtual_time
async def test_a_controller_without_a_place_to_spare_is_on_the_air_again_when_it_has_one() -> None:
    """Four links fill it; the eviction of a stranger brings the advert back by itself."""
    ether = Ether(seed=32)
    lock, anna = await LiveLock(ether, places=4).start(), Phone()
    strangers = [PhoneRadio(ether, f"stranger-{n}") for n in range(4)]
    async with (
        connected(strangers[0], lock.place),
        connected(strangers[1], lock.place),
        connected(strangers[2], lock.place),
        connected(strangers[3], lock.place),
    ):
        begun = asyncio.get_running_loop().time()
        await sighted(PhoneRadio(ether, "watch"), lock.place)
        assert asyncio.get_running_loop().time() - begun < gatt.STRANGER_SECONDS + 0.5
        async with connected(PhoneRadio(ether, "anna"), lock.place) as client:
            talk = await Talk(client, phone_session(lock.place, anna)).run()
    assert talk.session.outcome is not None
