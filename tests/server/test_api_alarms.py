"""Alarms over HTTP: raised by a system, answered by phones, shown in sync; of several at once one wins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Http
from django_scopes import scope

from server.access.models import ExtraRight
from server.alarms.domain import answering
from server.alarms.domain.ending import end
from server.alarms.domain.systems import connect, disconnect
from server.alarms.models import Alarm, AlarmCall, AlarmSystem
from server.people.models import StaffMember, User
from server.problems import Problem
from tests.server.alarmworld import AT, answers, on_duty, raised, respond
from tests.server.issuer import Issuer, Phone
from tests.server.test_concurrency import at_once
from tests.server.test_concurrency import issuer as committed_issuer
from tests.server.world import HOUR, World

MINUTE = timedelta(minutes=1)

committed = committed_issuer


class System:
    """An alarm system's HTTP side."""

    def __init__(self, http: Http, token: str) -> None:
        self.http, self.token = http, token

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"AlarmSystem {self.token}"} if self.token else {}

    def post(self, path: str, body: Any) -> Any:
        return self.http.post(
            f"/api/v1/{path}", body, content_type="application/json", headers=self._headers()
        )

    def get(self, path: str) -> Any:
        return self.http.get(f"/api/v1/{path}", headers=self._headers())

    def call(self, external_id: str = "larm-1", **fields: Any) -> Any:
        return self.post("alarms", {"alarm_code": "4711", "external_id": external_id, **fields})


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def world(issuer: Issuer) -> World:
    respond(issuer.world.team)
    return issuer.world


def connected(world: World, name: str = "Larmcentralen") -> tuple[AlarmSystem, str]:
    actor, _ = User.objects.get_or_create(username=f"petra-{world.municipality.pk}")
    return connect(municipality=world.municipality, name=name, actor=actor)


@pytest.fixture
def system(world: World, client: Http) -> System:
    return System(client, connected(world)[1])


# --- alarm systems


def test_a_system_raises_follows_and_ends_an_alarm(world: World, system: System) -> None:
    first = system.call()
    assert first.status_code == 201
    said = first.json()
    assert (said["state"], said["offered_to"], said["raised_at"]) == ("raised", 1, "2026-11-23T09:00:00Z")
    answering.take(alarm_id=said["id"], staff=world.alice, at=AT)
    assert system.get(f"alarms/{said['id']}").json()["state"] == "taken"
    ended = system.post(f"alarms/{said['id']}/end", {"why": "false_alarm"})
    assert (ended.json()["state"], ended.json()["why"]) == ("ended", "false_alarm")
    assert ExtraRight.objects.get().withdrawn_at == AT
    assert system.post(f"alarms/{said['id']}/end", {}).json()["why"] == "false_alarm"


def test_nobodys_name_goes_to_the_system(world: World, system: System) -> None:
    alarm = system.call().json()["id"]
    answering.take(alarm_id=alarm, staff=world.alice, at=AT)
    assert "Alice" not in system.get(f"alarms/{alarm}").content.decode()


def test_the_same_call_again_is_the_same_alarm(world: World, system: System) -> None:
    first, again = system.call(), system.call()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    another = system.call("larm-2")
    assert (another.status_code, another.json()["id"]) == (200, first.json()["id"])
    assert (Alarm.objects.count(), AlarmCall.objects.count()) == (1, 2)
    system.post(f"alarms/{first.json()['id']}/end", {})
    late = system.call("larm-2")
    assert (late.status_code, late.json()["state"]) == (200, "ended"), "a repeated call begins nothing anew"
    assert system.call("larm-3").status_code == 201


def test_an_id_stays_with_its_client(world: World, system: System) -> None:
    system.call()
    other = type(world.client).objects.create(municipality=world.municipality, alarm_code="5555")
    answer = system.call(alarm_code=other.alarm_code)
    assert (answer.status_code, answer.json()["code"]) == (409, "external_id_taken")


