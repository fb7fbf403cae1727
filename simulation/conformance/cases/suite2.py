"""Suite 2, at locks that offer it: one form of proof and key, and no way from one suite into the other."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from noise.connection import Keypair, NoiseConnection

from protocol import cose, gatt
from protocol.framing import Kind
from protocol.handshake import Channel
from protocol.keys import HolderKey
from protocol.phonekeys import P256Key
from protocol.possession import ORDER
from protocol.reasons import Reason, reason
from protocol.suites import SUITE_1, SUITE_2
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.cases.handshakes import MAC1, derived
from simulation.conformance.municipality import secret
from simulation.conformance.verdict import DeviationError, expect
from simulation.conformance.wire import Line

CHAPTER = Chapter("24", suite=SUITE_2)
CIA, DAN = P256Key(secret("phone/cia")), P256Key(secret("phone/dan"))
"""Two phones of the kit's, with keys of type 2."""
OTHER_Y = bytes([CIA.holder.public[0] ^ 1])
HALF = 32
FIELD = 2**256 - 2**224 + 2**192 + 2**96 - 1
X_OF_NO_POINT = 1
"""1 - 3 + b is no square in the field of P-256."""
Payload = Callable[[Bench, bytes], bytes]
"""From the handshake hash to what m1 carries."""


def _token(bench: Bench, holder: HolderKey) -> bytes:
    forge = bench.forge()
    forge.aad = cose.context("token", holder.encoded)
    return bytes(forge)


def _request(bench: Bench, holder: HolderKey = CIA.holder) -> bytes:
    return bench.request(_token(bench, holder))


def _signed(key: P256Key, message: bytes) -> tuple[int, int]:
    r, s = decode_dss_signature(key.sign(message))
    return r, min(s, ORDER - s)


def _numbers(r: int, s: int) -> bytes:
    return r.to_bytes(HALF, "big") + s.to_bytes(HALF, "big")


def _over(handshake_hash: bytes, request: bytes, public: bytes = CIA.holder.public) -> bytes:
    """What section 24.3 has a phone sign."""
    return cose.context("possession", handshake_hash, b"\x02", public, request)


def _good(bench: Bench, handshake_hash: bytes, request: bytes | None = None) -> bytes:
    asked = _request(bench) if request is None else request
    return _numbers(*_signed(CIA, _over(handshake_hash, asked))) + CIA.holder.public + asked


def _m1(bench: Bench, line: Line, payload: Payload) -> bytes:
    """An m1 that is right in everything but, perhaps, its payload; the line has its channel then."""
    place = bench.place
    noise = NoiseConnection.from_name(SUITE_2.noise)
    noise.set_prologue(b"nyckelfri" + bytes([gatt.PROTOCOL_VERSION, 2]) + place.binding)
    noise.set_psks(derived(place.adv_key, "psk"))
    noise.set_as_responder()
    noise.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, place.lock.static_public)
    noise.start_handshake()
    state = noise.noise_protocol.handshake_state
    state.e = noise.noise_protocol.dh_fn.klass.from_private_bytes(bench.random(32))
    noise.read_message(line.m0)
    handshake_hash = hashlib.sha256(state.symmetric_state.h + state.e.public_bytes).digest()
    rest = bytes(noise.write_message(payload(bench, handshake_hash)))
    line.channel = Channel(noise)
    return _sealed(bench, line, rest)


def _sealed(bench: Bench, line: Line, rest: bytes) -> bytes:
    key = derived(bench.place.adv_key, "mac")
    return hmac.digest(key, line.m0 + rest, "sha256")[:MAC1] + rest


async def _granted(bench: Bench, line: Line) -> None:
    await line.send(Kind.M1, _m1(bench, line, _good))
    expect(Reason.GRANTED, reason((await line.decision()).reason), "m2")
    await bench.finish(line)


async def _refused_unheard(bench: Bench, line: Line, m1: bytes) -> None:
    """One alert, an m0, and a good request on the same link is still granted."""
    await line.send(Kind.M1, m1)
    await line.expect_alert()
    await line.expect_m0()
    await _granted(bench, line)


def _failed(name: str, make: Callable[[Bench, Line], bytes]) -> None:
    async def play(bench: Bench) -> None:
        async with bench.line(SUITE_2) as line:
            await _refused_unheard(bench, line, make(bench, line))

    CHAPTER.add(f"suite 2, {name}: handshake_failed", play)


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _unproved(name: str, payload: Payload) -> None:
    _failed(name, lambda bench, line: _m1(bench, line, payload))


@CHAPTER.case("suite 2, a good proof: granted")
async def good(bench: Bench) -> None:
    """The whole opening."""
    async with bench.line(SUITE_2) as line:
        await _granted(bench, line)


def _altered(alter: Callable[[int, int], tuple[int, int]]) -> Payload:
    """A good proof whose numbers are then altered."""

    def payload(bench: Bench, handshake_hash: bytes) -> bytes:
        request = _request(bench)
        r, s = alter(*_signed(CIA, _over(handshake_hash, request)))
        return _numbers(r, s) + CIA.holder.public + request

    return payload


def _by(key: P256Key, *, claims: P256Key = CIA) -> Payload:
    """Signed by one phone, said to be by another."""

    def payload(bench: Bench, handshake_hash: bytes) -> bytes:
        request, public = _request(bench), claims.holder.public
        return _numbers(*_signed(key, _over(handshake_hash, request, public))) + public + request

    return payload


def _of(message: Callable[[bytes, bytes], bytes]) -> Payload:
    """A good signature of something else; ``message``: from handshake hash and request."""

    def payload(bench: Bench, handshake_hash: bytes) -> bytes:
        request = _request(bench)
        return _numbers(*_signed(CIA, message(handshake_hash, request))) + CIA.holder.public + request

    return payload


