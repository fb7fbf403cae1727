"""The committed vectors are what the makers make, fit the CDDL of the page, and bind the product's code."""

from collections.abc import Callable
from typing import Any

import pytest

from protocol import (
    advert,
    bulletin,
    cbor,
    commission,
    entries,
    freshtime,
    identity,
    lockrecord,
    log,
    manifest,
    messages,
    receipt,
    seal,
    token,
)
from protocol.errors import ProtocolError, SignatureError
from protocol.framing import Reassembler
from protocol.handshake import M1Error
from protocol.keys import holder_key
from tests.protocol import page
from tests.protocol.vectors import files, make, opening, suite2, world

MANIFEST = world.MANIFEST


def vectors(name: str) -> dict[str, Any]:
    return files.load(name)


def raw(text: str) -> bytes:
    return bytes.fromhex(text)


def cases(name: str, part: str) -> list[Any]:
    return [pytest.param(one, id=one["name"]) for one in vectors(name)[part]]


@pytest.mark.parametrize("name", make.FILES)
def test_vectors_are_remade_byte_for_byte(name: str) -> None:
    assert files.path(name).read_text("utf-8") == files.text(make.FILES[name]())


def test_no_vector_file_is_left_over() -> None:
    assert {one.stem for one in files.FOLDER.glob("*.json")} == set(make.FILES)


def _well_formed() -> list[Any]:
    """(CDDL rule, bytes) of every message in the vectors that is well formed."""
    log_file, sealed, news = vectors("log"), vectors("sealed"), vectors("bulletin")
    pairs = [
        ("manifest", vectors("manifest")["manifest"]),
        ("request", vectors("session")["request"]["bytes"]),
    ]
    pairs += [("manifest", one["bytes"]) for one in vectors("manifest")["accepted"]]
    pairs += [("lock-identity", vectors("lock-identity")["bytes"])]
    pairs += [("lock-record", vectors("lock-record")["bytes"])]
    pairs += [("commission", one["bytes"]) for one in vectors("commission")["cases"][:8]]
    pairs += [
        ("token", one["bytes"]) for one in vectors("token")["accepted"] + vectors("token")["token_invalid"]
    ]
    pairs += [("setup-request", vectors("setup")["request"])]
    pairs += [("retire-order", one["bytes"]) for one in vectors("retire")["cases"][:-2]]
    pairs += [("lock-message", one["bytes"]) for one in vectors("session")["from_lock"]]
    pairs += [("phone-message", one["bytes"]) for one in vectors("session")["from_phone"]]
    pairs += [("bulletin", one["bytes"]) for one in news["cases"] if one["reason"] != "bulletin_invalid"]
    pairs += [("fresh-time", one["bytes"]) for one in vectors("fresh-time")["cases"][:-1]]
    pairs += [("receipt", one["bytes"]) for one in vectors("receipt")["cases"] if one["name"] != "cut short"]
    pairs += [("log-entry", one) for one in log_file["entries"]]
    pairs += [("known-entry", one) for one in log_file["entries"][:-1]]
    pairs += [("log-batch-signed", one["bytes"]) for one in log_file["batches"]]
    pairs += [("sealed-log", sealed["log"]["bytes"])]
    return [pytest.param(rule, data, id=f"{rule}-{n}") for n, (rule, data) in enumerate(pairs)]


@pytest.mark.parametrize(("rule", "data"), _well_formed())
def test_vectors_fit_the_cddl(rule: str, data: str) -> None:
    assert page.fits(rule, raw(data)) == []


# What the CDDL cannot say (order, sums, what a signature covers) is left to the other tests.
_BEYOND_CDDL = {
    "exp before nbf",
    "window of no length",
    "window longer than 48 hours",
    "issued when it expires",
    "claims out of order",
}


@pytest.mark.parametrize("case", cases("token", "malformed"))
def test_malformed_tokens_do_not_fit_the_cddl(case: dict[str, str]) -> None:
    assert (page.fits("token", raw(case["bytes"])) != []) == (case["name"] not in _BEYOND_CDDL)


@pytest.mark.parametrize("case", cases("session", "refused_from_lock"))
def test_refused_messages_do_not_fit_the_cddl(case: dict[str, str]) -> None:
    assert page.fits("lock-message", raw(case["bytes"]))


