"""Strangers on the air by the dozen never keep rightful staff out, nor make them wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from bleak import BleakClient
from bleak.exc import BleakError

from lockagent.bolt import Bolt, Order
from protocol.messages import OutcomeCode
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.radio.conditions import Conditions
from simulation.virtualtime import run
from tests.lockagent.air import LiveLock, Talk, phone_session, sighted
from tests.lockagent.bench import Phone
from tests.lockagent.strangers import MANNERS, Stranger

INTERVAL = 0.03
PLACES = 8
"""What a small controller holds; the lock itself keeps one of four free."""
OPENINGS = 2
PATIENCE = 3
"""Times a phone tries anew by itself, as the app does."""


@asynccontextmanager
async def besieged(lock: LiveLock, manners: list[str]) -> AsyncIterator[list[Stranger]]:
    """So many strangers at the door, each with a manner."""
    strangers = [Stranger(lock, f"stranger-{n}", MANNERS[name]) for n, name in enumerate(manners)]
    tasks = [asyncio.ensure_future(one.run()) for one in strangers]
    await asyncio.sleep(2.5 if tasks else 0.0)
    try:
        yield strangers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def opened(lock: LiveLock, radio: PhoneRadio, anna: Phone, mtu: int) -> float:
    """Seconds from the tap to the bolt."""
    clock = asyncio.get_running_loop().time
    begun, request_id = clock(), anna.request_id()
    for _ in range(PATIENCE):
        try:
            device, _ = await sighted(radio, lock.place)
            async with BleakClient(device, timeout=5.0, backend=radio.client_backend) as client:
                session = phone_session(lock.place, anna, mtu=mtu, request_id=request_id)
                talk = await Talk(client, session).run()
        except (BleakError, TimeoutError):
            continue
        assert talk.session.outcome is not None
        assert talk.session.outcome.code is OutcomeCode.MOVED
        return clock() - begun
    raise AssertionError(f"kept out for {clock() - begun:.1f} s")


async def waits(manners: list[str], mtu: int = 247) -> list[float]:
    """How long each of a few openings took with such people about."""
    ether = Ether(seed=41, conditions=Conditions(connection_interval=INTERVAL))
    lock, anna = await LiveLock(ether, places=PLACES).start(), Phone()
    radio, times = PhoneRadio(ether, "anna", mtu=mtu), []
    async with besieged(lock, manners) as strangers:
        for _ in range(OPENINGS):
            times.append(await opened(lock, radio, anna, mtu))
            lock.motor.turn_by_hand(Bolt.LOCKED, asyncio.get_running_loop().time())
            lock.agent.touch()
            await asyncio.sleep(2.5)
    assert lock.motor.runs == [Order.UNLOCK] * OPENINGS
    assert all(one.visits for one in strangers)
    return times


HALF_A_SECOND = 0.5


@pytest.mark.parametrize("manner", ["come_and_go", "subscribe_and_sit", "guess"])
def test_four_strangers_of_one_manner_delay_nobody(manner: str) -> None:
    assert max(run(waits([manner] * 4))) <= max(run(waits([]))) + HALF_A_SECOND


@pytest.mark.parametrize("mtu", [23, 247])
def test_a_stranger_of_every_manner_at_once_delays_nobody(mtu: int) -> None:
    assert max(run(waits(sorted(MANNERS), mtu))) <= max(run(waits([], mtu))) + HALF_A_SECOND
