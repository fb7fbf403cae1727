"""Requests: what is granted, what is malformed, what is known already, and what the token does not permit."""

from __future__ import annotations

from protocol import cbor
from protocol.messages import Carry, Command, Decision, DecisionFlag, OutcomeCode
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.forge import array, blob
from simulation.conformance.verdict import DeviationError, expect

CHAPTER = Chapter("11")


@CHAPTER.case("a good request opens")
async def opens(bench: Bench) -> None:
    """Granted, and the bolt's sensor agrees."""
    decision = await bench.granted(bench.request())
    expect(DecisionFlag.NONE, decision.flags, "flags of m2")


@CHAPTER.case("a good request locks")
async def locks(bench: Bench) -> None:
    """The other command."""
    await bench.granted(bench.request(command=Command.LOCK))


@CHAPTER.case("a good request for service: granted, with nothing to move", "12.2")
async def serves(bench: Bench) -> None:
    """The installer's command: judged like the others, and no bolt is asked to move."""
    async with bench.line() as line:
        request = bench.request(bench.token(scope=4), command=Command.SERVICE)
        expect(Reason.GRANTED, reason((await bench.ask(line, request)).reason), "m2")
        expect(OutcomeCode.NOTHING_TO_MOVE, (await line.outcome()).code, "m3")


def _malformed(name: str, request: bytes | None = None, **parts: bytes) -> None:
    async def play(bench: Bench) -> None:
        if request is not None:
            return await bench.refused(request, Reason.MALFORMED)
        command = parts.get("command", b"\x01")
        request_id = parts.get("request_id", blob(bench.random(8)))
        token = parts.get("token", blob(bench.token()))
        made = array(command, request_id, token, *([parts["more"]] if "more" in parts else []))
        return await bench.refused(made + parts.get("after", b""), Reason.MALFORMED)

    CHAPTER.add(f"request with {name}: malformed", play)


_malformed("command 0", command=b"\x00")
_malformed("command 4", command=b"\x04")
_malformed("a negative command", command=b"\x20")
_malformed("command true", command=b"\xf5")
_malformed("command null", command=b"\xf6")
_malformed("the command as text", command=b"\x61\x31")
_malformed("the command in two bytes", command=b"\x18\x01")
_malformed("a command as a float", command=b"\xf9\x3c\x00")
_malformed("a request id of 7 bytes", request_id=blob(bytes(7)))
_malformed("a request id of 9 bytes", request_id=blob(bytes(9)))
_malformed("no request id", request_id=b"\xf6")
_malformed("the request id as text", request_id=b"\x68" + b"abcdefgh")
_malformed("a request id in pieces", request_id=b"\x5f\x48" + bytes(8) + b"\xff")
_malformed("an empty token", token=blob(b""))
_malformed("a token that is null", token=b"\xf6")
_malformed("a token that is not wrapped in bytes", token=b"\x84\x40\xa0\x40\x40")
_malformed("a fourth item", more=b"\x00")
_malformed("bytes after it", after=b"\x00")
_malformed("an indefinite length", b"\x9f\x01\x48" + bytes(8) + b"\x41\x00\xff")
_malformed("two items", array(b"\x01", blob(bytes(8))))
_malformed("a map in its place", cbor.encode({1: 1, 2: b"", 3: b""}))
_malformed("a number in its place", b"\x01")
_malformed("a tag before it", b"\xc0" + array(b"\x01", blob(bytes(8)), blob(b"\x00")))
_malformed("nothing but noise", bytes(range(200, 240)))


@CHAPTER.case("a token of 161 bytes: malformed")
async def too_long(bench: Bench) -> None:
    """A byte beyond the limit of section 23."""
    forged = bench.forge()
    forged.unprotected = b"\xa1\x01" + blob(bytes(161 - len(bytes(forged)) - 3))
    expect(161, len(bytes(forged)), "length of the token made")
    await bench.refused(bench.request(bytes(forged)), Reason.MALFORMED)


def _not_permitted(name: str, scope: int, command: Command) -> None:
    async def play(bench: Bench) -> None:
        await bench.refused(bench.request(bench.token(scope=scope), command=command), Reason.NOT_PERMITTED)

    CHAPTER.add(f"{name}: not_permitted", play, "13")


