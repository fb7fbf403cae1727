"""The independent reader reads the vectors of keys, door and handshake as the page says."""

import hashlib
from typing import Any

import pytest

from tests.protocol.independent import carried, door, noise, p256, trust
from tests.protocol.independent.bench import REFUSALS, V, each, first_manifest, raw, trusted
from tests.protocol.independent.form import MalformedError, read
from tests.protocol.vectors import files


@each("cbor", "accepted")
def test_cbor_accepted(case: dict[str, str]) -> None:
    read(raw(case["bytes"]))


@each("cbor", "refused")
def test_cbor_refused(case: dict[str, str]) -> None:
    with pytest.raises(MalformedError):
        read(raw(case["bytes"]))


@each("frames", "messages")
def test_frames(case: dict[str, Any]) -> None:
    reader = door.Frames(12_288)
    *early, last = [reader.feed(raw(one)) for one in case["frames"]]
    assert set(early) <= {None}
    assert last == (case["kind"], raw(case["message"]))
    assert all(len(raw(one)) <= min(case["mtu"] - 3, 512) for one in case["frames"])


@each("frames", "refused")
def test_frames_refused(case: dict[str, Any]) -> None:
    reader = door.Frames(512)
    for one in case["frames"][:-1]:
        reader.feed(raw(one))
    with pytest.raises(MalformedError):
        reader.feed(raw(case["frames"][-1]))


def test_adverts() -> None:
    keys = [raw(key) for key in V["keys"]["adv_keys"]]
    for case in V["advert"]["adverts"]:
        assert door.resolve(raw(case["data"]), keys) == case["key"]
        assert raw(case["scan_rsp"]) == bytes.fromhex("14ffffff") + raw(case["data"])


@each("advert", "refused")
def test_adverts_refused(case: dict[str, str]) -> None:
    with pytest.raises(MalformedError):
        door.resolve(raw(case["data"]), [])


def test_manifest() -> None:
    fields, made = V["manifest"]["fields"], first_manifest()
    assert (made.version, made.municipality.hex(), made.threshold) == (
        fields["version"],
        fields["municipality"],
        fields["threshold"],
    )
    assert [[role, kid.hex(), key.hex()] for role, kid, key in made.role_keys] == fields["role_keys"]


@each("manifest", "accepted")
def test_manifest_accepted(case: dict[str, Any]) -> None:
    assert trust.successor(raw(case["bytes"]), first_manifest()).version == case["version"]


@each("manifest", "not_newer")
def test_manifest_not_newer(case: dict[str, str]) -> None:
    held = trust.manifest(raw(case["held"]), trusted())
    assert trust.successor(raw(case["bytes"]), held) is held


@each("manifest", "refused")
def test_manifest_refused(case: dict[str, str]) -> None:
    with pytest.raises(REFUSALS):
        trust.successor(raw(case["bytes"]), first_manifest())


def test_lock_identity() -> None:
    lock_id, body = trust.identity(raw(V["lock-identity"]["bytes"]))
    fields = V["lock-identity"]["fields"]
    assert [lock_id.hex(), body[1], body[2].hex(), body[3].hex(), body[4].hex(), body[5]] == [
        fields[name]
        for name in ("lock_id", "protocol_version", "static_public", "log_public", "seal_public", "suites")
    ]


@each("lock-identity", "refused")
def test_lock_identity_refused(case: dict[str, str]) -> None:
    with pytest.raises(REFUSALS):
        trust.identity(raw(case["bytes"]))


@each("commission")
def test_commission(case: dict[str, Any]) -> None:
    held = case["held"] and (
        trust.manifest(raw(case["held"]["manifest"]), trusted()),
        carried.bulletin_form(raw(case["held"]["bulletin"])).body,
    )
    seal_private = raw(V["bulletin"]["lock_seal_private"])
    reason = trust.commission(raw(case["bytes"]), raw(V["commission"]["lock_id"]), seal_private, held)
    assert reason == case["reason"]


def test_lock_record() -> None:
    body = trust.lock_record(raw(V["lock-record"]["bytes"]), first_manifest())
    fields = V["lock-record"]["fields"]
    assert [body[2].hex(), body[4].hex(), [key.hex() for key in body[5]], body[7]] == [
        fields[name] for name in ("binding", "static_public", "adv_keys", "door_kind")
    ]


@each("lock-record", "refused")
def test_lock_record_refused(case: dict[str, str]) -> None:
    with pytest.raises(REFUSALS):
        trust.lock_record(raw(case["bytes"]), first_manifest())


def _lock() -> noise.Lock:
    said = V["handshake"]
    names = ("lock_static_private", "lock_ephemeral_private", "adv_key", "binding")
    return noise.Lock(*(raw(said[name]) for name in names))


def _phone() -> noise.Phone:
    said = V["handshake"]
    return noise.Phone(
        raw(said["phone_static_private"]),
        raw(said["phone_ephemeral_private"]),
        raw(said["adv_key"]),
        raw(said["binding"]),
        noise.public(raw(said["lock_static_private"])),
    )


