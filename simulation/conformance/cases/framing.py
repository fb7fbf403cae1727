"""Frames: any cut is taken, any disorder refused."""

from __future__ import annotations

from collections.abc import Callable

from protocol import framing
from protocol.framing import Kind
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.verdict import expect
from simulation.conformance.wire import Line

CHAPTER = Chapter("9")
FIRST, LAST, M1_BITS, SESSION_BITS = 0x80, 0x40, Kind.M1 << 4, Kind.SESSION << 4
Cut = Callable[[bytes], list[bytes]]


def _cut(size: int) -> Cut:
    return lambda m1: framing.fragment(Kind.M1, m1, size)


def _taken(name: str, cut: Cut) -> None:
    async def play(bench: Bench) -> None:
        async with bench.line() as line:
            for frame in cut(bench.m1(line, bench.request())):
                await line.write(frame)
            expect(Reason.GRANTED, reason((await line.decision()).reason), "m2")
            await bench.finish(line)

    CHAPTER.add(f"an m1 {name}: taken", play)


_taken("in frames of 20 bytes (MTU 23)", _cut(20))
_taken("in frames of 182 bytes (MTU 185)", _cut(182))
_taken("begun anew after half of it", lambda m1: [*_cut(60)(m1)[:2], *_cut(60)(m1)])
_taken("after half of another one", lambda m1: [bytes([FIRST | M1_BITS]) + b"half", *_cut(100)(m1)])


def _refused(name: str, frames: Callable[[Bench, Line], list[bytes]]) -> None:
    async def play(bench: Bench) -> None:
        async with bench.line() as line:
            made = frames(bench, line)
            line.channel = None
            for frame in made:
                await line.write(frame)
            await line.expect_alert()
            await line.expect_m0()
            expect(Reason.GRANTED, reason((await bench.ask(line, bench.request())).reason), "m2 after it")
            await bench.finish(line)

    CHAPTER.add(f"{name}: handshake_failed", play)


def _m1_frames(bench: Bench, line: Line, size: int = 60) -> list[bytes]:
    return framing.fragment(Kind.M1, bench.m1(line, bench.request()), size)


def _renumbered(bench: Bench, line: Line) -> list[bytes]:
    first, second, *_ = _m1_frames(bench, line)
    return [first, bytes([second[0] ^ 0x02]) + second[1:]]


def _left_out(bench: Bench, line: Line) -> list[bytes]:
    first, _, third, *_ = _m1_frames(bench, line)
    return [first, third]


def _doubled(bench: Bench, line: Line) -> list[bytes]:
    first, second, *_ = _m1_frames(bench, line)
    return [first, second, second]


def _other_kind(bench: Bench, line: Line) -> list[bytes]:
    first, second, *_ = _m1_frames(bench, line)
    return [first, bytes([second[0] & 0xCF | SESSION_BITS]) + second[1:]]


_refused("a frame with a wrong number", _renumbered)
_refused("a frame left out", _left_out)
_refused("a frame sent twice", _doubled)
_refused("a frame of another kind within m1", _other_kind)
_refused("a frame that continues nothing", lambda _bench, _line: [bytes([M1_BITS | 1]) + b"x"])
_refused("a first frame numbered 1", lambda _bench, _line: [bytes([FIRST | M1_BITS | 1]) + b"x"])
_refused("a frame with a header and no data", lambda _bench, _line: [bytes([FIRST | LAST | M1_BITS])])
_refused(
    "a session message before the session",
    lambda _bench, _line: [bytes([FIRST | LAST | SESSION_BITS]) + bytes(40)],
)
_refused("an m0 from the phone", lambda _bench, _line: [bytes([FIRST | LAST]) + bytes(48)])
_refused("an alert from the phone", lambda _bench, _line: [bytes([FIRST | LAST | Kind.ALERT << 4, 1])])
_refused(
    "an m1 beyond 512 bytes, never ended", lambda _bench, _line: framing.fragment(Kind.M1, bytes(700), 244)
)