_not_permitted("opening with a right to lock", 2, Command.OPEN)
_not_permitted("locking with a right to open", 1, Command.LOCK)
_not_permitted("opening with a right to service", 4, Command.OPEN)
_not_permitted("locking with a right to service", 4, Command.LOCK)
_not_permitted("service with a right to open and lock", 3, Command.SERVICE)


async def _first(bench: Bench, request: bytes) -> Decision:
    decision = await bench.granted(request)
    expect(DecisionFlag.NONE, decision.flags, "flags of the first m2")
    return decision


@CHAPTER.case("the same request again: granted, repeated, with the first numbers", "14")
async def repeated(bench: Bench) -> None:
    """Nothing is done again: the answer names the same log entry."""
    request = bench.request()
    first = await _first(bench, request)
    again = await bench.granted(request)
    expect(DecisionFlag.REPEATED, again.flags, "flags of the second m2")
    expect((first.epoch, first.seq), (again.epoch, again.seq), "log entry of the second m2")


@CHAPTER.case("the same request id with another token: repeated", "14")
async def repeated_with_another_token(bench: Bench) -> None:
    """A phone may have synced between the two."""
    request_id = bench.random(8)
    first = await _first(bench, bench.request(request_id=request_id))
    again = await bench.granted(bench.request(bench.token(), request_id=request_id))
    expect((DecisionFlag.REPEATED, first.seq), (again.flags, again.seq), "second m2")


@CHAPTER.case("the same request id with an expired token: expired", "14")
async def repeated_too_late(bench: Bench) -> None:
    """Checks 1 to 14 come before what is remembered."""
    request_id = bench.random(8)
    await _first(bench, bench.request(request_id=request_id))
    long_ago = bench.now() - 36_000
    late = bench.token(begins=long_ago, ends=bench.now() - 3_600, issued=long_ago)
    await bench.refused(bench.request(late, request_id=request_id), Reason.EXPIRED)


@CHAPTER.case("the same request id with another command: a request of its own", "14")
async def other_command(bench: Bench) -> None:
    """What is remembered is phone, command and id together."""
    request_id = bench.random(8)
    await _first(bench, bench.request(request_id=request_id))
    await _first(bench, bench.request(request_id=request_id, command=Command.LOCK))


@CHAPTER.case("the same request id of another phone: a request of its own", "14")
async def other_phone(bench: Bench) -> None:
    """Nobody can find out, or use up, another phone's request ids."""
    request_id = bench.random(8)
    await _first(bench, bench.request(request_id=request_id))
    bos = bytes(bench.forge(bench.bo))
    decision = await bench.granted(bench.request(bos, request_id=request_id), phone=bench.bo)
    expect(DecisionFlag.NONE, decision.flags, "flags of m2")


@CHAPTER.case("another request while one is acted on: busy", "13")
async def busy(bench: Bench) -> None:
    """Check 15. The bolt is locked first, so that the motor has something to do."""
    await bench.granted(bench.request(command=Command.LOCK))
    async with bench.line() as anna, bench.line() as bo:
        decision = await bench.ask(anna, bench.request())
        expect(Reason.GRANTED, reason(decision.reason), "m2 of the first")
        bos = bench.request(bytes(bench.forge(bench.bo)), command=Command.LOCK)
        decision = await bench.ask(bo, bos, phone=bench.bo)
        expect(Reason.BUSY, reason(decision.reason), "m2 of the second")
        await bench.finish(anna)


@CHAPTER.case("the same request while it is acted on: repeated, and the outcome when it comes", "14")
async def asked_again_meanwhile(bench: Bench) -> None:
    """The link was lost, the phone asks again, the motor still runs."""
    await bench.granted(bench.request(command=Command.LOCK))
    request = bench.request()
    async with bench.line() as first, bench.line() as second:
        decision = await bench.ask(first, request)
        again = await bench.ask(second, request)
        expect((Reason.GRANTED, DecisionFlag.REPEATED), (reason(again.reason), again.flags), "second m2")
        expect(decision.seq, again.seq, "log entry of the second m2")
        await second.tell(Carry(0))
        told = await second.outcome()
        await first.tell(Carry(0))
        if (await first.outcome()).seq != told.seq:
            raise DeviationError("the two links were told of different outcomes")
