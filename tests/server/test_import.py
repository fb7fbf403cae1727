"""Business systems import over REST: all or nothing, twice changes nothing, and only what is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client as Http
from django.test.utils import CaptureQueriesContext

from server.audit.models import AuditEntry
from server.care.models import CareAssignment, Client, Shift, Visit
from server.integrations.domain.keys import make_key, revoke_key
from server.integrations.models import ApiKey, ImportRun, Kind
from server.people.models import CareProvider, StaffMember, User
from server.switches.domain.drafts import Draft, facts_of, stands_of
from server.switches.domain.switching import decide_switch
from tests.server.pages import administrator_of
from tests.server.world import NOW, World, make_staff, make_team

ALL = list(Kind.values)


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


class System:
    """A business system with a key."""

    def __init__(self, world: World, provider: CareProvider | None = None, scopes: list[str] = ALL) -> None:
        self.key, self.token = make_key(
            municipality=world.municipality,
            name=f"Planering {provider or 'kommunen'}",
            source="planering",
            scopes=scopes,
            provider=provider,
            actor=User.objects.filter(is_superuser=True).first() or administrator_of(world.municipality),
            at=NOW,
        )

    def send(self, kind: str, *rows: dict[str, Any], **options: Any) -> Any:
        return Http().post(
            f"/api/v1/import/{kind}",
            {"rows": list(rows), **options},
            content_type="application/json",
            headers={"Authorization": f"ApiKey {self.token}"},
        )


@pytest.fixture
def system(world: World) -> System:
    return System(world)


STAFF = {
    "external_id": "A-1",
    "provider": "Hemtjänst Norr",
    "name": "Dag Dal",
    "employed_from": "2026-01-01",
    "employed_to": None,
}
CLIENT = {"external_id": "K-1", "alarm_code": "5001"}
ASSIGNMENT = {
    "external_id": "U-1",
    "client": "5001",
    "provider": "Hemtjänst Norr",
    "team": "Grupp 1",
    "starts_at": "2026-11-23 07:00",
}
SHIFT = {
    "external_id": "P-1",
    "staff": "A-1",
    "team": "Grupp 1",
    "starts_at": "2026-11-23T07:00:00+01:00",
    "ends_at": "2026-11-23 15:30",
}
VISIT = {
    "external_id": "B-1",
    "shift": "P-1",
    "client": "5001",
    "starts_at": "2026-11-23 08:00",
    "ends_at": "2026-11-23 08:30",
    "order": 2,
}
EVERYTHING = [
    (Kind.STAFF, STAFF),
    (Kind.CLIENTS, CLIENT),
    (Kind.ASSIGNMENTS, ASSIGNMENT),
    (Kind.SHIFTS, SHIFT),
    (Kind.VISITS, VISIT),
]


def counts(answer: Any) -> tuple[int, int, int, int]:
    said = answer.json()
    said = said.get("details", said)
    return said["added"], said["changed"], said["unchanged"], said["refused"]


def troubles(answer: Any) -> list[tuple[int, str]]:
    said = answer.json()
    return [(one["row"], one["column"]) for one in said.get("details", said)["problems"]]


def test_everything_is_imported_once_and_the_second_time_changes_nothing(system: System) -> None:
    for kind, row in EVERYTHING:
        assert counts(system.send(kind, row)) == (1, 0, 0, 0), kind
    for kind, row in EVERYTHING:
        assert counts(system.send(kind, row)) == (0, 0, 1, 0), kind
    visit = Visit.objects.get()
    assert visit.shift.staff.name == "Dag Dal"
    assert visit.shift.starts_at == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert (visit.client.alarm_code, visit.order) == ("5001", 2)
    assert CareAssignment.objects.get(external_id="U-1").ends_at is None


def test_a_changed_row_is_changed_and_the_trail_says_what(system: System) -> None:
    system.send("staff", STAFF)
    answer = system.send("staff", {**STAFF, "employed_to": "2026-12-31"})
    assert counts(answer) == (0, 1, 0, 0)
    entry = AuditEntry.objects.get(action="integrations.changed")
    assert (entry.before, entry.after) == ({"employed_to": None}, {"employed_to": "2026-12-31"})
    assert entry.acting_as == "business_system"
    assert AuditEntry.objects.filter(action="integrations.imported").count() == 2


def test_what_a_row_does_not_have_stays_as_it_is(system: System) -> None:
    system.send("staff", {**STAFF, "employed_to": "2026-12-31"})
    kept = {name: value for name, value in STAFF.items() if name != "employed_to"}
    assert counts(system.send("staff", kept)) == (0, 0, 1, 0)
    assert counts(system.send("staff", STAFF)) == (0, 1, 0, 0)
    assert StaffMember.objects.get(external_id="A-1").employed_to is None


def test_one_bad_row_refuses_all_and_every_bad_one_is_named(system: System) -> None:
    answer = system.send(
        "staff",
        STAFF,
        {**STAFF, "external_id": "A-2", "provider": "Ingen", "employed_from": "i går"},
        {"external_id": "A-3"},
        {**STAFF},
        {**STAFF, "external_id": "A-5", "age": 40},
    )
    assert answer.status_code == 422
    assert answer.json()["code"] == "rows_refused"
    assert troubles(answer) == [
        (2, "employed_from"),
        (3, "provider"),
        (3, "name"),
        (3, "employed_from"),
        (4, "external_id"),
        (5, "age"),
    ]
    (first, *_rest) = answer.json()["details"]["problems"]
    assert (first["what_sv"], first["mend_sv"]) == ("inte ett datum", "Skriv det som 2026-01-31.")
    assert not ImportRun.objects.exists()
    assert not StaffMember.objects.filter(source="planering").exists()


def test_the_good_rows_are_imported_when_asked_for(system: System) -> None:
    answer = system.send(
        "staff", STAFF, {**STAFF, "external_id": "A-2", "provider": "Ingen"}, good_rows_only=True
    )
    assert (answer.status_code, counts(answer)) == (200, (1, 0, 0, 1))
    assert ImportRun.objects.get().refused == 1


def test_a_dry_run_writes_nothing(system: System) -> None:
    answer = system.send("staff", STAFF, dry_run=True)
    assert (answer.json()["import_id"], counts(answer)) == (None, (1, 0, 0, 0))
    assert not StaffMember.objects.filter(source="planering").exists()
    assert not AuditEntry.objects.filter(action__in=["integrations.added", "integrations.imported"]).exists()


@pytest.mark.parametrize(
    "bad",
    [
        {"external_id": "19121212-1212"},
        {"external_id": "121212-1212"},
        {"external_id": "191212121212"},
        {"external_id": "Anna Andersson"},
        {"alarm_code": "Anna"},
        {"alarm_code": "Anna Andersson 4711"},
        {"alarm_code": "19121272-1212"},
        {"name": "Anna Andersson"},
    ],
)
def test_rule_08_clients_have_neither_names_nor_personal_numbers(system: System, bad: dict[str, str]) -> None:
    answer = system.send("clients", {**CLIENT, **bad})
    assert answer.status_code == 422
    assert [column for _row, column in troubles(answer)] == list(bad)
    assert "1912" not in answer.content.decode()


def test_a_client_entered_by_hand_becomes_the_systems_by_its_code(world: World, system: System) -> None:
    assert counts(system.send("clients", {"external_id": "K-9", "alarm_code": "4711"})) == (0, 1, 0, 0)
    world.client.refresh_from_db()
    assert (world.client.source, world.client.external_id) == ("planering", "K-9")
    taken = system.send("clients", {"external_id": "K-10", "alarm_code": "4711"})
    assert troubles(taken) == [(1, "alarm_code")]


def test_two_new_clients_cannot_share_a_code(system: System) -> None:
    answer = system.send("clients", CLIENT, {**CLIENT, "external_id": "K-2"})
    assert troubles(answer) == [(2, "alarm_code")]
    assert not Client.objects.filter(alarm_code="5001").exists()


@pytest.mark.parametrize(
    ("kind", "row", "column"),
    [
        ("assignments", {**ASSIGNMENT, "client": "9999"}, "client"),
        ("assignments", {**ASSIGNMENT, "client": "4711", "team": "Grupp 9"}, "team"),
        ("assignments", {**ASSIGNMENT, "client": "4711", "ends_at": "2026-11-23 06:59"}, "ends_at"),
        ("shifts", SHIFT, "staff"),
        ("visits", VISIT, "shift"),
        ("shifts", {**SHIFT, "starts_at": "2027-03-28 02:30"}, "starts_at"),
        ("shifts", {**SHIFT, "starts_at": "2026-11-23"}, "starts_at"),
        ("clients", {**CLIENT, "door": "D-1"}, "door"),
    ],
)
def test_what_a_row_refers_to_must_be_there(
    system: System, kind: str, row: dict[str, Any], column: str
) -> None:
    answer = system.send(kind, row)
    assert (answer.status_code, troubles(answer)) == (422, [(1, column)])


def test_a_cancelled_shift_stays_and_opens_nothing(system: System) -> None:
    system.send("staff", STAFF)
    system.send("shifts", SHIFT)
    system.send("shifts", {**SHIFT, "cancelled": True})
    assert Shift.objects.get(external_id="P-1").cancelled_at == NOW
    assert counts(system.send("shifts", {**SHIFT, "cancelled": "ja"})) == (0, 0, 1, 0)


def test_rule_03_what_a_provider_switch_ended_is_not_begun_again_by_the_next_import(
    world: World, system: System
) -> None:
    for kind, row in EVERYTHING:
        system.send(kind, row)
    client, new = Client.objects.get(alarm_code="5001"), make_team(world.municipality, "Syd", "Grupp Syd")
    first = datetime(2026, 11, 24, 11, tzinfo=UTC)
    values = {"from_provider": world.provider.pk, "to_provider": new.provider_id, "clients": (client.pk,)}
    draft = Draft(**values, at=first, teams={"": new.pk})  # type: ignore[arg-type]
    draft = replace(draft, stands=stands_of(facts_of(draft, now=NOW)))
    decide_switch(draft=draft, form_key="k", at=NOW, actor=None)
    for said in (None, "2027-01-01 00:00"):
        assert counts(system.send("assignments", {**ASSIGNMENT, "ends_at": said})) == (0, 0, 1, 0)
        assert CareAssignment.objects.get(external_id="U-1").ends_at == first
    assert counts(system.send("assignments", {**ASSIGNMENT, "ends_at": "2026-11-24 08:00"})) == (0, 1, 0, 0)
    assert CareAssignment.objects.get(external_id="U-1").ends_at == datetime(2026, 11, 24, 7, tzinfo=UTC)


# --- whose rows ------------------------------------------------------------------------------------------


def test_a_providers_key_writes_only_the_providers_rows(world: World) -> None:
    other = make_team(world.municipality, "Hemtjänst Syd", "Grupp Syd")
    own = System(world, other.provider)
    assert troubles(own.send("staff", STAFF)) == [(1, "provider")]
    for kind in ("clients", "assignments"):
        assert own.send(kind, CLIENT).json()["code"] == "scope_missing"
    theirs = make_staff(world.team, "Erik Ek", source="planering", external_id="A-1")
    mine = {**STAFF, "provider": "Hemtjänst Syd"}
    assert troubles(own.send("staff", mine)) == [(1, "provider")]
    assert troubles(own.send("shifts", {**SHIFT, "team": "Grupp Syd"})) == [(1, "staff")]
    theirs.refresh_from_db()
    assert theirs.name == "Erik Ek"


def test_a_providers_key_cannot_ask_for_others_clients(world: World) -> None:
    other = make_team(world.municipality, "Hemtjänst Syd", "Grupp Syd")
    own = System(world, other.provider)
    own.send("staff", {**STAFF, "provider": "Hemtjänst Syd"})
    own.send("shifts", {**SHIFT, "team": "Grupp Syd"})
    known = own.send("visits", {**VISIT, "client": "4711"}).json()["details"]["problems"]
    unknown = own.send("visits", {**VISIT, "client": "9999"}).json()["details"]["problems"]
    assert known == unknown


def test_a_visit_of_anothers_shift_is_not_taken_over(world: World) -> None:
    municipal = System(world)
    for kind, row in EVERYTHING:
        municipal.send(kind, row)
    other = make_team(world.municipality, "Hemtjänst Syd", "Grupp Syd")
    CareAssignment.objects.create(
        municipality=world.municipality,
        client=Client.objects.get(alarm_code="5001"),
        provider=other.provider,
        team=other,
        starts_at=NOW,
    )
    own = System(world, other.provider)
    own.send("staff", {**STAFF, "external_id": "A-2", "provider": "Hemtjänst Syd"})
    own.send("shifts", {**SHIFT, "external_id": "P-2", "staff": "A-2", "team": "Grupp Syd"})
    assert troubles(own.send("visits", {**VISIT, "shift": "P-2"})) == [(1, "external_id")]
    assert Visit.objects.get().shift.external_id == "P-1"


def test_keys_are_unknown_once_shut_out_and_kept_as_hashes_only(world: World, system: System) -> None:
    assert system.send("staff", STAFF).status_code == 200
    row = ApiKey.objects.get()
    assert row.last_used_at == NOW
    assert system.token not in str(vars(row))
    revoke_key(key=row, at=NOW, actor=User.objects.get(is_superuser=True))
    answer = system.send("staff", STAFF)
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_unknown")


def test_a_key_imports_only_what_it_is_for(world: World) -> None:
    system = System(world, scopes=["shifts"])
    assert system.send("staff", STAFF).json()["code"] == "scope_missing"
    assert system.send("money", STAFF).status_code == 404


def test_another_municipality_is_out_of_reach(world: World, other_world: World) -> None:
    system = System(world)
    other_world.provider.name = "Grannens hemtjänst"
    other_world.provider.save()
    assert troubles(system.send("staff", {**STAFF, "provider": "Grannens hemtjänst"})) == [(1, "provider")]


@pytest.mark.parametrize(
    "body", [{}, {"rows": []}, {"rows": [1]}, {"rows": [{}] * 5001}, {"rows": [{"external_id": ["A"]}]}]
)
def test_what_is_no_list_of_rows_is_refused(system: System, body: dict[str, Any]) -> None:
    answer = Http().post(
        "/api/v1/import/staff",
        body,
        content_type="application/json",
        headers={"Authorization": f"ApiKey {system.token}"},
    )
    assert answer.status_code in (400, 422)


def test_5000_rows_in_queries_that_do_not_grow_with_them(world: World, system: System) -> None:
    rows = [{**STAFF, "external_id": f"A-{number}", "name": f"Namn {number}"} for number in range(5000)]
    with CaptureQueriesContext(connection) as asked:
        assert counts(system.send("staff", *rows)) == (5000, 0, 0, 0)
    assert len(asked) < 150  # SQLite takes a hundred rows a statement
    with CaptureQueriesContext(connection) as asked:
        assert counts(system.send("staff", *rows)) == (0, 0, 5000, 0)
    assert len(asked) < 25
