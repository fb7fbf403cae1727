"""Bulletins: what is taken, and what is refused for which reason."""

from __future__ import annotations

from collections.abc import Callable

from protocol import bulletin, cbor, cose, seal
from protocol.keys import SigningKey
from protocol.manifest import Role, RoleKey
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.forge import Forge, blob
from simulation.conformance.municipality import APARTMENT, Municipality, secret
from simulation.conformance.verdict import expect

CHAPTER = Chapter("16.1")
MANIFEST = "a manifest inside"


def _news(name: str, why: Reason, make: Callable[[Bench], bytes]) -> None:
    async def play(bench: Bench) -> None:
        held = (await bench.offer(b"\x00")).bulletin_seq
        bench.place.number = held
        result = await bench.offer(make(bench))
        expect(why, reason(result.reason), "bulletin-result")
        expect(
            bench.place.number if why is Reason.GRANTED else held, result.bulletin_seq, "number the lock has"
        )

    CHAPTER.add(f"a bulletin {name}: {why.slug}", play)


def _altered(bench: Bench, alter: Callable[[Forge], object]) -> bytes:
    """The next bulletin, taken apart, altered and signed anew."""
    body = cbor.decode(
        cose.parse1(bench.place.news(time=bench.now()), max_size=bulletin.MAX_SIZE).payload, max_size=8192
    )
    claims = [(cbor.encode(label), cbor.encode(value)) for label, value in sorted(body.items())]
    forge = Forge(claims, bench.place.issuer.bulletin_key, cose.context("bulletin"))
    alter(forge)
    return bytes(forge)


def _malformed(name: str, alter: Callable[[Forge], object]) -> None:
    _news(name, Reason.BULLETIN_INVALID, lambda bench: _altered(bench, alter))


def _put(label: int, value: object) -> Callable[[Forge], object]:
    return lambda forge: forge.put(cbor.encode(label), cbor.encode(value))


def _setting(label: int, value: object) -> Callable[[Forge], object]:
    """Good settings with one of them changed, or left out when ``value`` is None."""
    changed: dict[int, object] = {**APARTMENT.as_map(), label: value}
    return _put(8, {key: value for key, value in changed.items() if value is not None})


_news("newer than the lock's", Reason.GRANTED, lambda b: b.place.news(time=b.now()))
_news(
    "two numbers newer", Reason.GRANTED, lambda b: b.place.news(time=b.now()) and b.place.news(time=b.now())
)
_news(
    "with the lock's own number",
    Reason.BULLETIN_OLD,
    lambda b: b.place.news(time=b.now(), number=b.place.number),
)
_news("with number 1", Reason.BULLETIN_OLD, lambda b: b.place.news(time=b.now(), number=1))
_news(
    "for another binding",
    Reason.BULLETIN_WRONG_BINDING,
    lambda b: b.place.news(time=b.now(), binding=secret("elsewhere")[:8]),
)
_news(
    "for another lock",
    Reason.BULLETIN_WRONG_BINDING,
    lambda b: b.place.news(time=b.now(), lock_id=secret("elsewhere")[:8]),
)
_news(
    "signed by the token key",
    Reason.BULLETIN_INVALID,
    lambda b: b.place.news(time=b.now(), key=b.place.issuer.token_key),
)
_news(
    "signed by a stranger under a known kid",
    Reason.BULLETIN_INVALID,
    lambda b: b.place.news(time=b.now(), key=SigningKey.from_seed(b"b1", secret("stranger"))),
)
_news(
    "signed by a stranger",
    Reason.BULLETIN_INVALID,
    lambda b: b.place.news(time=b.now(), key=SigningKey.from_seed(b"b9", secret("stranger"))),
)
_news("that is noise", Reason.BULLETIN_INVALID, lambda b: b.random(300))
_news(
    "that is empty of everything", Reason.BULLETIN_INVALID, lambda _b: b"\x84\x40\xa0\x40\x58\x40" + bytes(64)
)
_malformed("with number 0", _put(3, 0))
_malformed("with a negative number", _put(3, -1))
_malformed("with a time beyond 32 bits", _put(4, 2**32))
_malformed("without a time", lambda forge: forge.drop(b"\x04"))
_malformed("without settings", lambda forge: forge.drop(b"\x08"))
_malformed("with a key that nobody knows", lambda forge: forge.add(b"\x0c", b"\x00"))
_malformed("with a revocation of 7 bytes", _put(5, [bytes(7)]))
_malformed(
    "with revocations out of order",
    lambda forge: forge.put(b"\x05", b"\x82" + blob(b"\x02" * 8) + blob(b"\x01" * 8)),
)
_malformed("with a revocation twice", lambda forge: forge.put(b"\x05", b"\x82" + (blob(b"\x02" * 8)) * 2))
_malformed("with 257 revocations", _put(5, [number.to_bytes(8, "big") for number in range(257)]))
_malformed(
    "with 129 ended providers", lambda forge: forge.put(b"\x06", cbor.encode(dict.fromkeys(range(129), 1)))
)
_malformed("with a grp of 65536", _put(6, {65_536: 1}))
_malformed("with a relock time of 3601", _setting(2, 3601))
_malformed("with a door of kind 6", _setting(1, 6))
_malformed("with a strike held for 60001 ms", _setting(3, 60_001))
_malformed("with a consent of 2", _setting(4, 2))
_malformed("with a correction of 1001 ppm", _setting(5, 1001))
_malformed("with a last energy of 2", _setting(6, 2))
_malformed("with a last energy that is a boolean", _setting(6, True))
_malformed("with settings that lack the last energy", _setting(6, None))
_malformed("with a setting that nobody knows", _setting(7, 0))
_malformed("signed as something else", lambda forge: setattr(forge, "aad", cose.context("receipt")))
_malformed("with its keys out of order", lambda forge: forge.claims.reverse())
_malformed(
    "with a byte after its payload", lambda forge: setattr(forge, "spoil", lambda payload: payload + b"\x00")
)


