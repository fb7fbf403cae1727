"""Enrolment and info over HTTP: a code is good once, for a quarter of an hour, for one person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Http

from protocol import manifest
from protocol.keys import x25519_public
from protocol.manifest import RootSet
from server.access.domain.issue import issue_for_bearer
from server.access.models import Token
from server.people.domain.enrolment import hash_device_token, make_enrolment_code
from server.people.models import Bearer, EnrolmentCode, Phone
from server.tenancy.models import Manifest, Municipality
from tests.server.issuer import Issuer, b64, give_sign_in, private_key, unb64
from tests.server.issuer import Phone as HttpPhone
from tests.server.world import NOW, make_staff


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def body(code: str, key: bytes | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "bearer_key": b64(key or x25519_public(private_key())),
        "key_type": 1,
        "app_version": "1.0.0",
        "phone_model": "Pixel 9",
        **changes,
    }


@pytest.fixture
def code(issuer: Issuer) -> str:
    return make_enrolment_code(staff=issuer.world.alice)[1]


def enrol(client: Http, sent: dict[str, Any], token: str = "") -> Any:
    return HttpPhone(client, token).post("enrol", sent)


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_code_turns_a_phone_into_a_bearer(issuer: Issuer, client: Http, code: str) -> None:
    give_sign_in(issuer.world.alice, "alice")
    private = private_key()
    answer = enrol(client, body(code, x25519_public(private)))
    assert answer.status_code == 200, answer.content
    given = answer.json()
    bearer = Bearer.objects.get(pk=given["bearer_id"])
    assert (bearer.staff, bytes(bearer.public_key)) == (issuer.world.alice, x25519_public(private))
    assert bytes(bearer.phone.device_token_hash) == hash_device_token(given["device_token"])
    assert (given["staff_name"], given["username"]) == ("Alice Andersson", "alice")
    assert (given["provider_name"], given["municipality_name"]) == ("Hemtjänst Norr", "Testköping")
    roots = RootSet(tuple(unb64(key) for key in given["roots"]), given["root_threshold"])
    assert manifest.verify(unb64(given["manifest"]), roots) == issuer.manifest
    assert EnrolmentCode.objects.get().used_by == bearer


def test_lower_case_and_spaces_do_not_matter(client: Http, code: str) -> None:
    assert enrol(client, body(f" {code.lower().replace('-', ' ')} ")).status_code == 200


def test_a_used_code_is_refused(client: Http, code: str) -> None:
    enrol(client, body(code))
    assert refusal(enrol(client, body(code))) == (409, "code_used")
    assert Phone.unscoped.count() == 2


def test_an_expired_code_is_refused(client: Http, code: str, monday_morning: Any) -> None:
    monday_morning.shift(timedelta(minutes=15))
    assert refusal(enrol(client, body(code))) == (410, "code_expired")


def test_an_unknown_code_is_refused(issuer: Issuer, client: Http) -> None:
    assert refusal(enrol(client, body("ABCD-EFGH-JKMN"))) == (404, "code_unknown")


def test_a_new_code_kills_the_persons_earlier_one(
    issuer: Issuer, client: Http, code: str, monday_morning: Any
) -> None:
    monday_morning.shift(1)
    newer = make_enrolment_code(staff=issuer.world.alice)[1]
    assert refusal(enrol(client, body(code))) == (410, "code_expired")
    assert enrol(client, body(newer)).status_code == 200


def test_too_old_an_app_is_refused_and_the_code_stays_good(client: Http, code: str) -> None:
    assert refusal(enrol(client, body(code, app_version="0.9.0"))) == (426, "app_too_old")
    assert enrol(client, body(code)).status_code == 200


@pytest.mark.parametrize(
    ("key", "key_type"),
    [
        (b"\0" * 32, 1),
        (b"\x01" + b"\0" * 31, 1),
        (b"\x04" * 33, 2),
        (b"\x02" + b"\xff" * 32, 2),
        (b"\x02" * 32, 2),
        (b"\x02" * 33, 1),
        (b"k" * 32, 9),
    ],
)
def test_a_key_nobody_can_use_is_refused(client: Http, code: str, key: bytes, key_type: int) -> None:
    assert refusal(enrol(client, body(code, key, key_type=key_type))) == (400, "key_unusable")


def test_a_key_is_enrolled_once(issuer: Issuer, client: Http, code: str) -> None:
    key = bytes(issuer.world.bearer.public_key)
    assert refusal(enrol(client, body(code, key))) == (409, "key_in_use")
    assert EnrolmentCode.objects.get().used_at is None


def test_a_pool_phone_takes_a_second_person_and_keeps_its_token(issuer: Issuer, client: Http) -> None:
    bert = make_staff(issuer.world.team, "Bert Berg")
    first = enrol(client, body(make_enrolment_code(staff=issuer.world.alice, for_pool_phone=True)[1])).json()
    second = enrol(
        client, body(make_enrolment_code(staff=bert, for_pool_phone=True)[1]), first["device_token"]
    ).json()
    assert (second["phone_id"], second["device_token"]) == (first["phone_id"], first["device_token"])
    assert second["bearer_id"] != first["bearer_id"]


def test_the_same_person_again_on_a_pool_phone_loses_the_earlier_key(issuer: Issuer, client: Http) -> None:
    def again(token: str = "") -> dict[str, Any]:
        code = make_enrolment_code(staff=issuer.world.alice, for_pool_phone=True)[1]
        given: dict[str, Any] = enrol(client, body(code), token).json()
        return given

    first = again()
    issue_for_bearer(bearer=Bearer.objects.get(pk=first["bearer_id"]), at=NOW)
    second = again(first["device_token"])
    assert second["phone_id"] == first["phone_id"]
    assert Bearer.objects.get(pk=first["bearer_id"]).revoked_at == NOW
    lost = Token.objects.filter(bearer=first["bearer_id"])
    assert [token.revoked_at for token in lost] == [NOW, NOW]


def test_a_municipality_without_keys_enrols_nobody(issuer: Issuer, client: Http, code: str) -> None:
    Manifest.unscoped.all().delete()
    assert refusal(enrol(client, body(code))) == (503, "keys_missing")
    assert EnrolmentCode.objects.get().used_at is None


def test_a_personal_phone_never_takes_a_second_person(issuer: Issuer, client: Http, code: str) -> None:
    bert = make_staff(issuer.world.team, "Bert Berg")
    first = enrol(client, body(code)).json()
    second = enrol(client, body(make_enrolment_code(staff=bert)[1]), first["device_token"]).json()
    assert second["phone_id"] != first["phone_id"]


@pytest.mark.parametrize(
    "changes",
    [
        {"code": ""},
        {"code": "A" * 25},
        {"bearer_key": "!!!"},
        {"bearer_key": b64(b"short")},
        {"bearer_key": b64(b"k" * 32) + "="},
        {"app_version": "1"},
        {"key_type": "x"},
        {"phone_model": "P" * 81},
        {"phone_model": "\0"},
        {"phone_model": None},
    ],
)
def test_malformed_requests_are_refused_in_words(client: Http, code: str, changes: dict[str, Any]) -> None:
    answer = enrol(client, {**body(code), **changes})
    assert refusal(answer) == (400, "invalid")
    assert set(answer.json()["details"]["fields"]) == set(changes)


@pytest.mark.parametrize("sent", ["{", "[]", "7", '{"code": "\\ud800"}', "[" * 5000])
def test_junk_is_refused(issuer: Issuer, client: Http, sent: str) -> None:
    answer = client.post("/api/v1/enrol", sent, content_type="application/json")
    assert refusal(answer) == (400, "invalid")


def test_guessing_is_slowed(issuer: Issuer, client: Http) -> None:
    answers = [enrol(client, body("ABCD-EFGH-JKMN")).status_code for _number in range(31)]
    assert (answers[0], answers[-1]) == (404, 429)


def test_an_address_of_ones_own_making_does_not_escape_the_slowing(issuer: Issuer, client: Http) -> None:
    answers = []
    for number in range(31):
        forged = {"X-Forwarded-For": f"10.0.0.{number}"}
        answer = client.post("/api/v1/enrol", body("X"), content_type="application/json", headers=forged)
        answers.append(answer.status_code)
    assert (answers[0], answers[-1]) == (404, 429)


def test_info_tells_what_a_phone_must_know_first(issuer: Issuer, client: Http) -> None:
    answer = client.get("/api/v1/info").json()
    assert answer == {
        "municipality": {"name": "Testköping", "slug": "testköping"},
        "api": "v1",
        "minimum_app_version": "1.0.0",
        "server_time": int(NOW.timestamp()),
        "root_fingerprint": issuer.manifest.roots.fingerprint.hex(),
        "key_types": [1, 2],
    }


def test_info_without_any_municipality(db: None, client: Http) -> None:
    assert not Municipality.objects.exists()
    assert refusal(client.get("/api/v1/info")) == (404, "municipality_unknown")


def test_a_name_no_municipality_can_have_is_unknown(issuer: Issuer, client: Http) -> None:
    """In the API's own form, also for what a database cannot compare."""
    for name in ("%00", "%00%00lindvik", "a" * 500):
        answer = client.get(f"/api/v1/info?municipality={name}")
        assert refusal(answer) == (404, "municipality_unknown")
