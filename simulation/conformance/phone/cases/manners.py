"""Manners on the air: frames, repeats, what is carried, whom it connects to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from protocol import advert, framing, gatt
from protocol.framing import Kind
from protocol.messages import Carry, Done, LogBatch, Outcome, OutcomeCode
from protocol.reasons import Reason
from simulation.conformance.municipality import secret
from simulation.conformance.phone.bench import PhoneBench
from simulation.conformance.phone.case import NOTHING, case
from simulation.conformance.phone.script import PhoneLink
from simulation.conformance.verdict import DeviationError, expect


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@case("a second m0: a new handshake with a new ephemeral, the same request", "20.3")
async def second_m0(bench: PhoneBench) -> None:
    """The lock gave up waiting."""
    tap = bench.begin()
    link = await bench.lock.link()
    link.send_m0()
    first = (await link.message()).body
    link.send_m0()
    second = await link.message()
    if second.body[8:40] == first[8:40]:
        raise DeviationError("the same ephemeral was used for two m0")
    link.send_m0()
    request = await link.request()
    expect(1, request.command, "command")
    bench.granted(link)
    await bench.finish(link)
    await bench.told("open", tap)


@case("a fifth m0 on one link: the phone hangs up", "20.3")
async def fifth_m0(bench: PhoneBench) -> None:
    """It does not work for whoever keeps it busy."""
    tap = bench.begin()
    link = await bench.lock.link()
    for _ in range(gatt.MAX_M0_PER_LINK):
        link.send_m0()
        await link.message()
    link.send_m0()
    await link.expect_hang_up_at_once()
    link, _ = await bench.asked()
    bench.granted(link)
    await bench.finish(link)
    await bench.told("open", tap)


@case("frames are filled, numbered, and no longer than the MTU takes", "9")
async def frames(bench: PhoneBench) -> None:
    """m1, frame by frame."""
    tap = bench.begin()
    link = await bench.lock.link()
    link.send_m0()
    size = 0
    got: list[bytes] = []
    while not got or not got[-1][0] & 0x40:
        async with asyncio.timeout(10.0):
            frame = await link.frames.get()
        if frame is None:
            raise DeviationError("the phone hung up")
        got.append(frame)
        size = max(size, len(frame))
    if size > link.capacity:
        raise DeviationError(f"a frame of {size} bytes where {link.capacity} fit")
    body = b"".join(frame[1:] for frame in got)
    expect(framing.fragment(Kind.M1, body, max(size, 20)), got, "frames of m1")
    link.hang_up()
    link, _ = await bench.asked()
    bench.granted(link)
    await bench.finish(link)
    await bench.told("open", tap)


@case("a log batch is kept, byte for byte, and one beyond the carry is refused", "12.1")
async def keeps(bench: PhoneBench) -> None:
    """The courier cannot read it, and does not lose it."""
    tap = bench.begin()
    link, _ = await bench.asked()
    bench.granted(link)
    carry = await link.hear(Carry)
    sealed = bench.random(min(carry.max_bytes, 900))
    link.tell(Outcome(OutcomeCode.MOVED, 11, 80))
    link.tell(LogBatch(sealed))
    link.tell(Done(3))
    await bench.told("open", tap)
    if bench.phone.kept and bench.phone.kept[-1] != sealed:
        raise DeviationError("the phone kept other bytes than it was given")


@case("more log than the phone takes: it hangs up, and the bolt stays as told", "20.3")
async def too_much(bench: PhoneBench) -> None:
    """The outcome was true all the same."""
    tap = bench.begin()
    link, _ = await bench.asked()
    bench.granted(link)
    carry = await link.hear(Carry)
    link.tell(Outcome(OutcomeCode.MOVED, 11, 80))
    for _ in range(carry.max_bytes // 4000 + 2):
        link.tell(LogBatch(bench.random(4000)))
    await link.expect_hang_up_at_once()
    await bench.told("open", tap)


@case("nothing is said after a refusal with nothing to hand over", "12.1")
async def quiet(bench: PhoneBench) -> None:
    """The phone hangs up."""
    tap = bench.begin()
    link, _ = await bench.asked()
    bench.refuse(link, Reason.NOT_PERMITTED)
    await link.expect_silence()
    await link.expect_hang_up()
    await bench.told("refused not_permitted", tap)


@case("the token and key are those the phone was given, and the request is of the page's form", "11")
async def request_form(bench: PhoneBench) -> None:
    """Parsed strictly, and the handshake proved the key."""
    tap = bench.begin()
    link, request = await bench.asked()
    expect(bench.credentials.token, request.token, "token in the request")
    bench.granted(link)
    await bench.finish(link)
    await bench.told("open", tap)


def _not_ours(name: str, data: Callable[[PhoneBench], bytes]) -> None:
    @case(f"an advert {name}: the phone does not connect", "7")
    async def play(bench: PhoneBench) -> None:
        bench.lock.advertise(data(bench))
        tap = bench.begin()
        linking = asyncio.create_task(bench.lock.link(60.0))
        await asyncio.wait({linking, tap}, return_when=asyncio.FIRST_COMPLETED)
        connected = linking.done()
        linking.cancel()
        bench.lock.advertise()
        if connected:
            raise DeviationError("the phone connected")
        await bench.told(NOTHING, tap)


_not_ours("of another key", lambda b: advert.make(secret("other adv"), b.random(8)).data)
_not_ours(
    "with a bit of its rid changed", lambda b: _flipped(advert.make(b.credentials.adv_key, b.random(8)).data)
)
_not_ours("of version 2", lambda b: b"\x02" + advert.make(b.credentials.adv_key, b.random(8)).data[1:])


@case("a lock with another static key: nothing is sent that it could read, nothing is believed", "10")
async def impostor(bench: PhoneBench) -> None:
    """It has the adv_key and poses as the lock: its m0 does not open under the lock record's key."""
    tap = bench.begin(lock_static=bytes([9]) + bytes(31))

    async def script(link: PhoneLink) -> None:
        link.send_m0()
        await link.expect_hang_up(30.0)

    if not await bench.all_links(tap, script):
        raise DeviationError("the phone never connected")
    await bench.told(NOTHING, tap)
