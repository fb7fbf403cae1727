"""Seeded bad luck: packets lost or flipped, links cut, the lock without power; the truth holds throughout."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from lockagent.bolt import Order
from mobile.engine.state import DONE_WELL, OpeningState
from simulation.faults import CutLink, Drop, FlipBits, lock_notifies, phone_writes
from simulation.radio import Rule
from simulation.virtualtime import virtual_time
from tests.integration.radioworld import GATE, LockAtDoor, World, world
from tests.lockagent.crashdisk import seeded

LONGEST = 35.0
"""Patience of 20 s, one last link begun in it, and the motor's answer."""


def _bad_luck(chance: random.Random) -> list[Rule]:
    kinds = [
        lambda who, nth: Drop(who, nth=nth, times=chance.randint(1, 3)),
        lambda who, nth: CutLink(who, nth=nth),
        lambda who, nth: CutLink(who, nth=nth, deliver=True),
        lambda who, nth: FlipBits(who, nth=nth, bits=chance.randint(1, 9), seed=chance.randint(0, 99)),
    ]
    return [
        chance.choice(kinds)(chance.choice([phone_writes, lock_notifies]), chance.randint(1, 9))
        for _ in range(chance.randint(1, 4))
    ]


async def _power_fails(w: World, lock: LockAtDoor, after: float) -> None:
    await asyncio.sleep(after)
    lock.power_off()
    lock.motor.order(Order.STOP, asyncio.get_running_loop().time())
    await asyncio.sleep(0.5)
    await lock.power_on()


@pytest.mark.parametrize("seed", range(40))
def test_rule_10_whatever_the_air_does_one_tap_acts_once_and_is_told_truly(tmp_path: Path, seed: int) -> None:
    @virtual_time
    async def story() -> None:
        chance = seeded(seed)
        w = world(tmp_path, seed=seed)
        w.ether.conditions.connection_interval = chance.choice([0.0, 0.0075, 0.03])
        w.ether.conditions.packet_loss = chance.choice([0.0, 0.1])
        lock, phone = await w.at_the_door(settings=GATE, mtu=chance.choice([23, 185, 517]))
        for rule in _bad_luck(chance):
            w.ether.add_rule(rule)
        cut = chance.random() < 0.25
        power = asyncio.create_task(_power_fails(w, lock, chance.uniform(0.5, 3.0))) if cut else None
        loop = asyncio.get_running_loop()
        before = loop.time()
        opening = await phone.engine.open_door(lock.door_id)
        assert loop.time() - before < LONGEST
        if power is not None:
            await power
        await phone.engine.settled()
        kinds = lock.kinds()
        assert kinds.count("GRANTED") <= 1
        assert len(lock.motor.runs) <= 1, "never twice for one tap"
        if opening.state in DONE_WELL:
            assert lock.motor.runs == [Order.PULSE]
        assert opening.state is not OpeningState.REFUSED, "nobody may take the right away but the lock"
        shown = phone.states(lock.door_id)
        assert shown == list(dict.fromkeys(shown)), "each state once, in order"
        assert shown[-1] is opening.state
        await w.close()

    story()
