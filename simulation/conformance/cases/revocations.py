"""What a bulletin ends: single tokens, a provider's, everybody's; and what it must leave alone."""

from __future__ import annotations

from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.forge import CTI, blob
from simulation.conformance.verdict import expect

CHAPTER = Chapter("13")
GONE = bytes(range(8))


async def _told(bench: Bench, **news: object) -> None:
    result = await bench.offer(bench.place.news(time=bench.now(), **news))  # type: ignore[arg-type]
    expect(Reason.GRANTED, reason(result.reason), "bulletin-result")


def _with_id(bench: Bench, token_id: bytes, **how: int) -> bytes:
    forge = bench.forge(**how)
    forge.put(CTI, blob(token_id))
    return bench.request(bytes(forge))


@CHAPTER.case("a token on the list: revoked")
async def revoked(bench: Bench) -> None:
    """Check 12, at the next contact with any phone."""
    await bench.granted(_with_id(bench, GONE))
    await _told(bench, revoked=(GONE,))
    await bench.refused(_with_id(bench, GONE), Reason.REVOKED)


@CHAPTER.case("a token beside one on the list: granted")
async def beside(bench: Bench) -> None:
    """One bit away."""
    await bench.granted(_with_id(bench, bytes([GONE[0] ^ 1]) + GONE[1:]))


@CHAPTER.case("an older bulletin does not bring a revoked token back: bulletin_old, revoked", "16.1")
async def rolled_back(bench: Bench) -> None:
    """The courier hands over yesterday's news."""
    old = bench.place.news(time=bench.now(), number=bench.place.number - 1)
    expect(Reason.BULLETIN_OLD, reason((await bench.offer(old)).reason), "bulletin-result")
    await bench.refused(_with_id(bench, GONE), Reason.REVOKED)


@CHAPTER.case("revoked comes before not_permitted, and after expired")
async def order(bench: Bench) -> None:
    """The first check that fails is the reason."""
    await bench.refused(_with_id(bench, GONE, scope=2), Reason.REVOKED)
    long_ago = bench.now() - 36_000
    late = {"begins": long_ago, "ends": bench.now() - 3_600, "issued": long_ago}
    await bench.refused(_with_id(bench, GONE, **late), Reason.EXPIRED)


@CHAPTER.case("a provider's token issued before its end: provider_ended")
async def ended(bench: Bench) -> None:
    """Check 13: one line for all of a provider's tokens."""
    await _told(bench, revoked=(GONE,), ended={7: bench.now() - 300})
    await bench.refused(bench.request(bench.token(grp=7)), Reason.PROVIDER_ENDED)


@CHAPTER.case("a provider's token issued at the very moment of its end: granted")
async def at_the_end(bench: Bench) -> None:
    """iat >= not-before is good."""
    at = bench.now() - 200
    await _told(bench, ended={7: at})
    await bench.granted(bench.request(bench.token(grp=7, issued=at)))
    await bench.refused(bench.request(bench.token(grp=7, issued=at - 1)), Reason.PROVIDER_ENDED)


@CHAPTER.case("another provider's token: granted")
async def other_provider(bench: Bench) -> None:
    """The gate is shared; the others go on."""
    await bench.granted(bench.request(bench.token(grp=8)))


@CHAPTER.case("a not-before for all: provider_ended for whatever was issued before")
async def everybody(bench: Bench) -> None:
    """The answer to a leaked token key."""
    at = bench.now() - 100
    await _told(bench, not_before=at)
    await bench.refused(bench.request(bench.token(grp=8, issued=at - 1)), Reason.PROVIDER_ENDED)
    await bench.granted(bench.request(bench.token(grp=8, issued=at)))


@CHAPTER.case("a bulletin is whole: what the newest does not name holds no longer", "16")
async def whole(bench: Bench) -> None:
    """The newest one alone tells the lock all that matters."""
    await _told(bench)
    await bench.granted(_with_id(bench, GONE))