@pytest.mark.parametrize("case", cases("log", "refused_entries"))
def test_refused_entries(case: dict[str, str]) -> None:
    with pytest.raises(ProtocolError):
        entries.Entry.decode(raw(case["bytes"]))


@pytest.mark.parametrize("case", cases("cbor", "accepted"))
def test_cbor_accepted(case: dict[str, str]) -> None:
    data = raw(case["bytes"])
    assert cbor.encode(cbor.decode(data, max_size=1000)) == data


def _refused(name: str, part: str, read: Callable[[bytes], object]) -> list[Any]:
    return [pytest.param(raw(one["bytes"]), read, id=f"{name}: {one['name']}") for one in vectors(name)[part]]


_REFUSED = [
    *_refused("cbor", "refused", lambda data: cbor.decode(data, max_size=1000)),
    *_refused("lock-identity", "refused", identity.verify),
    *_refused("lock-record", "refused", lambda data: lockrecord.verify(data, MANIFEST)),
    *_refused("token", "malformed", token.parse),
    *_refused("session", "refused_from_lock", messages.parse_from_lock),
    *_refused("session", "refused_from_phone", messages.parse_from_phone),
    *_refused("log", "refused_batches", lambda data: log.parse(data).verify(world.LOCK.log_key)),
    *_refused("sealed", "refused_log", lambda data: seal.parse_log(data).open(world.SEALING_PRIVATE)),
    *_refused("manifest", "refused", lambda data: manifest.accept(data, MANIFEST)),
    *_refused("manifest", "refused", lambda data: manifest.accept(data, MANIFEST)),
]


@pytest.mark.parametrize(("data", "read"), _REFUSED)
def test_what_must_be_refused(data: bytes, read: Callable[[bytes], object]) -> None:
    with pytest.raises(ProtocolError):
        read(data)


@pytest.mark.parametrize("case", cases("manifest", "accepted"))
def test_manifest_accepted(case: dict[str, Any]) -> None:
    assert manifest.accept(raw(case["bytes"]), MANIFEST).version == case["version"]


@pytest.mark.parametrize("case", cases("manifest", "not_newer"))
def test_manifest_that_is_not_newer(case: dict[str, str]) -> None:
    held = manifest.verify(raw(case["held"]), world.TRUSTED)
    with pytest.raises(ProtocolError, match="not newer"):
        manifest.accept(raw(case["bytes"]), held)


@pytest.mark.parametrize("case", cases("token", "accepted"))
def test_token_accepted(case: dict[str, Any]) -> None:
    claims = token.parse(raw(case["bytes"])).verify(world.TOKEN_KEY.verify_key, world.PHONE_KEY)
    assert claims.binding.hex() == case["claims"]["aud"]
    assert [claims.expires, claims.not_before, claims.issued_at, claims.grp, claims.scope] == [
        case["claims"][name] for name in ("exp", "nbf", "iat", "grp", "scope")
    ]


@pytest.mark.parametrize("case", cases("token", "token_invalid"))
def test_token_invalid(case: dict[str, str]) -> None:
    unverified = token.parse(raw(case["bytes"]))
    with pytest.raises(SignatureError):
        unverified.verify(world.TOKEN_KEY.verify_key, world.PHONE_KEY)


@pytest.mark.parametrize("case", cases("frames", "messages"))
def test_frames_come_together(case: dict[str, Any]) -> None:
    reader = Reassembler(2000)
    got = [reader.feed(raw(one)) for one in case["frames"]]
    assert got[:-1] == [None] * (len(got) - 1)
    assert got[-1] is not None and (got[-1].kind, got[-1].body.hex()) == (case["kind"], case["message"])


@pytest.mark.parametrize("case", cases("frames", "refused"))
def test_frames_refused_at_the_last(case: dict[str, Any]) -> None:
    reader = Reassembler(512)
    for one in case["frames"][:-1]:
        reader.feed(raw(one))
    with pytest.raises(ProtocolError):
        reader.feed(raw(case["frames"][-1]))


@pytest.mark.parametrize("case", cases("advert", "refused"))
def test_adverts_refused(case: dict[str, str]) -> None:
    with pytest.raises(ProtocolError):
        advert.parse(raw(case["data"]))


