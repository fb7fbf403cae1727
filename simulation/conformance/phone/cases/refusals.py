"""Refusals: told as the lock's own, cured in the same session where news can."""

from __future__ import annotations

from protocol import messages
from protocol.messages import BulletinOffer, BulletinResult, Carry, Done, Outcome, OutcomeCode
from protocol.reasons import Reason
from simulation.conformance.phone.bench import HELD_BULLETIN, PhoneBench
from simulation.conformance.phone.case import case
from simulation.conformance.phone.script import PhoneLink
from simulation.conformance.verdict import expect


def _refused(code: int, told: str) -> None:
    @case(f"refused with {code} ({told.removeprefix('refused ')}): told so", "22")
    async def play(bench: PhoneBench) -> None:
        tap = bench.begin()

        async def script(link: PhoneLink) -> None:
            link.send_m0()
            await link.request()
            bench.refuse(link, code)
            await link.expect_hang_up()

        await bench.all_links(tap, script)
        await bench.told(told, tap)


for _reason in Reason:
    if Reason.MALFORMED <= _reason <= Reason.BATTERY_EMPTY:
        _refused(int(_reason), f"refused {_reason.slug}")
_refused(200, "refused unexpected")


@case("need_update with a newer bulletin at hand: handed over in the same session, then open", "16.2")
async def need_update(bench: PhoneBench) -> None:
    """The person notices nothing."""
    tap = bench.begin()
    link, _ = await bench.asked()
    bench.refuse(link, Reason.NEED_UPDATE, bulletin=HELD_BULLETIN - 1)
    offer = await link.hear(BulletinOffer)
    expect(bench.credentials.bulletin, offer.bulletin, "bulletin offered")
    link.tell(BulletinResult(Reason.GRANTED, HELD_BULLETIN))
    bench.granted(link)
    await bench.finish(link)
    await bench.told("open", tap)


@case("refused for good: a newer bulletin is handed over all the same", "12.1")
async def hands_over(bench: PhoneBench) -> None:
    """A refused courier still carries news."""
    tap = bench.begin()
    link, _ = await bench.asked()
    bench.refuse(link, Reason.EXPIRED, bulletin=1)
    await link.hear(BulletinOffer)
    link.tell(BulletinResult(Reason.GRANTED, HELD_BULLETIN))
    await bench.told("refused expired", tap)


@case("a bulletin that is not newer is not offered", "12.1")
async def nothing_newer(bench: PhoneBench) -> None:
    """The first thing after m2 is the carry."""
    tap = bench.begin()
    link, _ = await bench.asked()
    bench.granted(link)
    await link.hear(Carry)
    link.tell(Outcome(OutcomeCode.MOVED, 11, None))
    link.tell(Done(0))
    await bench.told("open", tap)


@case("granted with older news: one bulletin, then the carry, in this order", "12.1")
async def bulletin_then_carry(bench: PhoneBench) -> None:
    """At most one a session."""
    tap = bench.begin()
    link, _ = await bench.asked()
    link.tell(messages.Decision(Reason.GRANTED, 1, 10, 1))
    await link.hear(BulletinOffer)
    link.tell(BulletinResult(Reason.GRANTED, HELD_BULLETIN))
    await bench.finish(link)
    await bench.told("open", tap)
