"""Some stints of listening, spread by chance over days."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from simulation import virtualtime
from simulation.privacy.ear import Ear, Sighting, stint
from simulation.privacy.house import House, Leaks
from simulation.radio import Ether
from simulation.radio.conditions import Conditions

DAY = 86400.0
INTERVAL = 0.03
APART = 1000.0
"""Seconds between two stints at least, so that no advert is heard in both: those are one, not two."""


@dataclass(frozen=True)
class Plan:
    """How much is listened. `seconds`: of one stint; `active`: with probes, and staff who open doors."""

    locks: int = 12
    days: float = 7.0
    stints: int = 14
    seconds: float = 1800.0
    active: bool = True
    seed: int = 1


@dataclass(frozen=True)
class Heard:
    """Sightings by stint, and in each by lock; and every m0 with the addresses it was heard under."""

    stints: list[list[Sighting]]
    said: dict[bytes, set[str]]

    @property
    def repeated(self) -> int:
        """m0 heard under more than one address: each links two adverts for certain."""
        return sum(len(addresses) > 1 for addresses in self.said.values())


async def _listen(plan: Plan, leaks: Leaks) -> Heard:
    ether = Ether(seed=plan.seed, conditions=Conditions(connection_interval=INTERVAL))
    house = House(ether, plan.locks, plan.seed, leaks)
    ear = Ear(house)
    await house.begin()
    begins = sorted(house.chance.uniform(0.0, plan.days * DAY) for _ in range(plan.stints))
    begun, found = ether.loop.time(), []
    for at in begins:
        await asyncio.sleep(max(APART, begun + at - ether.loop.time()))
        found.append(await stint(house, ear, plan.seconds, active=plan.active))
    await house.end()
    return Heard(found, ear.said)


def listened(plan: Plan, leaks: Leaks | None = None) -> Heard:
    """Live through it in virtual time."""
    return virtualtime.run(_listen(plan, leaks or Leaks()))
