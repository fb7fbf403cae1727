"""Fresh time: who may tell the lock the time, when, and how far back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from protocol import cbor, cose, gatt
from protocol.keys import SigningKey
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.forge import array, blob
from simulation.conformance.municipality import secret
from simulation.conformance.verdict import expect
from simulation.conformance.wire import Line

CHAPTER = Chapter("17.2")


@asynccontextmanager
async def _session(bench: Bench) -> AsyncIterator[Line]:
    """A session in which a statement may be handed over."""
    async with bench.line() as line:
        decision = await bench.ask(line, bench.request(bench.token(scope=2)))
        expect(Reason.NOT_PERMITTED, reason(decision.reason), "m2")
        yield line


def _statement(name: str, why: Reason, make: Callable[[Bench, Line], bytes]) -> None:
    async def play(bench: Bench) -> None:
        async with _session(bench) as line:
            expect(why, await bench.time_on(line, make(bench, line)), "time-result")

    CHAPTER.add(f"a statement of time {name}: {why.slug}", play)


def _signed(body: bytes, bench: Bench, *, aad: str = "fresh-time", key: SigningKey | None = None) -> bytes:
    return cose.sign1(body, key or bench.place.issuer.bulletin_key, cose.context(aad))


_statement("for this session", Reason.GRANTED, lambda b, line: b.place.fresh_time(line.m0_hash, b.now()))
_statement(
    "half an hour back", Reason.GRANTED, lambda b, line: b.place.fresh_time(line.m0_hash, b.now() - 1800)
)
_statement("of now again", Reason.GRANTED, lambda b, line: b.place.fresh_time(line.m0_hash, b.now()))
_statement(
    "two hours back",
    Reason.TIME_JUMP_REFUSED,
    lambda b, line: b.place.fresh_time(line.m0_hash, b.now() - 7200),
)
_statement(
    "for another m0", Reason.TIME_NOT_FOR_SESSION, lambda b, _line: b.place.fresh_time(b.random(32), b.now())
)
_statement(
    "for another binding",
    Reason.TIME_NOT_FOR_SESSION,
    lambda b, line: b.place.fresh_time(line.m0_hash, b.now(), binding=secret("elsewhere")[:8]),
)
_statement(
    "signed by the token key",
    Reason.TIME_INVALID,
    lambda b, line: b.place.fresh_time(line.m0_hash, b.now(), key=b.place.issuer.token_key),
)
_statement(
    "signed by a stranger under a known kid",
    Reason.TIME_INVALID,
    lambda b, line: b.place.fresh_time(
        line.m0_hash, b.now(), key=SigningKey.from_seed(b"b1", secret("stranger"))
    ),
)
_statement(
    "signed as something else",
    Reason.TIME_INVALID,
    lambda b, line: _signed(cbor.encode([b.place.binding, line.m0_hash, b.now()]), b, aad="bulletin"),
)
_statement(
    "with a bit of its signature changed",
    Reason.TIME_INVALID,
    lambda b, line: _flipped(b.place.fresh_time(line.m0_hash, b.now())),
)
_statement(
    "without its time",
    Reason.TIME_INVALID,
    lambda b, line: _signed(cbor.encode([b.place.binding, line.m0_hash]), b),
)
_statement(
    "with a negative time",
    Reason.TIME_INVALID,
    lambda b, line: _signed(cbor.encode([b.place.binding, line.m0_hash, -1]), b),
)
_statement(
    "with a time beyond 32 bits",
    Reason.TIME_INVALID,
    lambda b, line: _signed(cbor.encode([b.place.binding, line.m0_hash, 2**32]), b),
)
_statement(
    "with an m0 hash of 31 bytes",
    Reason.TIME_INVALID,
    lambda b, line: _signed(cbor.encode([b.place.binding, line.m0_hash[:31], b.now()]), b),
)
_statement(
    "with a binding of 7 bytes",
    Reason.TIME_INVALID,
    lambda b, line: _signed(cbor.encode([b.place.binding[:7], line.m0_hash, b.now()]), b),
)
_statement(
    "in more bytes than it needs",
    Reason.TIME_INVALID,
    lambda b, line: _signed(
        array(b"\x58\x08" + b.place.binding, blob(line.m0_hash), cbor.encode(b.now())), b
    ),
)
_statement("that is noise", Reason.TIME_INVALID, lambda b, _line: b.random(120))


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@CHAPTER.case("a second statement in one session: time_not_for_session")
async def second(bench: Bench) -> None:
    """One may be kept back to hold the clock for as long as the session lasts."""
    async with _session(bench) as line:
        statement = bench.place.fresh_time(line.m0_hash, bench.now())
        expect(Reason.GRANTED, await bench.time_on(line, statement), "first time-result")
        expect(Reason.TIME_NOT_FOR_SESSION, await bench.time_on(line, statement), "second time-result")


@CHAPTER.case("a statement more than 10 seconds after m0: time_not_for_session")
async def late(bench: Bench) -> None:
    """Kept for later, it would be a time that has passed."""
    async with _session(bench) as line:
        statement = bench.place.fresh_time(line.m0_hash, bench.now())
        await asyncio.sleep(gatt.FRESH_TIME_SECONDS + 1)
        expect(Reason.TIME_NOT_FOR_SESSION, await bench.time_on(line, statement), "time-result")


@CHAPTER.case("a statement from an earlier session: time_not_for_session")
async def earlier(bench: Bench) -> None:
    """Recorded once, used never again."""
    async with _session(bench) as line:
        recorded = bench.place.fresh_time(line.m0_hash, bench.now())
    async with _session(bench) as line:
        expect(Reason.TIME_NOT_FOR_SESSION, await bench.time_on(line, recorded), "time-result")
