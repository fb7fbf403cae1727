"""What comes out of turn, malformed or unauthenticated: never believed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from protocol import cbor
from protocol.framing import Kind
from protocol.messages import Outcome, OutcomeCode
from protocol.reasons import Reason
from simulation.conformance.phone.bench import HELD_BULLETIN, PhoneBench
from simulation.conformance.phone.case import NOTHING, UNKNOWN, case
from simulation.conformance.phone.script import PhoneLink
from simulation.conformance.verdict import DeviationError


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _unheard(
    name: str, script: Callable[[PhoneBench, PhoneLink], Awaitable[None]], told: str = NOTHING
) -> None:
    @case(f"{name}: told {told}", "20.3")
    async def play(bench: PhoneBench) -> None:
        tap = bench.begin()

        async def on_link(link: PhoneLink) -> None:
            await script(bench, link)
            await link.expect_hang_up(30.0)

        if not await bench.all_links(tap, on_link):
            raise DeviationError("the phone never connected")
        await bench.told(told, tap)


def _alert(code: int) -> Callable[[PhoneBench, PhoneLink], Awaitable[None]]:
    async def script(_bench: PhoneBench, link: PhoneLink) -> None:
        link.send_m0()
        await link.message()
        link.send(Kind.ALERT, bytes([code]))

    return script


_unheard("the alert handshake_failed", _alert(Reason.HANDSHAKE_FAILED))
_unheard("an alert that says granted", _alert(Reason.GRANTED))
_unheard("an alert that says revoked", _alert(Reason.REVOKED))


def _first_word(
    frame: Callable[[PhoneBench, PhoneLink], None],
) -> Callable[[PhoneBench, PhoneLink], Awaitable[None]]:
    async def script(bench: PhoneBench, link: PhoneLink) -> None:
        frame(bench, link)

    return script


_unheard("an m0 of 47 bytes", _first_word(lambda _b, link: link.send(Kind.M0, bytes(47))))
_unheard("an m0 of 49 bytes", _first_word(lambda _b, link: link.send(Kind.M0, bytes(49))))
_unheard("an m0 of noise", _first_word(lambda b, link: link.send(Kind.M0, b.random(48))))
_unheard("a session message before m0", _first_word(lambda b, link: link.send(Kind.SESSION, b.random(40))))
_unheard("an m1 from the lock", _first_word(lambda b, link: link.send(Kind.M1, b.random(200))))
_unheard("a frame with a wrong number", _first_word(lambda _b, link: link.frame(bytes([0xC1]) + bytes(20))))
_unheard("a frame with a header and no data", _first_word(lambda _b, link: link.frame(bytes([0xC0]))))
_unheard("silence after the subscription", _first_word(lambda _b, _link: None))


def _after_m1(
    answer: Callable[[PhoneBench, PhoneLink], None],
) -> Callable[[PhoneBench, PhoneLink], Awaitable[None]]:
    async def script(bench: PhoneBench, link: PhoneLink) -> None:
        link.send_m0()
        await link.request()
        answer(bench, link)

    return script


def _says(plain: bytes) -> Callable[[PhoneBench, PhoneLink], Awaitable[None]]:
    return _after_m1(lambda _bench, link: link.tell_plain(plain))


_unheard("silence after m1", _after_m1(lambda _b, _link: None))
_unheard("an outcome before the decision", _says(cbor.encode([3, 0, 11, None])))
_unheard("done before the decision", _says(cbor.encode([7, 0])))
_unheard("a log before the decision", _says(cbor.encode([4, bytes(100)])))
_unheard("a bulletin-result before the decision", _says(cbor.encode([5, 0, 9])))
_unheard("a decision with an item more", _says(cbor.encode([2, 0, 1, 10, 5, 0, 0])))
_unheard("a decision with an item less", _says(cbor.encode([2, 0, 1, 10, 5])))
_unheard("a decision with reason 256", _says(cbor.encode([2, 256, 1, 10, 5, 0])))
_unheard("a decision with a negative reason", _says(cbor.encode([2, -1, 1, 10, 5, 0])))
_unheard("a decision whose reason is false", _says(cbor.encode([2, False, 1, 10, 5, 0])))
_unheard("a decision with flag 4", _says(cbor.encode([2, 0, 1, 10, 5, 4])))
_unheard("a decision with an epoch beyond 32 bits", _says(cbor.encode([2, 0, 2**32, 10, 5, 0])))
_unheard("a decision with a log number as text", _says(cbor.encode([2, 0, 1, "10", 5, 0])))
_unheard("a decision with a negative bulletin number", _says(cbor.encode([2, 0, 1, 10, -5, 0])))
_unheard("a decision in more bytes than it needs", _says(b"\x86\x02\x18\x00\x01\x0a\x05\x00"))
_unheard("a decision with a byte after it", _says(cbor.encode([2, 0, 1, 10, 5, 0]) + b"\x00"))
_unheard("a message with a number that nobody knows", _says(cbor.encode([99, 0])))
_unheard("a phone's message from the lock", _says(cbor.encode([18, 0])))
_unheard(
    "a decision in clear",
    _after_m1(lambda _b, link: link.send(Kind.SESSION, cbor.encode([2, 0, 1, 10, 5, 0]))),
)
_unheard(
    "a decision with a bit changed",
    _after_m1(
        lambda _b, link: link.send(Kind.SESSION, _flipped(link.sealed(cbor.encode([2, 0, 1, 10, 5, 0]))))
    ),
)


def _after_grant(name: str, plain: bytes) -> None:
    def answer(bench: PhoneBench, link: PhoneLink) -> None:
        bench.granted(link)
        link.tell_plain(plain)

    _unheard(f"granted, then {name}", _after_m1(answer), UNKNOWN)


_after_grant("an outcome that nobody knows", cbor.encode([3, 8, 11, None]))
_after_grant("an outcome whose code is false", cbor.encode([3, False, 11, None]))
_after_grant("an outcome with 101 percent of battery", cbor.encode([3, 0, 11, 101]))
_after_grant("an outcome with a number beyond 32 bits", cbor.encode([3, 0, 2**32, None]))
_after_grant("a bulletin-result with a reason of null", cbor.encode([5, None, 5]))
_after_grant("a bulletin-result without a number", cbor.encode([5, 0]))
_after_grant("a time-result that nobody asked for", cbor.encode([6, 0]))
_after_grant("a time-result with a reason of 256", cbor.encode([6, 256]))
_after_grant("a second decision", cbor.encode([2, 0, 1, 10, 5, 0]))
_after_grant("done without an outcome", cbor.encode([7, 0]))
_after_grant("a log without an outcome", cbor.encode([4, bytes(100)]))


def _after_outcome(name: str, plain: bytes) -> None:
    """What is known by then stands, and the phone hangs up."""

    def answer(bench: PhoneBench, link: PhoneLink) -> None:
        bench.granted(link)
        link.tell(Outcome(OutcomeCode.MOVED, 11))
        link.tell_plain(plain)

    _unheard(f"the bolt has moved, then {name}", _after_m1(answer), "open")


_after_outcome("an empty log", cbor.encode([4, b""]))
_after_outcome("a log of 5121 bytes", cbor.encode([4, bytes(5121)]))
_after_outcome("done with less than nothing left", cbor.encode([7, -1]))
_after_outcome("done without a number", cbor.encode([7]))
_after_outcome("a commission-result that nobody asked for", cbor.encode([9, 0, None]))
_after_outcome("an identity that nobody asked for", cbor.encode([10, bytes(100), None]))
_after_outcome("a firmware-result that nobody asked for", cbor.encode([8, 0, 0]))


@case("a decision sent twice as it is: the second does not open, nothing is believed from then on", "10")
async def replayed(bench: PhoneBench) -> None:
    """The counter in the nonce."""
    tap = bench.begin()

    async def script(link: PhoneLink) -> None:
        link.send_m0()
        await link.request()
        sealed = link.sealed(cbor.encode([2, 0, 1, 10, HELD_BULLETIN, 0]))
        link.send(Kind.SESSION, sealed)
        link.send(Kind.SESSION, sealed)
        await link.expect_hang_up(30.0)

    await bench.all_links(tap, script)
    await bench.told(UNKNOWN, tap)
