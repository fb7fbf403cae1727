"""An installer's phone by radio: packages and orders that are not for this lock, or asked out of place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

from protocol import cbor, cose, identity, messages, retire
from protocol.installing import CommissionOffer, CommissionResult, Identity, IdentityRequest, RetireOffer
from protocol.keys import SigningKey
from protocol.messages import Carry, Command, Done, LogBatch, PhoneMessage
from protocol.reasons import Reason, reason
from protocol.retire import RetireOrder
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.municipality import Municipality, Place, secret
from simulation.conformance.verdict import DeviationError, expect
from simulation.conformance.wire import Line

CHAPTER = Chapter("12.2")
SERVICE = 4


@asynccontextmanager
async def _serving(bench: Bench) -> AsyncIterator[Line]:
    """A service session after m3 and done."""
    async with bench.line() as line:
        request = bench.request(bench.token(scope=SERVICE), command=Command.SERVICE)
        expect(Reason.GRANTED, reason((await bench.ask(line, request)).reason), "m2")
        await line.tell(Carry(0))
        await line.outcome()
        while not isinstance(said := await line.said(), Done):
            if not isinstance(said, LogBatch):
                raise DeviationError(f"expected done, got {type(said).__name__}")
        yield line


async def _result(line: Line, message: PhoneMessage) -> CommissionResult:
    await line.tell(message)
    said = await line.said()
    if not isinstance(said, CommissionResult):
        raise DeviationError(f"expected a commission result, got {type(said).__name__}")
    return said


@CHAPTER.case("who are you: the lock's signed identity and its binding")
async def who(bench: Bench) -> None:
    """The keys are those of the identity that the kit was given."""
    async with _serving(bench) as line:
        await line.tell(IdentityRequest())
        said = await line.said()
        if not isinstance(said, Identity):
            raise DeviationError(f"expected an identity, got {type(said).__name__}")
        expect(bench.place.lock.lock_id, identity.verify(said.document).lock_id, "lock id")
        expect(bench.place.binding, said.binding, "binding")


def _elsewhere(bench: Bench, **changes: object) -> Place:
    return replace(bench.place, binding=bench.random(8), **changes)  # type: ignore[arg-type]


def _offer(name: str, why: Reason, make: Callable[[Bench], PhoneMessage], section: str = "5") -> None:
    async def play(bench: Bench) -> None:
        async with _serving(bench) as line:
            said = await _result(line, make(bench))
            expect(why, reason(said.reason), "commission result")
            expect(bench.place.binding, said.binding, "binding afterwards")
        await bench.granted(bench.request())

    CHAPTER.add(f"{name} by radio: {why.slug}, and the lock opens as before", play, section)


def _package(name: str, why: Reason, make: Callable[[Bench], bytes]) -> None:
    _offer(f"a package {name}", why, lambda bench: CommissionOffer(make(bench)))


_package("that is noise", Reason.COMMISSION_INVALID, lambda b: b.random(200))
_package(
    "for another lock",
    Reason.COMMISSION_WRONG_LOCK,
    lambda b: _elsewhere(b).package(time=b.now(), lock_id=secret("lock")[:8]),
)
_package(
    "of another municipality",
    Reason.COMMISSION_ROOT_MISMATCH,
    lambda b: _elsewhere(b, issuer=Municipality("neighbour", version=9)).package(time=b.now()),
)
_package("with an older time", Reason.COMMISSION_OLD, lambda b: _elsewhere(b).package(time=b.now() - 86_400))


def _order(bench: Bench, key: SigningKey | None = None, **changes: object) -> bytes:
    order = RetireOrder(bench.place.lock.lock_id, bench.place.binding, bench.now())
    return retire.sign(replace(order, **changes), key or bench.place.issuer.bulletin_key)  # type: ignore[arg-type]


def _raw(bench: Bench, body: list[object], context: str = "retire") -> bytes:
    return cose.sign1(cbor.encode(body), bench.place.issuer.bulletin_key, cose.context(context))


def _retire(name: str, why: Reason, make: Callable[[Bench], bytes]) -> None:
    _offer(f"an order to retire {name}", why, lambda bench: RetireOffer(make(bench)), "5.2")


INVALID, WRONG = Reason.RETIRE_INVALID, Reason.RETIRE_WRONG_LOCK
_retire("that is noise", INVALID, lambda b: b.random(120))
_retire("cut short", INVALID, lambda b: _order(b)[:-1])
_retire("by nobody's key", INVALID, lambda b: _order(b, SigningKey.from_seed(b"b1", secret("forger"))))
_retire("by the token key", INVALID, lambda b: _order(b, b.place.issuer.token_key))
_retire("by a neighbour", INVALID, lambda b: _order(b, Municipality("neighbour").bulletin_key))
_retire(
    "signed as a bulletin",
    INVALID,
    lambda b: _raw(b, [b.place.lock.lock_id, b.place.binding, b.now()], "bulletin"),
)
_retire("of two parts", INVALID, lambda b: _raw(b, [b.place.lock.lock_id, b.place.binding]))
_retire("for a lock of 7 bytes", INVALID, lambda b: _raw(b, [bytes(7), b.place.binding, b.now()]))
_retire("for a binding of 9 bytes", INVALID, lambda b: _raw(b, [b.place.lock.lock_id, bytes(9), b.now()]))
_retire("at no time", INVALID, lambda b: _raw(b, [b.place.lock.lock_id, b.place.binding, None]))
_retire("for another lock", WRONG, lambda b: _order(b, lock_id=secret("lock")[:8]))
_retire("for another binding", WRONG, lambda b: _order(b, binding=secret("door")[:8]))
_retire("while log waits for its receipt", Reason.RETIRE_LOG_FIRST, _order)


def _out_of_place(name: str, make: Callable[[Bench], PhoneMessage]) -> None:
    async def play(bench: Bench) -> None:
        async with bench.line() as line:
            expect(Reason.GRANTED, reason((await bench.ask(line, bench.request())).reason), "m2")
            await bench.finish(line)
            await line.tell_plain(messages.encode(make(bench)))
            await line.expect_hang_up()
        await bench.granted(bench.request())

    CHAPTER.add(f"{name} with a right to open: the lock hangs up", play)


_out_of_place("a package", lambda b: CommissionOffer(_elsewhere(b).package(time=b.now())))
_out_of_place("an order to retire", lambda b: RetireOffer(_order(b)))
_out_of_place("who are you", lambda _b: IdentityRequest())
