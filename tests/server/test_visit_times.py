"""Arrival and departure per visit: what doors told, and everything that is marked instead of guessed."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Http
from django.urls import reverse
from django.utils import timezone

from protocol.entries import EntryType, Granted, OutcomeDetail
from protocol.messages import Command, OutcomeCode
from server.access.domain.issue import issue_ahead
from server.access.models import Token
from server.care.models import Client, Visit
from server.passages.domain.intake import take_in
from server.passages.domain.visit_times import Mark, PersonDay, VisitTime, times_of
from server.people.models import Bearer, User
from server.people.roles import Role
from tests.server.issuer import Issuer, second_phone
from tests.server.world import HOUR, NOW, SHIFT_END, SHIFT_START, make_shift, make_staff, make_team

MINUTE = timedelta(minutes=1)
NINE = SHIFT_START + 2 * HOUR
MIDNIGHT = datetime(2026, 11, 22, 23, 0, tzinfo=SHIFT_START.tzinfo)


class Morning:
    """Alice's shift at the client of the apartment; times in minutes after nine."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer, self.world = issuer, issuer.world
        issue_ahead(municipality=issuer.municipality, at=NOW)
        self.alice = self.world.bearer

    def visit(self, start: int, end: int, **fields: Any) -> Visit:
        return Visit.objects.create(
            municipality=self.issuer.municipality,
            starts_at=NINE + start * MINUTE,
            ends_at=NINE + end * MINUTE,
            **{"shift": self.world.shift, "client": self.world.client, **fields},
        )

    def door(
        self,
        at: int,
        command: Command = Command.OPEN,
        *,
        bearer: Bearer | None = None,
        outcome: OutcomeCode = OutcomeCode.MOVED,
        flags: int = 0,
    ) -> None:
        bearer = bearer or self.alice
        lock = self.issuer.apartment_lock
        token = Token.objects.get(bearer=bearer, binding=self.world.apartment_binding)
        seconds = int((NINE + at * MINUTE).timestamp())
        what = Granted(command, bytes(8), bytes(bearer.fingerprint), token.grp, 1, flags)
        granted = lock.add(EntryType.GRANTED, what.detail(), token.token_id, seconds)
        lock.add(EntryType.OUTCOME, OutcomeDetail(granted.seq, outcome, 80).detail(), at=seconds)

    def hand(self, at: int) -> None:
        self.issuer.apartment_lock.add(EntryType.HAND, (0,), at=int((NINE + at * MINUTE).timestamp()))

    def days(self, *staff: Any) -> list[PersonDay]:
        lock = self.issuer.apartment_lock
        take_in(documents=[lock.sealed()], courier=self.world.phone, at=SHIFT_END)
        return times_of(
            staff or [self.world.alice],
            provider=self.world.provider.pk,
            start=MIDNIGHT,
            end=MIDNIGHT + timedelta(days=1),
        )

    def told(self) -> list[VisitTime]:
        (day,) = self.days()
        return day.visits

    def colleague(self) -> Bearer:
        berit = make_staff(self.world.team, "Berit Bok")
        make_shift(berit, self.world.team)
        bearer = second_phone(self.issuer, berit, "berits-telefon")
        issue_ahead(municipality=self.issuer.municipality, at=NOW)
        return bearer


@pytest.fixture
def morning(issuer: Issuer) -> Morning:
    return Morning(issuer)


