"""Firmware: headers that no lock here may believe, chunks out of place, and where they belong.

A lock that takes no firmware over the air answers `firmware_unsupported` to every offer, and a lock whose
model the kit does not know `firmware_wrong_model`: both are right. Nothing here ever makes an image whole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from protocol import cbor, cose, firmware, messages
from protocol.firmware import FirmwareChunk, FirmwareOffer, FirmwareResult, Header
from protocol.keys import SigningKey
from protocol.messages import Carry, Command, Done, LogBatch
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.municipality import secret
from simulation.conformance.verdict import DeviationError, expect
from simulation.conformance.wire import Line

CHAPTER = Chapter("30")
IMAGE = secret("image") * 300
SERVICE = 4


def _header(bench: Bench) -> Header:
    made = firmware.describe(IMAGE, model=bench.model or b"?", version=1000, security=1000, signed_at=0)
    return replace(made, signed_at=bench.now())


def _signed(bench: Bench, key: SigningKey | None = None, **changes: object) -> bytes:
    header = replace(_header(bench), **changes)  # type: ignore[arg-type]
    return firmware.sign(header, key or bench.place.issuer.firmware_key)


def _raw(bench: Bench, changes: dict[int, object], context: str = "firmware") -> bytes:
    """A header over any body, properly signed."""
    body = cbor.decode(cose.parse1(_signed(bench), max_size=224).payload, max_size=224)
    return cose.sign1(cbor.encode(body | changes), bench.place.issuer.firmware_key, cose.context(context))


@asynccontextmanager
async def _serving(bench: Bench) -> AsyncIterator[Line]:
    """A service session after m3 and done."""
    async with bench.line() as line:
        request = bench.request(bench.token(scope=SERVICE), command=Command.SERVICE)
        decision = await bench.ask(line, request)
        expect(Reason.GRANTED, reason(decision.reason), "m2")
        await line.tell(Carry(0))
        await line.outcome()
        while not isinstance(said := await line.said(), Done):
            if not isinstance(said, LogBatch):
                raise DeviationError(f"expected done, got {type(said).__name__}")
        yield line


async def _asked(line: Line, message: FirmwareOffer | FirmwareChunk) -> FirmwareResult:
    await line.tell(message)
    said = await line.said()
    if not isinstance(said, FirmwareResult):
        raise DeviationError(f"expected a firmware result, got {type(said).__name__}")
    return said


def _right(bench: Bench, why: Reason, said: FirmwareResult, *, before_model: bool = False) -> None:
    """The reason expected, or one that a lock unlike ours is right to give."""
    got = reason(said.reason)
    also = set() if bench.model else {Reason.FIRMWARE_UNSUPPORTED}
    if not bench.model and not before_model:
        also.add(Reason.FIRMWARE_WRONG_MODEL)
    if got not in also:
        expect(why, got, "firmware result")


def _offer(name: str, why: Reason, make: Callable[[Bench], bytes]) -> None:
    async def play(bench: Bench) -> None:
        async with _serving(bench) as line:
            said = await _asked(line, FirmwareOffer(make(bench)))
            _right(bench, why, said, before_model=why is Reason.FIRMWARE_INVALID)

    CHAPTER.add(f"a program {name}: {why.slug}", play)


INVALID, OLD = Reason.FIRMWARE_INVALID, Reason.FIRMWARE_OLD
_offer("by nobody's key", INVALID, lambda b: _signed(b, SigningKey.from_seed(b"f1", secret("forger"))))
_offer(
    "under a key id nobody knows",
    INVALID,
    lambda b: _signed(b, SigningKey.from_seed(b"f9", secret("kit/firmware"))),
)
_offer("by the token key", INVALID, lambda b: _signed(b, b.place.issuer.token_key))
_offer("by the bulletin key", INVALID, lambda b: _signed(b, b.place.issuer.bulletin_key))
_offer("signed as a receipt", INVALID, lambda b: _raw(b, {}, "receipt"))
_offer("of an empty model", INVALID, lambda b: _raw(b, {1: b""}))
_offer("of version 0", INVALID, lambda b: _raw(b, {2: 0}))
_offer("with a negative security version", INVALID, lambda b: _raw(b, {3: -1}))
_offer("of no bytes", INVALID, lambda b: _raw(b, {4: 0}))
_offer("beyond the largest image", INVALID, lambda b: _raw(b, {4: firmware.MAX_IMAGE + 1}))
_offer("with a digest of 31 bytes", INVALID, lambda b: _raw(b, {5: bytes(31)}))
_offer("signed at no time", INVALID, lambda b: _raw(b, {6: None}))
_offer("with a key nobody knows in its header", INVALID, lambda b: _raw(b, {7: 0}))
_offer("with its header cut short", INVALID, lambda b: _signed(b)[:-1])
_offer("for another model", Reason.FIRMWARE_WRONG_MODEL, lambda b: _signed(b, model=b"of another kit"))
_offer("of version 1", OLD, lambda b: _signed(b, version=1))
_offer("with an older security version", OLD, lambda b: _signed(b, security=0))


@CHAPTER.case("a chunk before any offer: firmware_out_of_place")
async def without_offer(bench: Bench) -> None:
    """There is nothing it could be part of."""
    async with _serving(bench) as line:
        said = await _asked(line, FirmwareChunk(0, b"x"))
        _right(bench, Reason.FIRMWARE_OUT_OF_PLACE, said)


def _chunk(name: str, make: Callable[[int], FirmwareChunk]) -> None:
    async def play(bench: Bench) -> None:
        async with _serving(bench) as line:
            said = await _asked(line, FirmwareOffer(_signed(bench)))
            _right(bench, Reason.GRANTED, said)
            if reason(said.reason) is Reason.GRANTED:
                again = await _asked(line, make(said.next))
                expect(Reason.FIRMWARE_OUT_OF_PLACE, reason(again.reason), "firmware result")
                expect(said.next, again.next, "where the lock goes on")

    CHAPTER.add(f"a chunk {name}: firmware_out_of_place", play)


_chunk("a byte too far on", lambda at: FirmwareChunk(at + 1, IMAGE[at + 1 : at + 101]))
_chunk("that ends beyond the image", lambda at: FirmwareChunk(len(IMAGE) - 1, b"xx"))


@CHAPTER.case("a chunk while the bolt is being moved: firmware_busy")
async def while_moving(bench: Bench) -> None:
    """Another phone opens; the lock takes the chunk as soon as the bolt is done."""
    async with _serving(bench) as line, bench.line() as other:
        said = await _asked(line, FirmwareOffer(_signed(bench)))
        _right(bench, Reason.GRANTED, said)
        decision = await bench.ask(other, bench.request(), phone=None)
        expect(Reason.GRANTED, reason(decision.reason), "m2 of the other phone")
        if reason(said.reason) is Reason.GRANTED:
            busy = await _asked(line, FirmwareChunk(said.next, IMAGE[said.next : said.next + 100]))
            expect(Reason.FIRMWARE_BUSY, reason(busy.reason), "firmware result")
        await bench.finish(other)


@CHAPTER.case("an image that is not the signed one: firmware_damaged, and it begins anew")
async def damaged(bench: Bench) -> None:
    """Every chunk in place, one byte wrong."""
    async with _serving(bench) as line:
        wrong = IMAGE[:-1] + bytes([IMAGE[-1] ^ 1])
        said = await _asked(line, FirmwareOffer(_signed(bench)))
        _right(bench, Reason.GRANTED, said)
        while reason(said.reason) is Reason.GRANTED:
            said = await _asked(line, FirmwareChunk(said.next, wrong[said.next : said.next + 4096]))
        _right(bench, Reason.FIRMWARE_DAMAGED, said)
        expect(0, said.next, "where the lock goes on")


def _elsewhere(name: str, plain: Callable[[Bench], bytes]) -> None:
    async def play(bench: Bench) -> None:
        async with bench.line() as line:
            expect(Reason.GRANTED, reason((await bench.ask(line, bench.request())).reason), "m2")
            await bench.finish(line)
            await line.tell_plain(plain(bench))
            await line.expect_hang_up()

    CHAPTER.add(f"{name} after an opening: the lock hangs up", play)


_elsewhere("a program offered", lambda b: messages.encode(FirmwareOffer(_signed(b))))
_elsewhere("a chunk of a program", lambda _b: messages.encode(FirmwareChunk(0, b"x")))


def _malformed(name: str, plain: bytes) -> None:
    async def play(bench: Bench) -> None:
        async with _serving(bench) as line:
            await line.tell_plain(plain)
            await line.expect_hang_up()

    CHAPTER.add(f"{name}: the lock hangs up", play)


_malformed("a program's header of nothing", cbor.encode([19, b""]))
_malformed("a program's header beyond its size", cbor.encode([19, bytes(225)]))
_malformed("a chunk of nothing", cbor.encode([20, 0, b""]))
_malformed("a chunk beyond its size", cbor.encode([20, 0, bytes(4097)]))
_malformed("a chunk beyond any image", cbor.encode([20, firmware.MAX_IMAGE + 1, b"x"]))
