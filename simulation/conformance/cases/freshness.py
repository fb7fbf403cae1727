"""A lock with old news: `need_update` and its cure. Played first: afterwards the news are new."""

from __future__ import annotations

from protocol.entries import EntryType, Refused
from protocol.messages import BulletinOffer, BulletinResult
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.verdict import DeviationError, expect

CHAPTER = Chapter("13")


def _old(bench: Bench) -> bytes:
    return bench.token(issued=bench.now() - 86_400 - 3_600)


@CHAPTER.case("a token a day newer than the lock's news: need_update")
async def need_update(bench: Bench) -> None:
    """Check 10."""
    await bench.refused(bench.request(), Reason.NEED_UPDATE)


@CHAPTER.case("a token from the day of the lock's news: granted")
async def old_token(bench: Bench) -> None:
    """The same window, issued no more than a day after the newest bulletin."""
    await bench.granted(bench.request(_old(bench)))


@CHAPTER.case("a refusal stands in the log before it is said, with its reason")
async def listed(bench: Bench) -> None:
    """Asked early: later in the hour a lock counts refusals instead of listing them."""
    decision = await bench.decide(bench.request())
    expect(Reason.NEED_UPDATE, reason(decision.reason), "m2")
    async with bench.line() as line:
        await bench.ask(line, bench.request(_old(bench)))
        (batch,) = await bench.finish(line, carry=4096)
    entries = {entry.seq: entry for entry in bench.place.opened(batch.sealed).entries}
    entry = entries.get(decision.seq)
    if entry is None or entry.kind != EntryType.REFUSED:
        raise DeviationError("m2 of a refusal named a log entry that is no refusal")
    expect(Reason.NEED_UPDATE, reason(Refused.parse(entry.detail).reason), "reason in the log")


@CHAPTER.case("need_update is not cured by an older bulletin", "16.2")
async def not_cured(bench: Bench) -> None:
    """Its number is the one the lock has."""
    async with bench.line() as line:
        decision = await bench.ask(line, bench.request())
        expect(Reason.NEED_UPDATE, reason(decision.reason), "m2")
        news = bench.place.news(time=bench.now(), number=decision.bulletin_seq)
        result = await bench.offer_on(line, news)
        expect(Reason.BULLETIN_OLD, reason(result.reason), "bulletin-result")


@CHAPTER.case("need_update is cured in the same session by a newer bulletin", "16.2")
async def cured(bench: Bench) -> None:
    """bulletin-result granted, then m2 granted for the same m1, and it opens."""
    async with bench.line() as line:
        decision = await bench.ask(line, bench.request())
        expect(Reason.NEED_UPDATE, reason(decision.reason), "m2")
        await line.tell(BulletinOffer(bench.place.news(time=bench.now())))
        result = await line.said()
        expect(BulletinResult(Reason.GRANTED, bench.place.number), result, "bulletin-result")
        again = await line.decision()
        expect(Reason.GRANTED, reason(again.reason), "second m2")
        expect(bench.place.number, again.bulletin_seq, "bulletin number in m2")
        await bench.finish(line)
