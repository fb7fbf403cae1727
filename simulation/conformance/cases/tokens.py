"""Tokens with one thing altered: each claim, each header, the signature, the window."""

from __future__ import annotations

from collections.abc import Callable

from protocol import cbor, cose
from protocol.keys import SigningKey
from protocol.reasons import Reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.forge import AUD, CTI, EXP, GRP, IAT, NBF, SCOPE, Forge, array, blob, table
from simulation.conformance.municipality import secret

CHAPTER = Chapter("11")
Alter = Callable[[Forge, Bench], object]
MINUTE = 60
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the prime-order group of Ed25519 (RFC 8032 section 5.1)."""


def _token(name: str, why: Reason, alter: Alter, section: str = "") -> None:
    async def play(bench: Bench) -> None:
        made = bench.forge()
        alter(made, bench)
        await bench.refused(bench.request(bytes(made)), why)

    CHAPTER.add(f"token with {name}: {why.slug}", play, section)


def _malformed(name: str, alter: Alter) -> None:
    _token(name, Reason.MALFORMED, alter)


def _set(name: str, value: object) -> Alter:
    """Set one of the forge's attributes."""
    return lambda made, _bench: setattr(made, name, value)


def _claim(label: bytes, value: bytes) -> Alter:
    return lambda made, _bench: made.put(label, value)


def _dropped(label: bytes) -> Alter:
    return lambda made, _bench: made.drop(label)


def _doubled(label: bytes) -> Alter:
    return lambda made, _bench: made.add(label, dict(made.claims)[label])


def _tagged(label: bytes) -> Alter:
    return lambda made, _bench: made.put(label, b"\xc1" + dict(made.claims)[label])


for _label, _name in (
    (AUD, "aud"),
    (EXP, "exp"),
    (NBF, "nbf"),
    (IAT, "iat"),
    (CTI, "cti"),
    (SCOPE, "scope"),
    (GRP, "grp"),
):
    _malformed(f"no {_name}", _dropped(_label))
    _malformed(f"{_name} null", _claim(_label, b"\xf6"))
    _malformed(f"{_name} as text", _claim(_label, b"\x61\x31"))
    _malformed(f"{_name} twice", _doubled(_label))
for _label, _name in ((EXP, "exp"), (NBF, "nbf"), (IAT, "iat"), (SCOPE, "scope"), (GRP, "grp")):
    _malformed(f"{_name} negative", _claim(_label, b"\x20"))
    _malformed(f"{_name} as bytes", _claim(_label, blob(b"\x01")))
    _malformed(f"{_name} as a float", _claim(_label, b"\xf9\x3c\x00"))
for _label, _name in ((EXP, "exp"), (NBF, "nbf"), (IAT, "iat")):
    _malformed(f"{_name} beyond 32 bits", _claim(_label, cbor.encode(2**32)))
    _malformed(f"{_name} tagged as a date", _tagged(_label))
for _label, _name in ((AUD, "aud"), (CTI, "cti")):
    _malformed(f"{_name} of 7 bytes", _claim(_label, blob(bytes(7))))
    _malformed(f"{_name} of 9 bytes", _claim(_label, blob(bytes(9))))
_malformed("scope 0", _claim(SCOPE, b"\x00"))
_malformed("scope 8", _claim(SCOPE, b"\x08"))
_malformed("grp 65536", _claim(GRP, cbor.encode(65_536)))
_malformed("grp in more bytes than it needs", _claim(GRP, b"\x18\x01"))
_malformed("a sub", lambda made, _bench: made.add(b"\x02", b"\x61\x61"))
_malformed("a cnf", lambda made, _bench: made.add(b"\x08", b"\xa0"))
_malformed("its claims in another order", lambda made, _bench: made.claims.reverse())
_malformed("a byte after its claims", _set("spoil", lambda payload: payload + b"\x00"))
_malformed("its last claim cut off", _set("spoil", lambda payload: payload[:-1]))
_malformed("claims of indefinite length", _set("spoil", lambda payload: b"\xbf" + payload[1:] + b"\xff"))
_malformed("an empty payload", _set("spoil", lambda _payload: b""))
_malformed("an array for claims", _set("spoil", lambda _payload: b"\x80"))

