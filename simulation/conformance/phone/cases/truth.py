"""The truth about the bolt: what the lock said, and nothing stronger."""

from __future__ import annotations

from protocol import messages
from protocol.messages import OutcomeCode
from simulation.conformance.phone.bench import PhoneBench
from simulation.conformance.phone.case import UNKNOWN, case
from simulation.conformance.phone.script import PhoneLink
from simulation.conformance.verdict import expect


def _outcome(name: str, operation: str, code: OutcomeCode, told: str) -> None:
    @case(f"{operation}: outcome {name}: {told}", "12")
    async def play(bench: PhoneBench) -> None:
        tap = bench.begin(operation)
        link, request = await bench.asked()
        expect({"open": 1, "lock": 2}[operation], request.command, "command")
        bench.granted(link)
        await bench.finish(link, code)
        await bench.told(told, tap)


_outcome("moved", "open", OutcomeCode.MOVED, "open")
_outcome("already", "open", OutcomeCode.ALREADY, "open")
_outcome("moved", "lock", OutcomeCode.MOVED, "locked")
_outcome("already", "lock", OutcomeCode.ALREADY, "locked")
_outcome("jam", "open", OutcomeCode.JAM, "jammed")
_outcome("timeout", "open", OutcomeCode.TIMEOUT, "motor_timeout")
_outcome("by hand", "open", OutcomeCode.BY_HAND, "by_hand")
_outcome("ajar", "lock", OutcomeCode.AJAR, "ajar")
_outcome("unknown", "open", OutcomeCode.UNKNOWN, UNKNOWN)


@case("granted and then silence: never open", "12")
async def granted_then_silence(bench: PhoneBench) -> None:
    """m2 alone says nothing about the bolt."""
    tap = bench.begin()

    async def script(link: PhoneLink) -> None:
        link.send_m0()
        await link.request()
        bench.granted(link)
        await link.expect_hang_up(30.0)

    await bench.all_links(tap, script)
    await bench.told(UNKNOWN, tap)


@case(
    "granted, link lost: asked again with the same request id and command, and told the recorded outcome",
    "14",
)
async def lost_answer(bench: PhoneBench) -> None:
    """A new handshake, a new ephemeral, the same request."""
    tap = bench.begin()
    link, first = await bench.asked()
    bench.granted(link)
    link.hang_up()
    link, second = await bench.asked()
    expect((first.command, first.request_id), (second.command, second.request_id), "repeated request")
    bench.granted(link, flags=messages.DecisionFlag.REPEATED)
    await bench.finish(link)
    await bench.told("open", tap)


@case("m1 sent, link lost: asked again with the same request id", "14")
async def lost_decision(bench: PhoneBench) -> None:
    """The lock may have acted."""
    tap = bench.begin()
    link, first = await bench.asked()
    link.hang_up()
    link, second = await bench.asked()
    expect(first.request_id, second.request_id, "request id")
    bench.granted(link, flags=messages.DecisionFlag.REPEATED)
    await bench.finish(link)
    await bench.told("open", tap)


@case("another tap has another request id", "14")
async def other_tap(bench: PhoneBench) -> None:
    """Drawn once per tap of a person."""
    ids = set()
    for _ in range(2):
        tap = bench.begin()
        link, request = await bench.asked()
        ids.add(request.request_id)
        bench.granted(link)
        await bench.finish(link)
        await bench.told("open", tap)
    expect(2, len(ids), "different request ids")
