"""Inside a session: what is out of turn, malformed or foreign ends it."""

from __future__ import annotations

from collections.abc import Callable

from protocol import cbor, messages
from protocol.framing import Kind
from protocol.messages import BulletinOffer, Carry, Done
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.verdict import DeviationError, expect
from simulation.conformance.wire import Line

CHAPTER = Chapter("12")


async def _refused_session(bench: Bench, line: Line) -> None:
    """A session that stands and acts on nothing: the lock waits for what the phone has."""
    decision = await bench.ask(line, bench.request(bench.token(scope=2)))
    expect(Reason.NOT_PERMITTED, reason(decision.reason), "m2")


def _ends(name: str, plain: Callable[[Bench], bytes]) -> None:
    async def play(bench: Bench) -> None:
        async with bench.line() as line:
            await _refused_session(bench, line)
            await line.tell_plain(plain(bench))
            await line.expect_hang_up()

    CHAPTER.add(f"{name}: the lock hangs up", play)


_ends("a message with a number that nobody knows", lambda _bench: cbor.encode([99, 1]))
_ends("a lock's message from the phone", lambda _bench: cbor.encode([7, 0]))
_ends("a message without a number", lambda _bench: cbor.encode([]))
_ends("a message that is no array", lambda _bench: cbor.encode({16: b""}))
_ends("a message that is no CBOR", lambda _bench: b"\xff\xff")
_ends("an empty message", lambda _bench: b"")
_ends("a carry without a number", lambda _bench: cbor.encode([18]))
_ends("a carry with a negative number", lambda _bench: cbor.encode([18, -1]))
_ends("a carry of two numbers", lambda _bench: cbor.encode([18, 1, 2]))
_ends("a carry beyond 32 bits", lambda _bench: cbor.encode([18, 2**32]))
_ends("a carry in more bytes than it needs", lambda _bench: b"\x82\x12\x18\x01")
_ends("a byte after a carry", lambda _bench: messages.encode(Carry(1)) + b"\x00")
_ends("a bulletin that is null", lambda _bench: cbor.encode([16, None]))
_ends("a bulletin beyond its size", lambda _bench: cbor.encode([16, bytes(8193)]))
_ends("a statement of time beyond its size", lambda _bench: cbor.encode([17, bytes(193)]))


@CHAPTER.case("a message that does not open: the lock hangs up")
async def foreign(bench: Bench) -> None:
    """One bit of the ciphertext changed."""
    async with bench.line() as line:
        await _refused_session(bench, line)
        sealed = line.sealed(messages.encode(Carry(0)))
        await line.send(Kind.SESSION, sealed[:-1] + bytes([sealed[-1] ^ 1]))
        await line.expect_hang_up()


@CHAPTER.case("a message sent twice: the lock hangs up")
async def twice(bench: Bench) -> None:
    """The counter in the nonce makes a replay foreign."""
    async with bench.line() as line:
        await _refused_session(bench, line)
        sealed = line.sealed(messages.encode(Carry(0)))
        await line.send(Kind.SESSION, sealed)
        expect(Done, type(await line.said()), "answer to a carry from a refused phone")
        await line.send(Kind.SESSION, sealed)
        await line.expect_hang_up()


@CHAPTER.case("an m1 inside a session: the lock hangs up")
async def m1_again(bench: Bench) -> None:
    """One request a link."""
    async with bench.line() as line:
        await _refused_session(bench, line)
        await line.send(Kind.M1, bench.random(242))
        await line.expect_hang_up()


@CHAPTER.case("a refused phone that carries is answered: done, nothing", "12.1")
async def refused_carry(bench: Bench) -> None:
    """Log goes to accepted phones only."""
    async with bench.line() as line:
        await _refused_session(bench, line)
        await line.tell(Carry(4096))
        said = await line.said()
        expect(Done, type(said), "answer")


@CHAPTER.case("silence after a refusal: the lock hangs up within 35 seconds", "23")
async def silence(bench: Bench) -> None:
    """Nobody keeps a place by saying nothing."""
    async with bench.line() as line:
        await _refused_session(bench, line)
        await line.expect_hang_up(35.0)


@CHAPTER.case("m3 comes although the phone never carries", "12.1")
async def no_carry(bench: Bench) -> None:
    """The outcome may wait for the carry as the page's order has it; it must not be lost."""
    async with bench.line() as line:
        decision = await bench.ask(line, bench.request())
        expect(Reason.GRANTED, reason(decision.reason), "m2")
        await line.outcome()


@CHAPTER.case("a second bulletin in one session is answered too, and is old", "12.1")
async def two_bulletins(bench: Bench) -> None:
    """The lock answers each."""
    async with bench.line() as line:
        await _refused_session(bench, line)
        news = bench.place.news(time=bench.now())
        expect(Reason.GRANTED, reason((await bench.offer_on(line, news)).reason), "first result")
        await line.tell(BulletinOffer(news))
        said = await line.said()
        expect(messages.BulletinResult(Reason.BULLETIN_OLD, bench.place.number), said, "second result")


@CHAPTER.case("a link lost while the motor runs: the outcome is kept for the next", "14")
async def lost(bench: Bench) -> None:
    """The phone asks again over a new link, with the same request id."""
    await bench.granted(bench.request(command=messages.Command.LOCK))
    request = bench.request()
    async with bench.line() as line:
        decision = await bench.ask(line, request)
        expect(Reason.GRANTED, reason(decision.reason), "m2")
    async with bench.line() as line:
        again = await bench.ask(line, request)
        expect(messages.DecisionFlag.REPEATED, again.flags, "flags of the second m2")
        expect(decision.seq, again.seq, "log entry of the second m2")
        await line.tell(Carry(0))
        outcome = await line.outcome()
        if outcome.code is not messages.OutcomeCode.MOVED:
            raise DeviationError(f"the recorded outcome is {outcome.code.name.lower()}")