def _with_secrets(bench: Bench, *, seal_to: bytes = b"", number: int = 0, binding: bytes = b"") -> bytes:
    place = bench.place
    sealed = seal.seal_adv_keys(
        (place.adv_key,),
        seal_to or place.lock.seal_public,
        binding or place.binding,
        number or place.number + 1,
    )
    return place.news(time=bench.now(), secrets=sealed)


_news(
    "with secrets sealed to another lock",
    Reason.BULLETIN_INVALID,
    lambda b: _with_secrets(b, seal_to=b.bo.public),
)
_news("with secrets sealed for another number", Reason.BULLETIN_INVALID, lambda b: _with_secrets(b, number=1))
_news(
    "with secrets sealed for another binding",
    Reason.BULLETIN_INVALID,
    lambda b: _with_secrets(b, binding=secret("elsewhere")[:8]),
)
_news(
    "with secrets that are noise",
    Reason.BULLETIN_INVALID,
    lambda b: b.place.news(time=b.now(), secrets=b.random(100)),
)
_news("with the same adv_key sealed anew", Reason.GRANTED, _with_secrets)


def _manifest(bench: Bench, *, signers: int = 2, of: Municipality | None = None) -> bytes:
    issuer = of or bench.place.issuer
    return issuer.manifest(version=issuer.version + 1, signers=signers)


_news(
    f"with {MANIFEST} of other roots",
    Reason.MANIFEST_INVALID,
    lambda b: b.place.news(time=b.now(), manifest=_manifest(b, of=Municipality("neighbour", version=5))),
)
_news(
    f"with {MANIFEST} signed by one root",
    Reason.MANIFEST_INVALID,
    lambda b: b.place.news(time=b.now(), manifest=_manifest(b, signers=1)),
)
_news(
    f"with {MANIFEST} that is noise",
    Reason.MANIFEST_INVALID,
    lambda b: b.place.news(time=b.now(), manifest=b.random(200)),
)
_news(
    f"with {MANIFEST}, a bit of it changed",
    Reason.MANIFEST_INVALID,
    lambda b: b.place.news(time=b.now(), manifest=_bit(_manifest(b))),
)
_news(
    "with the lock's own manifest inside",
    Reason.GRANTED,
    lambda b: b.place.news(time=b.now(), manifest=b.place.issuer.manifest()),
)


def _bit(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


@CHAPTER.case("a refused bulletin with a good manifest inside changes nothing", "16.1")
async def nothing_half(bench: Bench) -> None:
    """Its new token key must not be believed afterwards: taken whole or not at all."""
    new_key = SigningKey.from_seed(b"t2", secret("kit/second token"))
    good = bench.place.issuer.manifest(version=2, extra=(RoleKey(Role.TOKEN, b"t2", new_key.public),))
    stranger = SigningKey.from_seed(b"b9", secret("stranger"))
    result = await bench.offer(bench.place.news(time=bench.now(), manifest=good, key=stranger))
    expect(Reason.BULLETIN_INVALID, reason(result.reason), "bulletin-result")
    forge = bench.forge()
    forge.key, forge.header = new_key, [(b"\x01", cbor.encode(cose.EDDSA)), (b"\x04", blob(b"t2"))]
    await bench.refused(bench.request(bytes(forge)), Reason.KEY_UNKNOWN)


@CHAPTER.case("key_unknown is cured in the same session by a bulletin with the new manifest", "16.2")
async def new_token_key(bench: Bench) -> None:
    """A rotated token key: the phone brings what it takes to believe its token."""
    issuer = bench.place.issuer
    new_key = SigningKey.from_seed(b"t3", secret("kit/third token"))
    issuer.version = 3
    newer = issuer.manifest(extra=(RoleKey(Role.TOKEN, b"t3", new_key.public),))
    forge = bench.forge()
    forge.key, forge.header = new_key, [(b"\x01", cbor.encode(cose.EDDSA)), (b"\x04", blob(b"t3"))]
    async with bench.line() as line:
        decision = await bench.ask(line, bench.request(bytes(forge)))
        expect(Reason.KEY_UNKNOWN, reason(decision.reason), "m2")
        result = await bench.offer_on(line, bench.place.news(time=bench.now(), manifest=newer))
        expect(Reason.GRANTED, reason(result.reason), "bulletin-result")
        expect(Reason.GRANTED, reason((await line.decision()).reason), "second m2")
        await bench.finish(line)


@CHAPTER.case("an older manifest inside is passed over and brings no old key back", "4")
async def older_manifest(bench: Bench) -> None:
    """Version 1 has no key t3; the lock keeps version 3."""
    issuer = bench.place.issuer
    result = await bench.offer(bench.place.news(time=bench.now(), manifest=issuer.manifest(version=1)))
    expect(Reason.GRANTED, reason(result.reason), "bulletin-result")
    forge = bench.forge()
    forge.key = SigningKey.from_seed(b"t3", secret("kit/third token"))
    forge.header = [(b"\x01", cbor.encode(cose.EDDSA)), (b"\x04", blob(b"t3"))]
    await bench.granted(bench.request(bytes(forge)))