_malformed("a window of no length", lambda made, bench: made.put(EXP, cbor.encode(bench.now() - 600)))
_malformed("an end before its beginning", lambda made, bench: made.put(EXP, cbor.encode(bench.now() - 601)))
_malformed(
    "a window of 48 hours and a second",
    lambda made, bench: made.put(EXP, cbor.encode(bench.now() - 600 + 172_801)),
)
_malformed("an iat at its end", lambda made, bench: made.put(IAT, cbor.encode(bench.now() - 600 + 8 * 3600)))

_malformed(
    "an algorithm that is not EdDSA", _set("header", [(b"\x01", cbor.encode(-7)), (b"\x04", blob(b"t1"))])
)
_malformed("alg -19", _set("header", [(b"\x01", cbor.encode(-19)), (b"\x04", blob(b"t1"))]))
_malformed("no algorithm", _set("header", [(b"\x04", blob(b"t1"))]))
_malformed("no kid", _set("header", [(b"\x01", cbor.encode(cose.EDDSA))]))
_malformed("a kid of one byte", _set("header", [(b"\x01", cbor.encode(cose.EDDSA)), (b"\x04", blob(b"t"))]))
_malformed(
    "a kid of three bytes", _set("header", [(b"\x01", cbor.encode(cose.EDDSA)), (b"\x04", blob(b"t11"))])
)
_malformed("its kid as text", _set("header", [(b"\x01", cbor.encode(cose.EDDSA)), (b"\x04", b"\x62t1")]))
_malformed(
    "a content type in its header",
    _set("header", [(b"\x01", cbor.encode(cose.EDDSA)), (b"\x03", b"\x00"), (b"\x04", blob(b"t1"))]),
)
_malformed("an empty protected header", _set("protect", lambda _header: b""))
_malformed("its kid in the unprotected header too", _set("unprotected", table((b"\x04", blob(b"t1")))))
_malformed("an unprotected header that is null", _set("unprotected", b"\xf6"))
_malformed("a signature of 63 bytes", _set("sign", lambda signature: signature[:63]))
_malformed("a signature of 65 bytes", _set("sign", lambda signature: signature + b"\x00"))
_malformed("no signature", _set("outer", lambda items: array(*items[:3])))
_malformed("a fifth item", _set("outer", lambda items: array(*items, b"\x00")))
_malformed("a detached payload", _set("outer", lambda items: array(items[0], items[1], b"\xf6", items[3])))
_malformed("the tag of a COSE_Sign1", _set("outer", lambda items: b"\xd2" + array(*items)))
_malformed("an indefinite length", _set("outer", lambda items: b"\x9f" + b"".join(items) + b"\xff"))
_malformed("a length in more bytes than it needs", _set("outer", lambda items: b"\x98\x04" + b"".join(items)))
_malformed("a byte after it", _set("outer", lambda items: array(*items) + b"\x00"))


def _signed_by(key: SigningKey) -> Alter:
    def alter(made: Forge, _bench: Bench) -> None:
        made.key = key
        made.header = [(b"\x01", cbor.encode(cose.EDDSA)), (b"\x04", blob(key.kid))]

    return alter


_token(
    "a kid that nobody has",
    Reason.KEY_UNKNOWN,
    _signed_by(SigningKey.from_seed(b"t9", secret("stranger"))),
    "13",
)
_token(
    "the bulletin key's kid and signature",
    Reason.KEY_UNKNOWN,
    lambda made, bench: _signed_by(bench.place.issuer.bulletin_key)(made, bench),
    "13",
)
_token(
    "the receipt key's kid and signature",
    Reason.KEY_UNKNOWN,
    lambda made, bench: _signed_by(bench.place.issuer.receipt_key)(made, bench),
    "13",
)
_token(
    "the sealing key's kid",
    Reason.KEY_UNKNOWN,
    _signed_by(SigningKey.from_seed(b"s1", secret("stranger"))),
    "13",
)