def test_adverts_resolve() -> None:
    keys = (world.ADV_KEY, world.NEXT_ADV_KEY)
    resolver = advert.Resolver((world.BINDING, key) for key in keys)
    for one in vectors("advert")["adverts"]:
        expected = None if one["key"] is None else (world.BINDING, keys[one["key"]])
        assert resolver.resolve(advert.parse(raw(one["data"]))) == expected


@pytest.mark.parametrize("case", cases("handshake", "refused_m1"))
def test_m1_refused_at_its_step(case: dict[str, str]) -> None:
    with pytest.raises(M1Error) as refused:
        opening.lock_side().read_m1(raw(case["m1"]))
    assert refused.value.step.value == case["step"]


@pytest.mark.parametrize("case", cases("handshake", "refused_m0"))
def test_m0_refused(case: dict[str, str]) -> None:
    with pytest.raises(ProtocolError):
        opening.phone_side().answer(raw(case["m0"]), b"request")


@pytest.mark.parametrize("case", cases("handshake-suite2", "refused_m1"))
def test_m1_of_suite_2_refused_at_its_step(case: dict[str, str]) -> None:
    with pytest.raises(M1Error) as refused:
        suite2.lock_side().read_m1(raw(case["m1"]))
    assert refused.value.step.value == case["step"]


@pytest.mark.parametrize("case", cases("handshake-suite2", "refused_m0"))
def test_m0_of_suite_2_refused(case: dict[str, str]) -> None:
    with pytest.raises(ProtocolError):
        suite2.phone_side().answer(raw(case["m0"]), b"request")


@pytest.mark.parametrize("case", cases("handshake-suite2", "refused_keys")[1:])
def test_keys_that_are_no_points(case: dict[str, str]) -> None:
    """But for the first: that is a point too, and another key."""
    with pytest.raises(ProtocolError):
        holder_key(2, raw(case["public"]))


@pytest.mark.parametrize("case", cases("commission", "cases"))
def test_commission_judged(case: dict[str, Any]) -> None:
    held = case["held"]
    try:
        package = commission.verify(raw(case["bytes"]))
    except ProtocolError:
        assert case["reason"] == "commission_invalid"
        return
    reason = commission.judge(
        package,
        lock_id=world.LOCK.lock_id,
        held=held and manifest.verify(raw(held["manifest"]), world.TRUSTED),
        newest=held and bulletin.parse(raw(held["bulletin"])).body,
    )
    news, slug = package.bulletin, reason.slug
    try:
        seal.open_adv_keys(news.secrets or b"", world.LOCK_SEAL, news.binding, news.seq)
    except ProtocolError:
        slug = "commission_wrong_lock"
    assert slug == case["reason"]


def test_sealed_batch_opens() -> None:
    case = vectors("sealed")["log"]
    sealed = seal.parse_log(raw(case["bytes"]))
    assert (sealed.kid.hex(), sealed.open(world.SEALING_PRIVATE).hex()) == (case["kid"], case["batch"])


def test_sealed_secrets_open() -> None:
    case = vectors("sealed")["secrets"]
    keys = seal.open_adv_keys(raw(case["bytes"]), world.LOCK_SEAL, raw(case["binding"]), case["seq"])
    assert keys == (world.ADV_KEY, world.NEXT_ADV_KEY)


@pytest.mark.parametrize("case", cases("receipt", "cases"))
def test_receipt_read(case: dict[str, str]) -> None:
    if case["name"] in ("forged", "signed by the bulletin key", "cut short"):
        with pytest.raises(ProtocolError):
            receipt.verify(raw(case["bytes"]), MANIFEST)
    else:
        assert receipt.verify(raw(case["bytes"]), MANIFEST).time == world.NOW


@pytest.mark.parametrize("case", cases("fresh-time", "cases"))
def test_fresh_time_read(case: dict[str, str]) -> None:
    if case["reason"] == "time_invalid":
        with pytest.raises(ProtocolError):
            freshtime.verify(raw(case["bytes"]), MANIFEST)
    else:
        freshtime.verify(raw(case["bytes"]), MANIFEST)
