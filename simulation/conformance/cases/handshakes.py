"""m1 with one thing wrong: one unauthenticated word, a new m0, and nothing happens."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from noise.connection import Keypair, NoiseConnection
from noise.state import SymmetricState

from protocol import gatt
from protocol.framing import Kind
from protocol.messages import Decision
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.municipality import secret
from simulation.conformance.verdict import DeviationError, expect
from simulation.conformance.wire import Line

CHAPTER = Chapter("10")
MAC1, EPHEMERAL, STATIC = 8, 32, 48
LEAST = MAC1 + EPHEMERAL + STATIC + 16 + 1
_P = 2**255 - 19
LOW_ORDER = (0, 1, 325606250916557431795983626356110631294008115727848805560023387167927233504,
             39382357235489614581723060781553021112529911719440698176882885853963445705823,
             _P - 1, _P, _P + 1)  # fmt: skip
"""u-coordinates of points of small order, with which every X25519 gives zero (RFC 7748 section 6.1)."""


@dataclass
class Recipe:
    """What an m1 is made with, apart from the page's own code in ``protocol``."""

    prologue: bytes
    psk: bytes
    mac_key: bytes
    lock_static: bytes
    phone_private: bytes
    name: bytes = b"Noise_KXpsk1_25519_AESGCM_SHA256"

    def m1(self, m0: bytes, request: bytes) -> bytes:
        """Answer an m0, whether it can be read with these ingredients or not."""
        noise = NoiseConnection.from_name(self.name)
        noise.set_prologue(self.prologue)
        noise.set_psks(self.psk)
        noise.set_as_responder()
        noise.set_keypair_from_private_bytes(Keypair.STATIC, self.phone_private)
        noise.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, self.lock_static)
        noise.start_handshake()
        symmetric = noise.noise_protocol.handshake_state.symmetric_state
        read = symmetric.decrypt_and_hash
        symmetric.decrypt_and_hash = lambda sealed: _unread(symmetric, sealed)
        noise.read_message(m0)
        symmetric.decrypt_and_hash = read
        return self.sealed(m0, bytes(noise.write_message(request)))

    def sealed(self, m0: bytes, rest: bytes) -> bytes:
        """Put mac1 before the second Noise message."""
        return hmac.digest(self.mac_key, m0 + rest, "sha256")[:MAC1] + rest


def _unread(symmetric: SymmetricState, sealed: bytes) -> bytes:
    """Go on although m0's tag does not hold: with a wrong ingredient it cannot."""
    symmetric.mix_hash(sealed)
    return b""


def derived(adv_key: bytes, label: str) -> bytes:
    """Return psk or k_mac of section 10."""
    return HKDF(SHA256(), 32, None, f"nyckelfri-{label}-1".encode()).derive(adv_key)


def recipe(bench: Bench) -> Recipe:
    """The right one."""
    place = bench.place
    return Recipe(
        prologue=b"nyckelfri" + bytes([gatt.PROTOCOL_VERSION, 1]) + place.binding,
        psk=derived(place.adv_key, "psk"),
        mac_key=derived(place.adv_key, "mac"),
        lock_static=place.lock.static_public,
        phone_private=bench.anna.private,
    )


async def _refused_unheard(bench: Bench, line: Line, m1: bytes) -> None:
    """One alert, m0 (a new one, if the m1 passed mac1), and a good request on the link is still granted."""
    before = line.m0
    tried = LEAST <= len(m1) <= gatt.MAX_HANDSHAKE_MESSAGE and recipe(bench).sealed(before, m1[MAC1:]) == m1
    await line.send(Kind.M1, m1)
    await line.expect_alert()
    if await line.expect_m0() == before and tried:
        raise DeviationError("an m0 was sent again after an m1 that passed mac1")
    decision = await bench.ask(line, bench.request())
    expect(Reason.GRANTED, reason(decision.reason), "m2 of a good request after it")
    await bench.finish(line)


def _failed(name: str, alter: Callable[[bytes, Bench, Line], bytes]) -> None:
    """A good m1 with something altered in its bytes."""

    async def play(bench: Bench) -> None:
        async with bench.line() as line:
            good = recipe(bench).m1(line.m0, bench.request())
            await _refused_unheard(bench, line, alter(good, bench, line))

    CHAPTER.add(f"m1 {name}: handshake_failed", play)


