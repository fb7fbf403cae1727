"""Plays the phone's cases: ours on the simulated radio, or anybody's by a command and a transport."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bumble.core import BaseBumbleError
from bumble.transport import open_transport

from lockagent.peripheral.bumble_radio import BumbleRadio
from protocol.errors import ProtocolError
from simulation.conformance.phone.bench import PhoneBench, door
from simulation.conformance.phone.case import PhoneCase
from simulation.conformance.phone.cases import CASES
from simulation.conformance.phone.script import ScriptedLock
from simulation.conformance.phone.under_test import CommandPhone, OurPhone, PhoneUnderTest
from simulation.conformance.verdict import DeviationError, Verdict
from simulation.radio import Ether
from simulation.virtualtime import WallClock

CASE_SECONDS = 300.0
BEGIN = 1_790_000_000


@asynccontextmanager
async def simulated(mtu: int = 247) -> AsyncIterator[PhoneBench]:
    """Our phone and the scripted lock in one simulated radio space."""
    ether = Ether(seed=1)
    controller = ether.controller("scripted", position=(1.0, 0.0))
    radio = BumbleRadio(controller, controller, os.urandom)
    async with _bench(radio, OurPhone(ether, os.urandom, mtu=mtu), WallClock(BEGIN)()) as bench:
        yield bench


@asynccontextmanager
async def behind(transport: str, command: str) -> AsyncIterator[PhoneBench]:
    """Anybody's phone: ``command`` taps once; ``transport`` is the scripted lock's own adapter."""
    async with await open_transport(transport) as hci:
        radio = BumbleRadio(hci.source, hci.sink, os.urandom)
        async with _bench(radio, CommandPhone(command), int(time.time())) as bench:
            yield bench


@asynccontextmanager
async def _bench(radio: BumbleRadio, phone: PhoneUnderTest, now: int) -> AsyncIterator[PhoneBench]:
    place, credentials, shake = door(now, os.urandom)
    lock = ScriptedLock(radio, adv_key=place.adv_key, random=os.urandom)
    lock.shake = shake
    await lock.start()
    try:
        yield PhoneBench(phone, lock, place, credentials, os.urandom)
    finally:
        await lock.stop()


async def play(case: PhoneCase, bench: PhoneBench) -> Verdict:
    """One case. What the phone does wrong is a verdict; what the kit does wrong is an exception."""
    try:
        async with asyncio.timeout(CASE_SECONDS):
            await case.play(bench)
    except DeviationError as deviation:
        return Verdict(case.name, case.section, str(deviation))
    except ProtocolError as error:
        return Verdict(case.name, case.section, f"the phone sent something malformed: {error}")
    except TimeoutError:
        return Verdict(case.name, case.section, "the phone kept the kit waiting")
    except BaseBumbleError as error:
        return Verdict(case.name, case.section, f"the link failed: {type(error).__name__} {error}")
    return Verdict(case.name, case.section)


def cases(only: str = "") -> list[PhoneCase]:
    """All cases whose name contains ``only``."""
    return [case for case in CASES if only in case.name]


async def run(
    bench: PhoneBench, chosen: Sequence[PhoneCase], tell: Callable[[Verdict], None]
) -> list[Verdict]:
    """Play the cases one after the other."""
    verdicts = []
    for case in chosen:
        verdicts.append(await play(case, bench))
        tell(verdicts[-1])
    return verdicts
