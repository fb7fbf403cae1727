"""Plays the cases one after the other and writes the table."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from bumble.core import BaseBumbleError

from protocol.errors import ProtocolError
from protocol.reasons import Reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Case
from simulation.conformance.cases import CHAPTERS, freshness
from simulation.conformance.locks import UnderTest
from simulation.conformance.municipality import Municipality, Place
from simulation.conformance.verdict import DeviationError, Verdict, expect

CASE_SECONDS = 120.0
"""No case takes longer: a lock that keeps the kit waiting has failed it."""
OLD_NEWS = 2 * 86_400
"""How old the first bulletin is: old enough for `need_update`."""


async def prepare(lock: UnderTest) -> Bench:
    """Put the lock on a door of the kit's, with old news, and tell it the time. Raises DeviationError."""
    place = Place(Municipality(now=lock.now() - OLD_NEWS), lock.identity)
    said = await lock.commission(place.package(time=lock.now() - OLD_NEWS))
    expect(Reason.GRANTED.slug, said, "commissioning")
    bench = Bench(lock.device, place, lock.now, lock.random, lock.commission, model=lock.model)
    async with bench.line() as line:
        await bench.ask(line, bench.request())
        statement = place.fresh_time(line.m0_hash, lock.now())
        expect(Reason.GRANTED, await bench.time_on(line, statement), "fresh time")
    return bench


async def play(case: Case, bench: Bench) -> Verdict:
    """One case. What the lock does wrong is a verdict; what the kit does wrong is an exception."""
    try:
        async with asyncio.timeout(CASE_SECONDS):
            await case.play(bench)
    except DeviationError as deviation:
        return Verdict(case.name, case.section, str(deviation))
    except ProtocolError as error:
        return Verdict(case.name, case.section, f"the lock sent something malformed: {error}")
    except TimeoutError:
        return Verdict(case.name, case.section, "the lock kept the kit waiting")
    except BaseBumbleError as error:
        return Verdict(case.name, case.section, f"the link failed: {error}")
    return Verdict(case.name, case.section)


def cases(only: str = "") -> list[Case]:
    """All cases whose name contains ``only``, in playing order."""
    return [case for chapter in CHAPTERS for case in chapter.cases if only in case.name]


async def run(lock: UnderTest, chosen: Sequence[Case], tell: Callable[[Verdict], None]) -> list[Verdict]:
    """Prepare the lock and play the cases. Raises DeviationError when it cannot even be prepared.

    What is about a suite that the lock does not state in its identity is left out.
    """
    bench = await prepare(lock)
    if not any(case in freshness.CHAPTER.cases for case in chosen):
        await bench.offer(bench.place.news(time=bench.now()))
    verdicts = []
    for case in [one for one in chosen if one.suite.among(lock.identity.suites)]:
        verdicts.append(await play(case, bench))
        tell(verdicts[-1])
    return verdicts


def line(verdict: Verdict) -> str:
    """One line of the table."""
    mark = "FAILED" if verdict.wrong else "passed"
    text = f"{mark}  {verdict.section:<5} {verdict.name}"
    return f"{text}\n              {verdict.wrong}" if verdict.wrong else text


def total(verdicts: Sequence[Verdict]) -> str:
    """The last line: N passed, N failed."""
    failed = sum(bool(one.wrong) for one in verdicts)
    return f"{len(verdicts) - failed} passed, {failed} failed"