def _flipped(at: int) -> Callable[[bytes, Bench, Line], bytes]:
    return lambda m1, _bench, _line: m1[:at] + bytes([m1[at] ^ 1]) + m1[at + 1 :]


def _flipped_under_mac(at: int) -> Callable[[bytes, Bench, Line], bytes]:
    """A bit changed by somebody who knows the adv_key and makes mac1 anew."""

    def alter(m1: bytes, bench: Bench, line: Line) -> bytes:
        rest = m1[MAC1:]
        return recipe(bench).sealed(line.m0, rest[:at] + bytes([rest[at] ^ 1]) + rest[at + 1 :])

    return alter


def _with_ephemeral(point: int) -> Callable[[bytes, Bench, Line], bytes]:
    return lambda m1, bench, line: recipe(bench).sealed(
        line.m0, point.to_bytes(32, "little") + m1[MAC1 + EPHEMERAL :]
    )


_failed("of one byte", lambda m1, _bench, _line: m1[:1])
_failed("of 104 bytes", lambda m1, bench, line: recipe(bench).sealed(line.m0, m1[MAC1:104]))
_failed("with its last byte missing", lambda m1, _bench, _line: m1[:-1])
_failed(
    "with its last byte missing and mac1 made anew",
    lambda m1, bench, line: recipe(bench).sealed(line.m0, m1[MAC1:-1]),
)
_failed(
    "with a byte more and mac1 made anew",
    lambda m1, bench, line: recipe(bench).sealed(line.m0, m1[MAC1:] + b"\x00"),
)
_failed(
    "of 513 bytes", lambda m1, bench, line: recipe(bench).sealed(line.m0, m1[MAC1:] + bytes(513 - len(m1)))
)
_failed("of 512 bytes of noise", lambda _m1, bench, _line: bench.random(512))
_failed("with a bit of mac1 changed", _flipped(0))
_failed("with the last bit of mac1 changed", _flipped(MAC1 - 1))
_failed("with mac1 of zeros", lambda m1, _bench, _line: bytes(MAC1) + m1[MAC1:])
_failed("with a bit of its ephemeral changed", _flipped(MAC1))
_failed("with a bit of its ephemeral changed and mac1 made anew", _flipped_under_mac(0))
_failed("with a bit of its static key changed and mac1 made anew", _flipped_under_mac(EPHEMERAL))
_failed(
    "with a bit of its static key's tag changed and mac1 made anew",
    _flipped_under_mac(EPHEMERAL + STATIC - 1),
)
_failed("with a bit of its request changed and mac1 made anew", _flipped_under_mac(EPHEMERAL + STATIC))
_failed(
    "with the last bit of its tag changed and mac1 made anew",
    _flipped_under_mac(-1 + EPHEMERAL + STATIC + 20),
)
for _number, _point in enumerate(LOW_ORDER, start=1):
    _failed(f"with an ephemeral of small order ({_number} of {len(LOW_ORDER)})", _with_ephemeral(_point))


def _made_with(name: str, **changes: Callable[[Bench], bytes]) -> None:
    """An m1 made with a wrong ingredient, mac1 by the right key where it is not the ingredient."""

    async def play(bench: Bench) -> None:
        async with bench.line() as line:
            made = recipe(bench)
            for ingredient, value in changes.items():
                setattr(made, ingredient, value(bench))
            await _refused_unheard(bench, line, made.m1(line.m0, bench.request()))

    CHAPTER.add(f"m1 made with {name}: handshake_failed", play)


_made_with("another adv_key's mac1", mac_key=lambda _bench: derived(secret("other adv"), "mac"))


_made_with(
    "protocol version 2 in its prologue", prologue=lambda bench: b"nyckelfri\x02\x01" + bench.place.binding
)
_made_with("suite 2 in its prologue", prologue=lambda bench: b"nyckelfri\x01\x02" + bench.place.binding)
_made_with(
    "another binding in its prologue", prologue=lambda _bench: b"nyckelfri\x01\x01" + secret("elsewhere")[:8]
)
_made_with("no prologue", prologue=lambda _bench: b"")
_made_with("another adv_key's psk", psk=lambda _bench: derived(secret("other adv"), "psk"))
_made_with("a psk of zeros", psk=lambda _bench: bytes(32))


