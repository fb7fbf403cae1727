"""Break-glass over HTTP: taken with a reason, inside the own provider, told, limited, then reviewed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from server.access.models import ExtraRight, Token
from server.audit.models import AuditEntry
from server.passages.models import Deviation
from tests.server.issuer import Issuer, Phone
from tests.server.world import HOUR, NOW, SHIFT_START, make_client, make_door, make_team

TAKE = {"alarm_code": "4711", "reason": "no_answer"}


@pytest.fixture
def at_the_door(issuer: Issuer, phone: Phone) -> Iterator[Phone]:
    """Alice without a shift, signed in; her team's plan does not give her the door."""
    issuer.world.shift.delete()
    with time_machine.travel(NOW, tick=False):
        phone.sign_in()
        yield phone


def rights_in(answer: Any) -> set[str]:
    return {right["binding"] for right in answer.json()["rights"]}


def test_a_right_is_taken_at_once_and_its_keys_are_in_the_next_sync(
    issuer: Issuer, at_the_door: Phone
) -> None:
    assert rights_in(at_the_door.sync()) == set()
    answer = at_the_door.post("break-glass", TAKE)
    assert answer.status_code == 200, answer.content
    assert answer.json()["expires"] == int((NOW + HOUR).timestamp())
    synced = at_the_door.sync().json()
    assert {right["expires"] for right in synced["rights"]} == {int((NOW + HOUR).timestamp())}
    assert {door["number"] for door in synced["doors"]} == {"", "1101"}
    taken = ExtraRight.objects.get()
    assert (taken.kind, taken.given_by, taken.reason) == ("break_glass", None, "no_answer")
    deviation = Deviation.objects.get(kind="break_glass")
    assert (deviation.door, deviation.provider) == (issuer.world.apartment, issuer.world.provider)
    entry = AuditEntry.objects.get(action="access.extra_given")
    assert (entry.acting_as, entry.reason, entry.after["staff"]) == (
        "server",
        "no_answer",
        issuer.world.alice.pk,
    )


def test_the_door_may_be_named_instead_and_twice_is_once(issuer: Issuer, at_the_door: Phone) -> None:
    by_door = {"door_id": issuer.world.apartment.pk, "reason": "call_for_help"}
    first, second = at_the_door.post("break-glass", by_door), at_the_door.post("break-glass", TAKE)
    assert first.json() == second.json()
    assert ExtraRight.objects.count() == Deviation.objects.filter(kind="break_glass").count() == 1


def test_rule_08_another_providers_client_looks_like_none_at_all(issuer: Issuer, at_the_door: Phone) -> None:
    world = issuer.world
    stranger = make_door(world.property, "apartment", number="1102")
    make_client(stranger, make_team(world.municipality, "Främling AB", "Grupp 9"), "4799")
    asked: list[dict[str, Any]] = [
        {"alarm_code": "4799", "reason": "other"},
        {"alarm_code": "9999", "reason": "other"},
        {"door_id": stranger.pk, "reason": "other"},
        {"door_id": world.gate.pk, "reason": "other"},
        {"door_id": 10**9, "reason": "other"},
    ]
    answers = [at_the_door.post("break-glass", body) for body in asked]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert not ExtraRight.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"reason": "other"},
        {"alarm_code": "4711"},
        {"alarm_code": "4711", "reason": "because"},
        {"alarm_code": "4711", "reason": "borrowed"},
        {"alarm_code": "4711", "door_id": 1, "reason": "other"},
    ],
)
def test_a_reason_and_one_door_are_needed(at_the_door: Phone, body: dict[str, Any]) -> None:
    assert at_the_door.post("break-glass", body).status_code == 400


def test_where_nothing_may_be_opened_nothing_is_taken(issuer: Issuer, at_the_door: Phone) -> None:
    issuer.world.client.paused_at = NOW - HOUR
    issuer.world.client.save()
    answer = at_the_door.post("break-glass", TAKE)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_open")
    assert answer.json()["details"]["reason"] == "client_paused"
    assert not ExtraRight.objects.exists() and not Deviation.objects.exists()


def test_signing_in_comes_first(at_the_door: Phone) -> None:
    at_the_door.session = ""
    assert at_the_door.post("break-glass", TAKE).json()["code"] == "session_missing"


def test_a_person_takes_only_so_many_and_a_phone_asks_only_so_often(
    issuer: Issuer, at_the_door: Phone
) -> None:
    world = issuer.world
    for number in range(6):
        make_client(world.apartment, world.team, f"50{number}")
    codes = [
        at_the_door.post("break-glass", {"alarm_code": f"50{number}", "reason": "other"}).status_code
        for number in range(6)
    ]
    assert codes == [200] * 5 + [429]
    guesses = [
        at_the_door.post("break-glass", {"alarm_code": f"9{number}", "reason": "other"}).status_code
        for number in range(20)
    ]
    assert guesses.count(404) == 14 and guesses[-1] == 429


def test_the_right_ends_by_itself_and_leaves_no_key(issuer: Issuer, at_the_door: Phone) -> None:
    at_the_door.post("break-glass", TAKE)
    assert Token.objects.count() == 2
    with time_machine.travel(NOW + HOUR + timedelta(minutes=1), tick=False):
        assert rights_in(at_the_door.sync()) == set()
    assert SHIFT_START < NOW + HOUR