def minutes(at: datetime | None) -> int | None:
    return None if at is None else int((at - NINE).total_seconds() // 60)


def facts(one: VisitTime) -> tuple[int | None, int | None, int | None, list[Mark]]:
    return minutes(one.arrival), minutes(one.departure), one.minutes, one.marks


def test_first_opening_and_last_locking_with_the_own_key(morning: Morning) -> None:
    morning.visit(0, 30)
    morning.door(2)
    morning.door(10, Command.LOCK)
    morning.door(12)
    morning.door(31, Command.LOCK)
    (one,) = morning.told()
    assert facts(one) == (2, 31, 29, [])


def test_nothing_told_is_marked_not_guessed(morning: Morning) -> None:
    morning.visit(0, 30)
    morning.visit(120, 150)
    morning.door(2)
    morning.hand(25)
    morning.door(240)
    first, second = morning.told()
    assert facts(first) == (2, None, None, [Mark.NO_DEPARTURE]), "locked by hand says nothing of who left"
    assert facts(second) == (None, None, None, [Mark.NO_ARRIVAL])


def test_a_jam_is_no_arrival(morning: Morning) -> None:
    morning.visit(0, 30)
    morning.door(2, outcome=OutcomeCode.JAM)
    morning.door(240)
    assert facts(morning.told()[0]) == (None, None, None, [Mark.NO_ARRIVAL])


def test_a_log_still_in_the_lock_is_no_missing_arrival(morning: Morning) -> None:
    morning.visit(0, 30)
    assert facts(morning.told()[0]) == (None, None, None, [Mark.NOT_HOME])


def test_a_door_without_a_lock_is_said_to_have_none(morning: Morning) -> None:
    other = Client.objects.create(municipality=morning.issuer.municipality, alarm_code="9000")
    morning.visit(0, 30, client=other)
    assert facts(morning.told()[0]) == (None, None, None, [Mark.NO_LOCK])


def test_double_staffed_a_colleagues_opening_is_named_not_taken(morning: Morning) -> None:
    bearer = morning.colleague()
    berits = morning.visit(0, 30, shift=bearer.staff.shifts.get())
    morning.visit(0, 30)
    morning.door(1, bearer=bearer)
    morning.door(30, Command.LOCK, bearer=bearer)
    own, hers = morning.days(morning.world.alice, bearer.staff)
    assert facts(own.visits[0]) == (None, None, None, [Mark.COLLEAGUE])
    assert own.visits[0].colleague is not None
    assert (own.visits[0].colleague.staff_name, minutes(own.visits[0].colleague.at)) == ("Berit Bok", 1)
    assert (hers.visits[0].visit, facts(hers.visits[0])) == (berits, (1, 30, 29, []))


def test_two_visits_at_once_share_the_door_and_count_no_minutes(morning: Morning) -> None:
    partner = Client.objects.create(
        municipality=morning.issuer.municipality, alarm_code="4712", door=morning.world.apartment
    )
    morning.visit(0, 30)
    morning.visit(0, 20, client=partner)
    morning.door(2)
    morning.door(25, Command.LOCK)
    first, second = morning.told()
    assert (minutes(first.arrival), first.minutes, first.marks) == (2, None, [Mark.AT_ONCE])
    assert (minutes(second.arrival), second.minutes) == (2, None)
    assert Mark.AT_ONCE in second.marks


def test_an_event_between_two_visits_belongs_to_neither(morning: Morning) -> None:
    morning.visit(0, 20)
    morning.visit(60, 80)
    morning.door(40)
    morning.door(240)
    first, second = morning.told()
    assert (first.arrival, second.arrival) == (None, None)
    assert first.marks == second.marks == [Mark.AMBIGUOUS, Mark.NO_ARRIVAL]


def test_an_uncertain_clock_is_marked_and_counts_no_minutes(morning: Morning) -> None:
    morning.visit(0, 30)
    morning.door(2, flags=1)
    morning.door(30, Command.LOCK)
    assert facts(morning.told()[0]) == (2, 30, None, [Mark.UNCERTAIN])


def test_an_opening_without_a_visit_is_listed_beside(morning: Morning) -> None:
    morning.visit(0, 30)
    morning.door(2)
    morning.door(200)
    (day,) = morning.days()
    assert [minutes(event.at) for event in day.unplanned] == [200]


def test_midnight_does_not_cut_a_visits_neighbour_off(morning: Morning) -> None:
    late = make_shift(morning.world.alice, morning.world.team, starts_at=MIDNIGHT - HOUR, ends_at=SHIFT_END)
    first = int((MIDNIGHT - NINE).total_seconds() // 60)
    morning.visit(first - 60, first - 30, shift=late)
    morning.visit(first, first + 30, shift=late)
    morning.door(first - 55)
    morning.door(240)
    assert facts(morning.told()[0]) == (None, None, None, [Mark.NO_ARRIVAL])


def coordinator(issuer: Issuer, provider: Any) -> User:
    return User.objects.create_user(
        f"samordnare-{provider.pk}",
        municipality=issuer.municipality,
        role=Role.COORDINATOR,
        provider=provider,
        is_staff=True,
    )


def table(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text), delimiter=";"))


def test_page_and_file_tell_the_same(morning: Morning, client: Http, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    morning.visit(0, 30)
    morning.visit(180, 200)
    morning.door(2)
    morning.door(31, Command.LOCK)
    morning.days()
    with time_machine.travel(SHIFT_END, tick=False):
        client.force_login(coordinator(morning.issuer, morning.world.provider))
        page = client.get(reverse("admin:passages_visits"))
        asked = {"day": "2026-11-22", "through": "2026-11-24"}
        _head, *rows = table(client.get(reverse("admin:passages_visits_export"), asked))
    assert page.context["day"] == timezone.localdate(SHIFT_END)
    assert [row["minutes"] for person in page.context["people"] for row in person["rows"]] == [29, None]
    assert [row[:2] + row[4:5] + row[8:11] for row in rows] == [
        ["2026-11-23", "Alice Andersson", "4711", "2026-11-23 10:02+01:00", "2026-11-23 10:31+01:00", "29"],
        ["2026-11-23", "Alice Andersson", "4711", "", "", ""],
    ]


def test_rule_08_a_coordinator_sees_the_own_providers_day_only(
    morning: Morning, client: Http, settings: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    morning.visit(0, 30)
    morning.door(2)
    morning.days()
    other = make_team(morning.issuer.municipality, "Omsorg Söder AB", "Grupp 9").provider
    with time_machine.travel(SHIFT_END, tick=False):
        client.force_login(coordinator(morning.issuer, other))
        asked = {"provider": morning.world.provider.pk, "day": "2026-11-23"}
        page = client.get(reverse("admin:passages_visits"), asked).content.decode()
        file = client.get(reverse("admin:passages_visits_export"), asked)
        text = file.content if not file.streaming else b"".join(file.streaming_content)
    assert "Alice" not in page
    assert "Alice" not in text.decode()


def test_queries_do_not_grow_with_visits(
    morning: Morning, client: Http, settings: Any, django_assert_max_num_queries: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    for number in range(12):
        morning.visit(30 * number, 30 * number + 20)
        morning.door(30 * number + 1)
        morning.door(30 * number + 20, Command.LOCK)
    morning.days()
    with time_machine.travel(SHIFT_END, tick=False):
        client.force_login(coordinator(morning.issuer, morning.world.provider))
        with django_assert_max_num_queries(25):
            client.get(reverse("admin:passages_visits"))