def test_the_time_of_the_button_counts_within_reason(world: World, system: System) -> None:
    pressed = (AT - 3 * MINUTE).isoformat()
    assert system.call(raised_at=pressed).json()["raised_at"] == "2026-11-23T08:57:00Z"
    for unlikely in (AT - 2 * HOUR, AT + HOUR):
        answer = system.call("larm-9", raised_at=unlikely.isoformat())
        assert (answer.status_code, answer.json()["code"]) == (400, "alarm_time_unlikely")
    system.post(f"alarms/{Alarm.objects.get().pk}/end", {})
    ahead = system.call("larm-10", raised_at=(AT + MINUTE).isoformat())
    assert ahead.json()["raised_at"] == "2026-11-23T09:00:00Z", "never in the future"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"alarm_code": "4711"},
        {"alarm_code": "4711", "external_id": ""},
        {"alarm_code": "47\x0011", "external_id": "a"},
        {"alarm_code": "4711", "external_id": "a", "raised_at": "nyss"},
    ],
)
def test_what_cannot_be_read_is_refused(system: System, body: Any) -> None:
    answer = system.post("alarms", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert not Alarm.objects.exists()


def test_an_unknown_code_is_said_to_be(system: System) -> None:
    answer = system.call(alarm_code="9999")
    assert (answer.status_code, answer.json()["code"]) == (404, "alarm_code_unknown")


def test_no_key_an_unknown_key_and_a_revoked_key_are_all_refused(world: World, client: Http) -> None:
    row, token = connected(world)
    disconnect(system=row, at=AT, actor=User.objects.create_user("p"))
    for key in ("", "okänd", token):
        answer = System(client, key.encode().decode("latin-1")).call()
        assert (answer.status_code, answer.json()["code"]) == (401, "system_unknown")


def test_rule_08_a_system_sees_its_own_calls_only(
    world: World, system: System, client: Http, other_issuer: Issuer
) -> None:
    by_hand = raised(world)
    neighbour = System(client, connected(other_issuer.world, "Grannens")[1])
    colleague = System(client, connected(world, "En till")[1])
    for stranger in (neighbour, colleague, system):
        assert stranger.get(f"alarms/{by_hand.pk}").status_code == 404
        assert stranger.post(f"alarms/{by_hand.pk}/end", {}).status_code == 404
    assert system.call().status_code == 200
    assert system.get(f"alarms/{by_hand.pk}").status_code == 200
    with scope(municipality=other_issuer.municipality):
        respond(other_issuer.world.team)
    mine = neighbour.call().json()["id"]
    assert system.get(f"alarms/{mine}").status_code == 404


def test_a_phone_is_no_alarm_system_and_the_other_way_round(
    world: World, system: System, phone: Phone
) -> None:
    phone.sign_in()
    assert phone.post("alarms", {"alarm_code": "4711", "external_id": "a"}).status_code == 401
    alarm = raised(world)
    assert system.post(f"alarms/{alarm.pk}/take", {}).status_code == 401


def test_use_is_noted(world: World, system: System) -> None:
    system.call()
    assert AlarmSystem.objects.get().last_used_at == AT


# --- phones


def alarms_of(phone: Phone) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = phone.sync().json()["alarms"]
    return found


def test_a_phone_is_offered_an_alarm_takes_it_and_gets_the_doors(world: World, phone: Phone) -> None:
    phone.sign_in()
    alarm = raised(world)
    answer = phone.sync().json()
    (offered,) = answer["alarms"]
    assert offered == {
        "id": alarm.pk,
        "alarm_code": "4711",
        "door_ids": [world.gate.pk, world.apartment.pk],
        "state": "offered",
        "raised_at": int(AT.timestamp()),
        "respond_by": int(AT.timestamp()) + 45,
        "expires": int((AT + 12 * HOUR).timestamp()),
    }
    assert {world.gate.pk, world.apartment.pk} <= {door["id"] for door in answer["doors"]}
    taken = phone.post(f"alarms/{alarm.pk}/take", {})
    expires = int((AT + 30 * MINUTE).timestamp())
    assert taken.json() == {"id": alarm.pk, "state": "taken", "expires": expires}
    (mine,) = alarms_of(phone)
    assert (mine["state"], mine["expires"]) == ("taken", expires)
    brought = phone.sync().json()["rights"]
    assert {right["expires"] for right in brought} >= {expires}


def test_an_alarm_outside_the_shifts_doors_brings_door_and_right(world: World, phone: Phone) -> None:
    phone.sign_in()
    world.assignment.delete()
    type(world.assignment).objects.all().delete()
    world.team.alarm_team.reach = "all"
    world.team.alarm_team.save()
    assert phone.sync().json()["rights"] == []
    alarm = raised(world)
    phone.post(f"alarms/{alarm.pk}/take", {})
    answer = phone.sync().json()
    assert len(answer["rights"]) == 2
    answering.hand_over(alarm_id=alarm.pk, staff=world.alice, at=AT + MINUTE)
    after = phone.sync(answer["cursor"]).json()
    assert (after["alarms"], len(after["removed_rights"])) == ([], 2)
    assert len(after["removed_doors"]) == 2


def test_a_phone_declines_and_hands_over(world: World, phone: Phone) -> None:
    phone.sign_in()
    on_duty(world.team, "Bertil")
    alarm = raised(world)
    assert phone.post(f"alarms/{alarm.pk}/decline", {}).json()["state"] == "passed"
    assert alarms_of(phone) == []
    assert phone.post(f"alarms/{alarm.pk}/take", {}).status_code == 200
    assert phone.post(f"alarms/{alarm.pk}/hand-over", {}).json() == {
        "id": alarm.pk,
        "state": "passed",
        "expires": None,
    }
    assert answers(alarm) == {"Alice Andersson": "handed_over", "Bertil": ""}


def test_too_late_is_told_apart(world: World, phone: Phone) -> None:
    phone.sign_in()
    bertil = on_duty(world.team, "Bertil")
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=bertil, at=AT)
    answer = phone.post(f"alarms/{alarm.pk}/take", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "alarm_taken")
    Alarm.objects.filter(pk=alarm.pk).update(state="ended", why="handled", ended_at=AT)
    answer = phone.post(f"alarms/{alarm.pk}/take", {})
    assert (answer.status_code, answer.json()["code"]) == (410, "alarm_ended")
    for nobodys in (alarm.pk + 1, 2**63, 10**30):
        assert phone.post(f"alarms/{nobodys}/take", {}).status_code == 404