def test_handshake_as_lock() -> None:
    said, lock = V["handshake"], _lock()
    assert lock.m0.hex() == said["m0"]
    phone, request, to_phone, to_lock = lock.read(raw(said["m1"]))
    assert phone == noise.public(raw(said["phone_static_private"]))
    assert request.hex() == said["request"]
    for one in said["session"]:
        if one["from"] == "lock":
            assert to_phone.seal(raw(one["plaintext"])).hex() == one["message"]
        else:
            assert to_lock.open(raw(one["message"])).hex() == one["plaintext"]


def test_handshake_as_phone() -> None:
    said = V["handshake"]
    m1, to_phone, to_lock = _phone().answer(raw(said["m0"]), raw(said["request"]))
    assert m1.hex() == said["m1"]
    for one in said["session"]:
        if one["from"] == "lock":
            assert to_phone.open(raw(one["message"])).hex() == one["plaintext"]
        else:
            assert to_lock.seal(raw(one["plaintext"])).hex() == one["message"]


@each("handshake", "refused_m1")
def test_m1_refused(case: dict[str, str]) -> None:
    with pytest.raises(noise.HandshakeError, match=case["step"]):
        _lock().read(raw(case["m1"]))


@each("handshake", "refused_m0")
def test_m0_refused(case: dict[str, str]) -> None:
    with pytest.raises(noise.HandshakeError):
        _phone().answer(raw(case["m0"]), b"request")


def _lock_of_suite_2() -> noise.Lock:
    said = V["handshake-suite2"]
    names = ("lock_static_private", "lock_ephemeral_private", "adv_key", "binding")
    return noise.Lock(*(raw(said[name]) for name in names), suite=2)


def test_handshake_of_suite_2() -> None:
    said, lock = V["handshake-suite2"], _lock_of_suite_2()
    assert lock.m0.hex() == said["m0"]
    phone, request, to_phone, to_lock = lock.read(raw(said["m1"]))
    assert phone == p256.public(raw(said["phone_private"])) == raw(said["phone_public"])
    assert hashlib.sha256(b"\x02" + phone).hexdigest()[:16] == said["phone_fingerprint"]
    assert request.hex() == said["request"]
    for one in said["session"]:
        if one["from"] == "lock":
            assert to_phone.seal(raw(one["plaintext"])).hex() == one["message"]
        else:
            assert to_lock.open(raw(one["message"])).hex() == one["plaintext"]


@each("handshake-suite2", "refused_m1")
def test_m1_of_suite_2_refused(case: dict[str, str]) -> None:
    with pytest.raises(noise.HandshakeError, match=case["step"]):
        _lock_of_suite_2().read(raw(case["m1"]))


def test_a_token_is_for_one_type_of_key() -> None:
    said = V["handshake-suite2"]
    message, public = door.token(raw(said["token"])), first_manifest().key(trust.TOKEN, b"\x10\x01")
    key = raw(said["phone_public"])
    message.verify(public, trust.aad("token", b"\x02" + key))
    with pytest.raises(trust.InvalidError):
        message.verify(public, trust.aad("token", b"\x01" + key))


@each("token", "accepted")
def test_token(case: dict[str, Any]) -> None:
    kid, claims = door.claims(raw(case["bytes"]))
    said = case["claims"]
    assert kid.hex() == case["kid"]
    assert [claims[3].hex(), claims[4], claims[5], claims[6], claims[7].hex(), claims[9], claims[-65537]] == [
        said[name] for name in ("aud", "exp", "nbf", "iat", "cti", "scope", "grp")
    ]


@each("token", "malformed")
def test_token_malformed(case: dict[str, str]) -> None:
    with pytest.raises(MalformedError):
        door.token(raw(case["bytes"]))


@each("judgement")
def test_judgement(case: dict[str, Any]) -> None:
    knows, said = case["lock"], V["judgement"]
    lock = door.Lock(
        binding=raw(said["binding"]),
        manifest=trust.manifest(raw(said["manifest"]), trusted()),
        bulletin=carried.bulletin_form(raw(knows["bulletin"])).body,
        now=knows["now"],
        certain=knows["certain"],
        openings=knows["openings"],
        busy=knows["busy"],
        battery=knows["battery"],
        known=knows["known"],
    )
    assert door.judge(lock, raw(said["holder"]), raw(case["request"])) == case["reason"]


@pytest.mark.parametrize(("part", "rule"), [("from_lock", "lock-message"), ("from_phone", "phone-message")])
def test_session_messages(part: str, rule: str) -> None:
    for case in V["session"][part]:
        assert files.plain(door.message(rule, raw(case["bytes"]))) == case["items"]
    for case in V["session"][f"refused_{part}"]:
        with pytest.raises(MalformedError):
            door.message(rule, raw(case["bytes"]))