_token("another binding", Reason.WRONG_BINDING, _claim(AUD, blob(secret("elsewhere")[:8])), "13")
_token(
    "one bit of its binding changed",
    Reason.WRONG_BINDING,
    lambda made, bench: made.put(AUD, blob(bytes([bench.place.binding[0] ^ 1]) + bench.place.binding[1:])),
    "13",
)


def _invalid(name: str, alter: Alter) -> None:
    _token(name, Reason.TOKEN_INVALID, alter, "13")


def _larger_s(signature: bytes) -> bytes:
    """The same signature with S + L in the place of S, which RFC 8032 section 5.1.7 refuses."""
    return signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")


def _other_cti(payload: bytes) -> bytes:
    at = payload.index(CTI + b"\x48") + 2
    return payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1 :]


_invalid(
    "a signature by a stranger under a known kid",
    lambda made, _bench: setattr(made, "key", SigningKey.from_seed(b"t1", secret("stranger"))),
)
_invalid("one bit of its signature changed", _set("sign", lambda one: bytes([one[0] ^ 1]) + one[1:]))
_invalid("the last bit of its signature changed", _set("sign", lambda one: one[:-1] + bytes([one[-1] ^ 1])))
_invalid("a signature of zeros", _set("sign", lambda _one: bytes(64)))
_invalid("a signature whose S is larger than the group's order", _set("sign", _larger_s))
_invalid("its cti changed after signing", _set("swap", _other_cti))
_invalid(
    "another phone's key in its signature",
    lambda made, bench: setattr(made, "aad", bytes(bench.forge(bench.bo).aad)),
)
_invalid(
    "key type 2 in its signature",
    lambda made, bench: setattr(made, "aad", cose.context("token", b"\x02" + bench.anna.public)),
)
_invalid("no key in its signature", _set("aad", cose.context("token")))
_invalid(
    "the context of a bulletin in its signature",
    lambda made, bench: setattr(made, "aad", cose.context("bulletin", b"\x01" + bench.anna.public)),
)
_invalid("an empty context in its signature", _set("aad", b""))


@CHAPTER.case("another phone's token: token_invalid", "13")
async def anothers(bench: Bench) -> None:
    """Copied whole, used from a phone with a key of its own."""
    await bench.refused(bench.request(), Reason.TOKEN_INVALID, phone=bench.bo)


def _window(name: str, begins: int, ends: int, why: Reason) -> None:
    async def play(bench: Bench) -> None:
        now = bench.now()
        token = bench.token(begins=now + begins, ends=now + ends, issued=now + min(begins, 0) - 600)
        if why is Reason.GRANTED:
            await bench.granted(bench.request(token))
        else:
            await bench.refused(bench.request(token), why)

    CHAPTER.add(f"token {name}: {why.slug}", play, "13")


_window("that begins in four minutes", 4 * MINUTE, 60 * MINUTE, Reason.GRANTED)
_window("that begins in six minutes", 6 * MINUTE, 60 * MINUTE, Reason.NOT_YET_VALID)
_window("that begins tomorrow", 24 * 60 * MINUTE, 32 * 60 * MINUTE, Reason.NOT_YET_VALID)
_window("that ended four minutes ago", -60 * MINUTE, -4 * MINUTE, Reason.GRANTED)
_window("that ended six minutes ago", -60 * MINUTE, -6 * MINUTE, Reason.EXPIRED)
_window("that ended yesterday", -32 * 60 * MINUTE, -24 * 60 * MINUTE, Reason.EXPIRED)
_window("of 48 hours", -60 * MINUTE, 47 * 60 * MINUTE, Reason.GRANTED)