def test_taking_needs_a_signed_in_person(world: World, phone: Phone) -> None:
    alarm = raised(world)
    answer = phone.post(f"alarms/{alarm.pk}/take", {})
    assert (answer.status_code, answer.json()["code"]) == (401, "session_missing")


# --- races


@pytest.mark.django_db(transaction=True)
def test_four_take_it_at_once_and_one_has_it(committed: Issuer) -> None:
    world = committed.world
    respond(world.team)
    people = [world.alice, *(on_duty(world.team, name) for name in ("Bertil", "Cilla"))]
    alarm = raised(world)
    results = at_once(
        committed, *[lambda one=one: answering.take(alarm_id=alarm.pk, staff=one, at=AT) for one in people]
    )
    won = [one for one in results if isinstance(one, Alarm)]
    lost = [one.code for one in results if isinstance(one, Problem)]
    assert (len(won), lost) == (1, ["alarm_taken"] * 2), results
    assert ExtraRight.objects.filter(withdrawn_at__isnull=True).count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_systems_and_the_patrol_call_at_once_and_there_is_one_alarm(committed: Issuer) -> None:
    world = committed.world
    respond(world.team)
    first, second = (connected(world, name)[0] for name in ("A", "B"))
    results = at_once(
        committed,
        lambda: raised(world, system=first, external_id="1"),
        lambda: raised(world, system=first, external_id="1"),
        lambda: raised(world, system=second, external_id="1"),
        lambda: raised(world),
    )
    assert {one.pk for one in results} == {Alarm.objects.get().pk}
    assert AlarmCall.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_taken_while_it_ends_leaves_no_right(committed: Issuer) -> None:
    world = committed.world
    respond(world.team)
    for _ in range(3):
        alarm = raised(world)
        alice = StaffMember.objects.get(pk=world.alice.pk)
        at_once(
            committed,
            lambda: answering.take(alarm_id=alarm.pk, staff=alice, at=AT),  # noqa: B023
            lambda: end(alarm_id=alarm.pk, why="cancelled", at=AT),  # noqa: B023
        )
        assert not ExtraRight.objects.filter(withdrawn_at__isnull=True).exists()


def test_times_are_utc(world: World, system: System) -> None:
    alarm = system.call().json()
    assert datetime.fromisoformat(alarm["raised_at"]).astimezone(UTC) == AT
