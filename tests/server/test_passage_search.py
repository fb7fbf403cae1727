"""Searching passages: criteria, log order with gaps in place, pages, the file; and what a provider sees."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Http
from django.urls import reverse
from django_scopes import scope

from protocol.messages import OutcomeCode
from server.access.domain.issue import issue_ahead
from server.audit.models import AuditEntry
from server.passages.domain.intake import take_in
from server.passages.models import LogGap, Passage
from server.passages.search import Criteria, Missing, search
from server.people.models import Bearer, User
from server.people.roles import Role
from server.tenancy.scoping import Viewer
from tests.server.device import Device
from tests.server.issuer import Issuer, second_phone
from tests.server.world import HOUR, NOW, make_client, make_staff, make_team

DAY = timedelta(days=1)


@pytest.fixture
def bob(issuer: Issuer) -> Bearer:
    """Somebody of another provider with a client behind the same gate."""
    team = make_team(issuer.municipality, "Omsorg Söder AB", "Grupp 9")
    make_client(issuer.world.apartment, team, "0815")
    return second_phone(issuer, make_staff(team, "Bob Berg"), "bobs-telefon")


@pytest.fixture
def gate(issuer: Issuer, bob: Bearer) -> Device:
    """A gate's log: Alice, Bob twice with a gap between, Alice again."""
    issue_ahead(municipality=issuer.municipality, at=NOW)
    token = issuer.token_at(issuer.world.gate_binding)
    lock, alice = issuer.gate_lock, bytes(issuer.world.bearer.fingerprint)
    lock.opened(token.token_id, alice, at=int(NOW.timestamp()))
    for hours in (1, 2):
        at = int((NOW + hours * HOUR).timestamp())
        lock.opened(b"bobs-key", bytes(bob.fingerprint), at=at)
    lock.opened(token.token_id, alice, at=int((NOW + 3 * HOUR).timestamp()), outcome=OutcomeCode.JAM, flags=1)
    documents = [lock.sealed(lock.batch(1, 5)), lock.sealed(lock.batch(8, 9, gap=lock.gap(6, 7)))]
    take_in(documents=documents, courier=issuer.world.phone, at=NOW + 4 * HOUR)
    Passage.objects.filter(seq__in=(4, 5)).update(provider=bob.staff.provider, bearer=bob)
    return lock


def told(lines: list[Any]) -> list[Any]:
    return [(line.why, line.first, line.last) if isinstance(line, Missing) else line.seq for line in lines]


def test_a_door_comes_in_log_order_with_gaps_in_their_places(issuer: Issuer, gate: Device) -> None:
    found = search(Criteria(door_id=issuer.world.gate.pk))
    assert found.door == issuer.world.gate
    assert told(found.lines) == [("tail", 10, None), 9, 8, ("overwritten", 6, 7), 5, 4, 3, 2, 1]


def test_a_filter_leaves_the_gaps_where_they_are(issuer: Issuer, gate: Device) -> None:
    found = search(Criteria(door_id=issuer.world.gate.pk, kind="granted"))
    assert told(found.lines) == [("tail", 10, None), 8, ("overwritten", 6, 7), 4, 2]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_pages_follow_on_without_losing_or_doubling_anything(issuer: Issuer, gate: Device, size: int) -> None:
    whole = told(search(Criteria(door_id=issuer.world.gate.pk)).lines)
    lines, after = [], ""
    while True:
        page = search(Criteria(door_id=issuer.world.gate.pk), after=after, size=size)
        lines += told(page.lines)
        after = page.after
        if not after:
            break
    assert lines == whole


@pytest.mark.parametrize("size", [1, 3])
def test_several_doors_come_by_time(issuer: Issuer, gate: Device, size: int) -> None:
    lines, after = [], ""
    while True:
        page = search(Criteria(), after=after, size=size)
        lines += told(page.lines)
        after = page.after
        if not after:
            break
    assert lines == [9, 8, 5, 4, 3, 2, 1]
    assert search(Criteria()).with_gaps == [issuer.world.gate]