def _with_key(public: bytes) -> Payload:
    def payload(bench: Bench, handshake_hash: bytes) -> bytes:
        request = _request(bench)
        return _numbers(*_signed(CIA, _over(handshake_hash, request, public))) + public + request

    return payload


def _as_der(bench: Bench, handshake_hash: bytes) -> bytes:
    request = _request(bench)
    return encode_dss_signature(*_signed(CIA, _over(handshake_hash, request))) + CIA.holder.public + request


_unproved("a proof with the larger s", _altered(lambda r, s: (r, ORDER - s)))
_unproved("a proof with s of 0", _altered(lambda r, _s: (r, 0)))
_unproved("a proof with s of the group's order", _altered(lambda r, _s: (r, ORDER)))
_unproved("a proof with r of 0", _altered(lambda _r, s: (0, s)))
_unproved("a proof with r of the group's order", _altered(lambda _r, s: (ORDER, s)))
_unproved("a proof with r and s swapped", _altered(lambda r, s: (s, r)))
_unproved("a proof of zeros", _altered(lambda _r, _s: (0, 0)))
_unproved("a proof with a bit changed", _altered(lambda r, s: (r ^ 1, s)))
_unproved("a proof in DER", _as_der)
_unproved("a proof by another key", _by(DAN))
_unproved("a proof for an earlier handshake", _of(lambda _h, request: _over(secret("earlier"), request)))
_unproved("a proof for another request", _of(lambda h, request: _over(h, _flip(request, 2))))
_unproved("a proof for another key", _of(lambda h, request: _over(h, request, DAN.holder.public)))
_unproved("a proof of the handshake hash alone", _of(lambda h, _request: h))
_unproved(
    "a proof signed as a token", _of(lambda h, request: _over(h, request).replace(b"possession", b"token"))
)
_unproved("a request where the proof should be", lambda bench, _h: _request(bench))
_unproved(
    "a key with the sign of y changed", _with_key(bytes([CIA.holder.public[0] ^ 1]) + CIA.holder.public[1:])
)
_unproved("a key with the prefix of an uncompressed point", _with_key(b"\x04" + CIA.holder.public[1:]))
_unproved("a key with the prefix of a hybrid point", _with_key(b"\x06" + CIA.holder.public[1:]))
_unproved("a key with prefix 0", _with_key(b"\x00" + CIA.holder.public[1:]))
_unproved("a key that is no point", _with_key(b"\x02" + X_OF_NO_POINT.to_bytes(HALF, "big")))
_unproved("a key with an x of the field's prime", _with_key(b"\x02" + FIELD.to_bytes(HALF, "big")))
_unproved("a key of ones", _with_key(b"\x02" + b"\xff" * HALF))
_failed("no request", lambda bench, line: _m1(bench, line, lambda _b, h: _good(bench, h, b"")))
_failed("mac1 changed", lambda bench, line: _flip(_m1(bench, line, _good), 0))
_failed(
    "a bit of the proof's ciphertext changed, mac1 made anew",
    lambda bench, line: _sealed(bench, line, _flip(_m1(bench, line, _good)[MAC1:], 40)),
)
_failed(
    "an ephemeral of small order",
    lambda bench, line: _sealed(bench, line, bytes(32) + _m1(bench, line, _good)[40:]),
)
_failed("513 bytes", lambda bench, line: _sealed(bench, line, bytes(505)))


def _token_invalid(name: str, bound: Callable[[Bench], HolderKey]) -> None:
    async def play(bench: Bench) -> None:
        async with bench.line(SUITE_2) as line:
            asked = bench.request(_token(bench, bound(bench)))
            await line.send(Kind.M1, _m1(bench, line, lambda _b, h: _good(bench, h, asked)))
            expect(Reason.TOKEN_INVALID, reason((await line.decision()).reason), "m2")

    CHAPTER.add(f"suite 2, {name}: token_invalid", play)


_token_invalid("a token for a key of type 1", lambda bench: bench.holder(bench.anna))
_token_invalid("another phone's token", lambda _bench: DAN.holder)


@CHAPTER.case("suite 1, a token for a key of type 2: token_invalid")
async def other_way_round(bench: Bench) -> None:
    """The key type stands in what the token key signed."""
    decision = await bench.decide(bench.request(_token(bench, CIA.holder)))
    expect(Reason.TOKEN_INVALID, reason(decision.reason), "m2")


@CHAPTER.case("suite 2, an m1 written to suite 1's characteristic: passed over", "8")
async def passed_over(bench: Bench) -> None:
    """No alert, no answer; the same m1 is granted where it belongs."""
    async with bench.line(SUITE_2) as line:
        m1 = _m1(bench, line, _good)
        await line.send(Kind.M1, m1, suite=SUITE_1)
        await _nothing_said(line)
        await line.send(Kind.M1, m1)
        expect(Reason.GRANTED, reason((await line.decision()).reason), "m2")
        await bench.finish(line)


@CHAPTER.case("suite 2, then a subscription to suite 1: passed over", "8")
async def first_chooses(bench: Bench) -> None:
    """The first subscription chooses for as long as the link stands."""
    async with bench.line(SUITE_2) as line:
        await line.subscribe(SUITE_1)
        await _nothing_said(line)
        await _granted(bench, line)


async def _nothing_said(line: Line) -> None:
    try:
        said = await line.message(1.0)
    except DeviationError:
        return
    raise DeviationError(f"expected nothing, got {said.kind.name}")
