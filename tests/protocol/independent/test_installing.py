"""The independent reader reads labels, setup and the end of a binding as the page says."""

from typing import Any

import pytest

from tests.protocol.independent import installing, noise, trust
from tests.protocol.independent.bench import V, each, first_manifest, raw
from tests.protocol.independent.form import MalformedError, shaped

SAID = V["setup"]
LABEL = {name: raw(SAID["label"][name]) for name in ("lock_id", "code", "setup_key")}


def test_a_label_is_made_from_the_seal_key() -> None:
    assert installing.label(LABEL["lock_id"], raw(SAID["lock_seal_private"])) == SAID["label"]["text"]
    assert installing.setup_key(LABEL["lock_id"], LABEL["code"]) == LABEL["setup_key"]


@pytest.mark.parametrize("text", [SAID["label"]["text"], *SAID["read_alike"]])
def test_labels(text: str) -> None:
    assert installing.read_label(text) == (LABEL["lock_id"], LABEL["code"])


@each("setup", "refused")
def test_labels_refused(case: dict[str, str]) -> None:
    with pytest.raises(MalformedError):
        installing.read_label(case["text"])


def test_the_handshake_of_setup() -> None:
    hello, private = raw(SAID["hello"]), V["handshake"]
    lock_id, body = trust.identity(hello[48:])
    assert lock_id == LABEL["lock_id"]
    lock = noise.Lock(
        raw(private["lock_static_private"]),
        raw(private["lock_ephemeral_private"]),
        LABEL["setup_key"],
        lock_id,
    )
    assert lock.m0 == hello[:48]
    assert body[2] == noise.public(raw(private["lock_static_private"]))
    _, request, to_phone, _ = lock.read(raw(SAID["m1"]))
    assert request == raw(SAID["request"])
    shaped("setup-request", request)
    assert to_phone.seal(raw(SAID["m2"]["plaintext"])) == raw(SAID["m2"]["message"])


@each("setup", "malformed")
def test_setup_requests_refused(case: dict[str, str]) -> None:
    with pytest.raises(MalformedError):
        shaped("setup-request", raw(case["request"]))


@each("retire")
def test_orders(case: dict[str, Any]) -> None:
    said = V["retire"]
    reason = installing.retired(
        raw(case["bytes"]), raw(said["lock_id"]), raw(said["binding"]), first_manifest()
    )
    assert reason == case["reason"]