def test_criteria_narrow_the_search(issuer: Issuer, gate: Device, bob: Bearer) -> None:
    def numbers(**criteria: Any) -> list[int]:
        return [line.seq for line in search(Criteria(**criteria)).lines if isinstance(line, Passage)]

    assert numbers(staff_text="bob") == [5, 4]
    assert numbers(provider_id=issuer.world.provider.pk) == [9, 8, 3, 2]
    assert numbers(start=NOW + HOUR / 2, end=NOW + 2 * HOUR) == [5, 4]
    assert numbers(phone_id=issuer.world.phone.pk, kind="granted") == [8, 2]
    assert numbers(door_text="storgatan 1 1101") == []
    assert numbers(alarm_code="4711") == [], "the client's own door"
    assert numbers(alarm_code="0000") == []


def test_what_waits_for_its_turn_is_awaited(issuer: Issuer, gate: Device) -> None:
    gate.opened(b"bobs-key", b"somebody", at=gate.clock + 60)
    gate.opened(b"bobs-key", b"somebody", at=gate.clock + 60)
    take_in(documents=[gate.sealed(gate.batch(12, 13))], courier=issuer.world.phone, at=NOW + 5 * HOUR)
    found = search(Criteria(door_id=issuer.world.gate.pk))
    assert told(found.lines)[:2] == [("tail", 10, None), ("awaited", 10, 11)]


class TestACoordinator:
    """Rule 8: own passages only, and nothing that tells of others."""

    def lines(self, issuer: Issuer, provider: int, **criteria: Any) -> list[Any]:
        with scope(municipality=issuer.municipality, viewer=Viewer(provider=provider)):
            return search(Criteria(**criteria)).lines

    def test_rule_08_sees_own_passages_and_that_the_log_is_not_whole(
        self, issuer: Issuer, gate: Device
    ) -> None:
        lines = self.lines(issuer, issuer.world.provider.pk, door_id=issuer.world.gate.pk)
        assert told(lines) == [("tail", None, None), 9, 8, ("overwritten", None, None), 3, 2]
        assert all(line.noticed_at is None for line in lines if isinstance(line, Missing))

    def test_rule_08_several_gaps_in_one_place_look_like_one(self, issuer: Issuer, gate: Device) -> None:
        lock = issuer.world.gate_binding.lock
        LogGap.objects.create(
            municipality=issuer.municipality, lock=lock, epoch=1, first_seq=4, last_seq=5, noticed_at=NOW
        )
        lines = self.lines(issuer, issuer.world.provider.pk, door_id=issuer.world.gate.pk)
        assert [one for one in told(lines) if isinstance(one, tuple)] == [
            ("tail", None, None),
            ("overwritten", None, None),
        ]

    def test_rule_08_searching_does_not_find_what_is_not_the_own(self, issuer: Issuer, gate: Device) -> None:
        own = issuer.world.provider.pk
        assert self.lines(issuer, own, staff_text="bob") == []
        assert self.lines(issuer, own, alarm_code="0815") == []

    def test_rule_08_page_and_file_show_no_numbers(
        self, issuer: Issuer, gate: Device, client: Http, settings: Any
    ) -> None:
        settings.SECOND_FACTOR_REQUIRED = False
        client.force_login(person(issuer, Role.COORDINATOR, provider=issuer.world.provider))
        asked = {"door_id": issuer.world.gate.pk}
        page = client.get(reverse("admin:passages_search"), asked)
        assert "Bob Berg" not in page.content.decode()
        assert "Alice Andersson" in page.content.decode()
        assert '<td class="number">' not in page.content.decode()
        head, *rows = table(client.get(reverse("admin:passages_export"), asked))
        assert "nummer" not in [cell.lower() for cell in head]
        assert {row[9] for row in rows} == {"Alice Andersson", ""}

    def test_rule_08_the_passages_own_page_shows_no_number_either(
        self, issuer: Issuer, gate: Device, client: Http, settings: Any
    ) -> None:
        settings.SECOND_FACTOR_REQUIRED = False
        client.force_login(person(issuer, Role.COORDINATOR, provider=issuer.world.provider))
        own = Passage.objects.filter(provider=issuer.world.provider).first()
        page = client.get(reverse("admin:passages_passage_change", args=[own.pk])).content.decode()
        assert "field-seq" not in page
        assert "granted_seq" not in page