@CHAPTER.case("an m1 recorded on another link: handshake_failed")
async def replayed(bench: Bench) -> None:
    """Freshness is the lock's: what was granted once is noise on another link."""
    async with bench.line() as line:
        recorded = bench.m1(line, bench.request())
        await line.send(Kind.M1, recorded)
        expect(Reason.GRANTED, reason((await line.decision()).reason), "m2")
        await bench.finish(line)
    async with bench.line() as line:
        await _refused_unheard(bench, line, recorded)


@CHAPTER.case("an m1 recorded on another link, mac1 made anew: handshake_failed")
async def replayed_by_an_insider(bench: Bench) -> None:
    """By somebody who knows the adv_key."""
    async with bench.line() as line:
        recorded = bench.m1(line, bench.request())
        await line.send(Kind.M1, recorded)
        expect(Reason.GRANTED, reason((await line.decision()).reason), "m2")
        await bench.finish(line)
    async with bench.line() as line:
        await _refused_unheard(bench, line, recipe(bench).sealed(line.m0, recorded[MAC1:]))


@CHAPTER.case("an m1 for the m0 before: handshake_failed")
async def held_back(bench: Bench) -> None:
    """An m0 takes one m1 that passes mac1; a new m0 makes the one before worthless."""
    async with bench.line() as line:
        held = recipe(bench).m1(line.m0, bench.request())
        await line.send(Kind.M1, recipe(bench).sealed(line.m0, bench.random(200)))
        await line.expect_alert()
        await line.expect_m0()
        await line.send(Kind.M1, held)
        await line.expect_alert()


_made_with("another lock's static key", lock_static=lambda bench: bench.bo.public)


@CHAPTER.case("four failed handshakes on one link: the lock hangs up", "20.1")
async def four(bench: Bench) -> None:
    """m0 per link, section 23."""
    async with bench.line() as line:
        for number in range(1, gatt.MAX_M0_PER_LINK + 1):
            await line.send(Kind.M1, bench.random(200))
            await line.expect_alert()
            if number < gatt.MAX_M0_PER_LINK:
                await line.expect_m0()
        await line.expect_hang_up()


def _expired(bench: Bench) -> bytes:
    long_ago = bench.now() - 40_000
    return bench.token(begins=long_ago, ends=bench.now() - 9_000, issued=long_ago)


@CHAPTER.case("nobody is told anything about a token before the handshake holds")
async def no_oracle(bench: Bench) -> None:
    """A revoked, an expired and a good token look alike when the handshake fails."""
    for token in (bench.token(), _expired(bench)):
        async with bench.line() as line:
            good = recipe(bench).m1(line.m0, bench.request(token))
            await line.send(Kind.M1, good[:-1] + bytes([good[-1] ^ 1]))
            await line.expect_alert()
            await line.expect_m0()


@CHAPTER.case("an m0 that was answered is not sent again on another link")
async def fresh(bench: Bench) -> None:
    """Three links, three m0."""
    seen = set()
    for _ in range(3):
        async with bench.line() as line:
            seen.add(line.m0)
            await line.send(Kind.M1, recipe(bench).sealed(line.m0, bench.random(200)))
            await line.expect_alert()
    expect(3, len(seen), "different m0")


@CHAPTER.case("an m0 that nobody answered is not sent again when it is over")
async def stale(bench: Bench) -> None:
    """Its 5 seconds count from when it was first sent, on whatever link."""
    async with bench.line() as line:
        old = line.m0
    await asyncio.sleep(gatt.M0_LIFE_SECONDS)
    async with bench.line() as line:
        if line.m0 == old:
            raise DeviationError("an m0 was sent again after its time")


@CHAPTER.case("an m1 for an m0 that is over: a new m0, no alert", "20.1")
async def replaced(bench: Bench) -> None:
    """More than 5 seconds after m0; and the new one is good."""
    async with bench.line() as line:
        old = line.m0
        await asyncio.sleep(gatt.M0_LIFE_SECONDS + 1)
        await line.send(Kind.M1, recipe(bench).m1(old, bench.request()))
        if await line.expect_m0() == old:
            raise DeviationError("the same m0 was sent twice")
        decision: Decision = await bench.ask(line, bench.request())
        expect(Reason.GRANTED, reason(decision.reason), "m2")
        await bench.finish(line)
