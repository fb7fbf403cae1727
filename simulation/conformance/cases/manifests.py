"""Manifests, receipts and the outer form of bulletins, one field altered at a time and signed by who may."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol import bulletin, cbor, cose, manifest
from protocol.keys import SigningKey, x25519_public
from protocol.log import Batch
from protocol.manifest import Role
from protocol.reasons import Reason, reason
from simulation.conformance.bench import Bench
from simulation.conformance.case import Chapter
from simulation.conformance.cases.logs import carried, everything
from simulation.conformance.forge import Forge, blob
from simulation.conformance.municipality import secret
from simulation.conformance.verdict import DeviationError, expect

CHAPTER = Chapter("4")
Body = dict[int, Any]
_OTHER_KEY = SigningKey.from_seed(b"x1", secret("kit/manifests/other")).public


# -- manifests -------------------------------------------------------------------------------------------


def _signed(bench: Bench, alter: Callable[[Body], object], kid: Callable[[bytes], bytes]) -> bytes:
    """The next manifest with its body altered, signed by two roots under what `kid` makes of their ids."""
    issuer = bench.place.issuer
    good = cose.parse(issuer.manifest(version=issuer.version + 1), max_size=manifest.MAX_SIZE)
    body = cbor.decode(good.payload, max_size=manifest.MAX_SIZE)
    alter(body)
    payload, signatures = cbor.encode(body), []
    for root in sorted(issuer.roots[:2], key=lambda key: key.kid):
        protected = cbor.encode({1: cose.EDDSA, 4: kid(root.kid)})
        structure = cbor.encode(["Signature", b"", protected, cose.context("manifest"), payload])
        signatures.append([protected, {}, root.sign(structure)])
    return cbor.encode([b"", {}, payload, signatures])


def _same(kid: bytes) -> bytes:
    return kid


def _manifest(name: str, alter: Callable[[Body], object], kid: Callable[[bytes], bytes] = _same) -> None:
    async def play(bench: Bench) -> None:
        brought = _signed(bench, alter, kid)
        result = await bench.offer(bench.place.news(time=bench.now(), manifest=brought))
        expect(Reason.MANIFEST_INVALID, reason(result.reason), "bulletin-result")

    CHAPTER.add(f"a manifest {name}: manifest_invalid", play)


def _field(label: int, value: object) -> Callable[[Body], object]:
    return lambda body: body.update({label: value})


def _keys(make: Callable[[list[Any]], list[Any]]) -> Callable[[Body], object]:
    """Role keys made of the good ones, in their order."""
    return lambda body: body.update({6: make(body[6])})


def _sorted(*more: list[Any]) -> Callable[[Body], object]:
    return _keys(lambda keys: sorted([*keys, *more]))


for _name, _label, _value in (
    ("of version 0", 1, 0),
    ("with a version beyond 32 bits", 1, 2**32),
    ("of a municipality of 7 bytes", 2, bytes(7)),
    ("of another municipality, signed by these roots", 2, secret("neighbour")[:8]),
    ("with a time as text", 3, "now"),
    ("with a negative time", 3, -1),
    ("with no roots", 4, []),
    ("with a root of 31 bytes", 4, [bytes(31)]),
    ("with a threshold of 0", 5, 0),
    ("with a threshold beyond its roots", 5, 4),
    ("with no role keys", 6, []),
    ("with a key that nobody knows", 7, 0),
):
    _manifest(_name, _field(_label, _value))

_manifest("with its roots out of order", lambda body: body[4].reverse())
_manifest("with a root twice", lambda body: body.update({4: sorted([body[4][0], *body[4]])}))
_manifest("without a time", lambda body: body.pop(3))
_manifest("with its role keys out of order", _keys(lambda keys: keys[::-1]))
_manifest("with a role 6", _sorted([6, b"x1", _OTHER_KEY]))
_manifest("with a role key's id of 3 bytes", _sorted([Role.TOKEN, b"x12", _OTHER_KEY]))
_manifest("with a role key of 31 bytes", _sorted([Role.TOKEN, b"x1", _OTHER_KEY[:31]]))
_manifest("with one id for two keys of a role", _sorted([Role.TOKEN, b"t1", _OTHER_KEY]))
_manifest(
    "with one key in two roles", _keys(lambda keys: sorted([*keys, [Role.FIRMWARE, b"x1", keys[0][2]]]))
)
_manifest("with two sealing keys", _sorted([Role.SEALING, b"x1", x25519_public(secret("kit/other seal"))]))
_manifest("with no sealing key", _keys(lambda keys: [key for key in keys if key[0] != Role.SEALING]))
_manifest("signed under key ids of 7 bytes", lambda body: None, lambda kid: kid[:7])
_manifest("signed twice under one key id", lambda body: None, lambda _kid: b"\x00" * 8)


# -- the outer form of a bulletin ------------------------------------------------------------------------


def _form(name: str, alter: Callable[[Forge], object]) -> None:
    async def play(bench: Bench) -> None:
        good = cose.parse1(bench.place.news(time=bench.now()), max_size=bulletin.MAX_SIZE)
        body = cbor.decode(good.payload, max_size=bulletin.MAX_SIZE)
        claims = [(cbor.encode(label), cbor.encode(value)) for label, value in sorted(body.items())]
        forge = Forge(claims, bench.place.issuer.bulletin_key, cose.context("bulletin"))
        alter(forge)
        result = await bench.offer(bytes(forge))
        expect(Reason.BULLETIN_INVALID, reason(result.reason), "bulletin-result")

    CHAPTER.add(f"a bulletin {name}: bulletin_invalid", play, "3.2")


def _header(*pairs: tuple[bytes, bytes]) -> Callable[[Forge], object]:
    return lambda forge: setattr(forge, "header", list(pairs))


_EDDSA = (b"\x01", cbor.encode(cose.EDDSA))
_form("with alg -19", _header((b"\x01", cbor.encode(-19)), (b"\x04", blob(b"b1"))))
_form("with a kid of one byte", _header(_EDDSA, (b"\x04", blob(b"b"))))
_form("with no kid", _header(_EDDSA))
_form(
    "with something in its unprotected header", lambda forge: setattr(forge, "unprotected", b"\xa1\x01\x00")
)
_form("with a signature of 63 bytes", lambda forge: setattr(forge, "sign", lambda signature: signature[:63]))
_form("with a not-before as text", lambda forge: forge.put(b"\x07", cbor.encode("never")))
_form("with a not-before beyond 32 bits", lambda forge: forge.put(b"\x07", cbor.encode(2**32)))
_form("with a receipt that is null", lambda forge: forge.add(b"\x0a", cbor.encode(None)))
_form("with a receipt of 193 bytes", lambda forge: forge.add(b"\x0a", blob(bytes(193))))
_form("with empty secrets", lambda forge: forge.add(b"\x0b", blob(b"")))


# -- receipts --------------------------------------------------------------------------------------------


def _receipt(name: str, make: Callable[[Bench, Batch], list[Any]]) -> None:
    async def play(bench: Bench) -> None:
        await everything(bench)
        batch = await carried(bench)
        payload = cbor.encode(make(bench, batch))
        signed = cose.sign1(payload, bench.place.issuer.receipt_key, cose.context("receipt"))
        result = await bench.offer(bench.place.news(time=bench.now(), receipt=signed))
        expect(Reason.GRANTED, reason(result.reason), "bulletin-result")
        if (await carried(bench)).first > batch.first:
            raise DeviationError("entries were freed")

    CHAPTER.add(f"a receipt {name} frees nothing", play, "18.5")


_receipt("for another lock", lambda b, one: [bytes(8), one.epoch, one.last, one.h_end, b.now()])
_receipt("of another epoch", lambda b, one: [one.lock_id, one.epoch + 1, one.last, one.h_end, b.now()])
_receipt("for an entry to come", lambda b, one: [one.lock_id, one.epoch, one.last + 900, one.h_end, b.now()])
_receipt(
    "with a hash of 31 bytes", lambda b, one: [one.lock_id, one.epoch, one.last, one.h_end[:31], b.now()]
)
_receipt("with a negative time", lambda b, one: [one.lock_id, one.epoch, one.last, one.h_end, -1])
_receipt("without its time", lambda b, one: [one.lock_id, one.epoch, one.last, one.h_end])