def person(issuer: Issuer, role: str, **fields: Any) -> User:
    return User.objects.create_user(
        f"{role}-sök", municipality=issuer.municipality, role=role, is_staff=True, **fields
    )


def table(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


@pytest.fixture
def patrol(issuer: Issuer, client: Http, settings: Any) -> Http:
    settings.SECOND_FACTOR_REQUIRED = False
    client.force_login(person(issuer, Role.PATROL))
    return client


def test_the_page_shows_the_log_and_what_is_missing(issuer: Issuer, gate: Device, patrol: Http) -> None:
    page = patrol.get(reverse("admin:passages_search"), {"door_id": issuer.world.gate.pk})
    text = page.content.decode()
    assert text.count('class="missing"') == 2
    assert "6–7" in text
    assert reverse("admin:passages_proof", args=[issuer.world.gate.pk]) in text


def test_queries_do_not_grow_with_rows(
    issuer: Issuer, gate: Device, patrol: Http, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(25):
        patrol.get(reverse("admin:passages_search"), {"door_id": issuer.world.gate.pk})
    with django_assert_max_num_queries(25):
        patrol.get(reverse("admin:passages_search"))


def test_the_file_has_gaps_in_place_and_is_on_record(issuer: Issuer, gate: Device, patrol: Http) -> None:
    _head, *rows = table(patrol.get(reverse("admin:passages_export"), {"door_id": issuer.world.gate.pk}))
    assert [row[-2] for row in rows] == ["10", "9", "8", "6", "5", "4", "3", "2", "1"]
    assert [row[4] for row in rows][:4] == ["gap_tail", "outcome", "granted", "gap_overwritten"]
    entry = AuditEntry.objects.get(action="passages.exported")
    assert entry.after == {"door_id": str(issuer.world.gate.pk)}


def test_the_file_is_harmless_in_a_spreadsheet(issuer: Issuer, gate: Device, patrol: Http) -> None:
    issuer.world.alice.name = '=HYPERLINK("http://x")'
    issuer.world.alice.save()
    rows = table(patrol.get(reverse("admin:passages_export"), {"staff": "hyperlink"}))
    assert {row[9] for row in rows[1:]} == {'\'=HYPERLINK("http://x")'}


@pytest.mark.parametrize("after", ["", "x", "1", "1.2.3.4", "-1.2", "9" * 30, "1.2", "1.2.3", "٣.٤"])
def test_a_key_that_is_none_of_ours_does_no_harm(patrol: Http, after: str) -> None:
    assert patrol.get(reverse("admin:passages_search"), {"after": after}).status_code == 200


@pytest.mark.parametrize(
    "asked", [{"provider": "x"}, {"door_id": "0"}, {"start": "in the morning"}, {"kind": "' OR 1"}]
)
def test_unreadable_criteria_find_nothing_and_say_so(
    issuer: Issuer, gate: Device, patrol: Http, asked: dict[str, str]
) -> None:
    page = patrol.get(reverse("admin:passages_search"), asked)
    assert (page.status_code, page.context["page"].lines) == (200, [])


def test_an_operator_gets_a_clear_page(client: Http, settings: Any, issuer: Issuer) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    client.force_login(User.objects.create_superuser("drift"))
    for name in ("passages_search", "passages_visits", "live"):
        page = client.get(reverse(f"admin:{name}"))
        assert (page.status_code, page.templates[0].name) == (200, "admin/nyckelfri/no_municipality.html")
