"""Alarms: raised once, offered to the nearest on duty and then wider, taken by exactly one, and ended."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope

from server.access.domain.issue import issue_for_bearer
from server.access.models import ExtraRight, Token
from server.alarms import tasks
from server.alarms.domain import answering
from server.alarms.domain.arrival import note_arrivals
from server.alarms.domain.ending import close_forgotten, end
from server.alarms.domain.offering import offer_wider
from server.alarms.models import Alarm, AlarmOffer, AlarmPolicy
from server.audit.models import AuditEntry
from server.people.models import Bearer, Phone, StaffMember, User
from server.problems import Problem
from tests.server.alarmworld import (
    AT,
    answers,
    asked,
    elsewhere,
    log_opening,
    on_duty,
    raised,
    respond,
    visiting,
)
from tests.server.issuer import Issuer
from tests.server.world import HOUR, World, make_binding, make_client, make_team

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(issuer: Issuer) -> World:
    """The world with real keys, for a right is given together with its tokens."""
    return issuer.world


@pytest.fixture
def patrol(world: World) -> User:
    return User.objects.create_user("petra", municipality=world.municipality, role="patrol")


# --- who is asked -----------------------------------------------------------------------------------------


def test_the_clients_own_provider_is_asked(world: World) -> None:
    respond(world.team)
    assert asked(raised(world)) == ["Alice Andersson"]


def test_a_team_that_does_not_respond_is_not_asked(world: World) -> None:
    assert asked(raised(world)) == []


def test_another_providers_team_is_asked_only_when_it_responds_for_everybody(world: World) -> None:
    night, other = (make_team(world.municipality, name, "Grupp A") for name in ("Nattpatrullen", "Södra"))
    respond(night, "all")
    respond(other, "own")
    on_duty(night, "Nadja Natt")
    on_duty(other, "Bo Söder")
    assert asked(raised(world)) == ["Nadja Natt"]


def test_only_people_on_duty_with_a_living_key_are_asked(world: World) -> None:
    respond(world.team)
    cancelled = on_duty(world.team, "Cecilia Cancelled")
    cancelled.shifts.update(cancelled_at=AT)
    off = on_duty(world.team, "Ove Off")
    off.shifts.update(ends_at=AT)
    lost = on_duty(world.team, "Lotta Lost")
    Phone.objects.filter(bearers__staff=lost).update(revoked_at=AT)
    revoked = on_duty(world.team, "Rut Revoked")
    Bearer.objects.filter(staff=revoked).update(revoked_at=AT)
    on_duty(world.team, "Lars Left", employed_to=date(2026, 11, 22))
    on_duty(world.team, "Lena Lastday", employed_to=date(2026, 11, 23))
    assert set(asked(raised(world))) == {"Alice Andersson", "Lena Lastday"}


def test_the_nearest_are_asked_first_and_the_grounds_kept(world: World) -> None:
    respond(world.team)
    AlarmPolicy.objects.create(municipality=world.municipality, offer_to=2)
    near, passing = on_duty(world.team, "Nils Nära"), on_duty(world.team, "Petra Passage")
    visiting(near, elsewhere(world, address="Storgatan 3"), "4801", starts_at=AT - 5 * MINUTE)
    door = elsewhere(world, address=world.apartment.address)
    log_opening(make_binding(door), passing.bearers.get(), happened_at=AT - 5 * MINUTE)
    alarm = raised(world)
    assert asked(alarm) == ["Petra Passage", "Nils Nära"]
    first = AlarmOffer.objects.get(alarm=alarm, rank=1)
    assert first.grounds[0]["what"] == "address_passage"


def test_a_passage_of_a_lock_that_does_not_know_the_time_places_nobody(world: World) -> None:
    respond(world.team)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT - 5 * MINUTE, time_uncertain=True)
    assert AlarmOffer.objects.get(alarm=raised(world)).grounds == [{"what": "no_sign"}]


def test_asking_costs_the_same_however_many_are_on_duty(world: World) -> None:
    respond(world.team)
    other = make_client(elsewhere(world), world.team, "4900")[0]
    with CaptureQueriesContext(connection) as few:
        raised(world)
    for number in range(12):
        staff = on_duty(world.team, f"Person {number}")
        visiting(staff, elsewhere(world), f"50{number:02}", starts_at=AT - MINUTE)
    world.client = other
    with CaptureQueriesContext(connection) as many:
        raised(world)
    assert len(many) <= len(few) + 1


# --- wider, and once ---------------------------------------------------------------------------------------


def test_more_are_asked_when_nobody_answers(world: World) -> None:
    respond(world.team)
    AlarmPolicy.objects.create(municipality=world.municipality, offer_to=1, widen_after_s=45)
    on_duty(world.team, "Bertil")
    on_duty(world.team, "Cilla")
    alarm = raised(world)
    m = world.municipality
    assert offer_wider(municipality=m, at=AT + 44 * SECOND) == 0
    assert offer_wider(municipality=m, at=AT + 45 * SECOND) == 1
    assert offer_wider(municipality=m, at=AT + 46 * SECOND) == 0
    assert offer_wider(municipality=m, at=AT + 91 * SECOND) == 1
    assert len(asked(alarm)) == 3
    assert offer_wider(municipality=m, at=AT + 140 * SECOND) == 0


def test_somebody_who_comes_on_duty_later_is_asked_then(world: World) -> None:
    respond(world.team)
    alarm = raised(world)
    on_duty(world.team, "Bertil", at=AT + 3 * HOUR)
    assert offer_wider(municipality=world.municipality, at=AT + 2 * HOUR) == 1
    assert asked(alarm) == ["Alice Andersson", "Bertil"]


def test_five_presses_are_one_alarm(world: World) -> None:
    respond(world.team)
    alarm = raised(world)
    assert raised(world, at=AT + MINUTE).pk == alarm.pk
    assert Alarm.objects.count() == 1


def test_a_paused_client_can_call(world: World) -> None:
    type(world.client).objects.update(paused_at=AT - HOUR)
    respond(world.team)
    assert asked(raised(world)) == ["Alice Andersson"]


def test_an_unknown_alarm_code_is_said_to_be(world: World) -> None:
    world.client.alarm_code = "9999"
    with pytest.raises(Problem, match="alarm_code_unknown"):
        raised(world)


# --- taking -----------------------------------------------------------------------------------------------


def test_taking_gives_the_right_to_one_door_for_minutes(issuer: Issuer) -> None:
    world = issuer.world
    night = make_team(world.municipality, "Nattpatrullen", "Natt")
    respond(night, "all")
    nadja = on_duty(night, "Nadja Natt")
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=nadja, at=AT + MINUTE)
    offer = AlarmOffer.objects.get(alarm=alarm)
    assert offer.right is not None
    assert (offer.right.kind, offer.right.client_id) == ("alarm", world.client.pk)
    assert offer.right.ends_at == AT + 31 * MINUTE
    tokens = Token.objects.filter(extra=offer.right)
    assert {token.binding.door_id for token in tokens} == {world.apartment.pk, world.gate.pk}
    assert {token.expires for token in tokens} == {AT + 31 * MINUTE}


def test_the_minutes_are_the_municipalitys(world: World) -> None:
    AlarmPolicy.objects.create(municipality=world.municipality, right_minutes=10)
    respond(world.team)
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT)
    assert ExtraRight.objects.get().ends_at == AT + 10 * MINUTE


def test_one_takes_it_and_the_others_hear_so(world: World) -> None:
    respond(world.team)
    bertil = on_duty(world.team, "Bertil")
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=bertil, at=AT)
    answering.take(alarm_id=alarm.pk, staff=bertil, at=AT + MINUTE)
    assert ExtraRight.objects.count() == 1
    with pytest.raises(Problem, match="alarm_taken"):
        answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT)
    assert answers(alarm) == {"Bertil": "taken", "Alice Andersson": "passed"}


def test_who_was_not_asked_cannot_take_it(world: World) -> None:
    respond(world.team)
    alarm = raised(world)
    stranger = on_duty(make_team(world.municipality, "Södra", "A"), "Bo Söder")
    for verb in (answering.take, answering.decline, answering.hand_over):
        with pytest.raises(Problem, match="not_found"):
            verb(alarm_id=alarm.pk, staff=stranger, at=AT)


def test_when_everybody_declines_the_next_are_asked_at_once(world: World) -> None:
    respond(world.team)
    AlarmPolicy.objects.create(municipality=world.municipality, offer_to=1)
    on_duty(world.team, "Bertil")
    alarm = raised(world)
    first = StaffMember.objects.get(name=asked(alarm)[0])
    answering.decline(alarm_id=alarm.pk, staff=first, at=AT + SECOND)
    assert len(asked(alarm)) == 2


def test_who_declined_may_change_their_mind(world: World) -> None:
    respond(world.team)
    alarm = raised(world)
    answering.decline(alarm_id=alarm.pk, staff=world.alice, at=AT)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT + MINUTE)
    assert answers(alarm) == {"Alice Andersson": "taken"}


def test_handing_over_ends_the_right_and_asks_the_others_again(world: World) -> None:
    respond(world.team)
    on_duty(world.team, "Bertil")
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT)
    answering.hand_over(alarm_id=alarm.pk, staff=world.alice, at=AT + 2 * MINUTE)
    assert ExtraRight.objects.get().withdrawn_at == AT + 2 * MINUTE
    assert answers(alarm) == {"Alice Andersson": "handed_over", "Bertil": ""}
    alarm.refresh_from_db()
    assert (alarm.state, alarm.taken_by) == ("raised", None)
    bertil = StaffMember.objects.get(name="Bertil")
    answering.take(alarm_id=alarm.pk, staff=bertil, at=AT + 3 * MINUTE)
    assert answers(alarm)["Bertil"] == "taken"


def test_the_patrol_can_send_somebody_else(world: World, patrol: User) -> None:
    respond(world.team)
    AlarmPolicy.objects.create(municipality=world.municipality, offer_to=1)
    bertil = on_duty(world.team, "Bertil")
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT)
    answering.assign(alarm_id=alarm.pk, staff=bertil, at=AT + MINUTE, actor=patrol)
    assert answers(alarm) == {"Alice Andersson": "handed_over", "Bertil": "taken"}
    live = ExtraRight.objects.get(withdrawn_at__isnull=True)
    assert (live.staff, live.given_by) == (bertil, patrol)


def test_nobody_is_sent_who_is_not_on_duty(world: World, patrol: User) -> None:
    respond(world.team)
    off = on_duty(world.team, "Ove Off")
    off.shifts.update(ends_at=AT)
    alarm = raised(world)
    with pytest.raises(Problem, match="not_on_duty"):
        answering.assign(alarm_id=alarm.pk, staff=off, at=AT, actor=patrol)


def test_a_right_that_ran_out_on_the_way_is_given_anew(world: World, patrol: User) -> None:
    respond(world.team)
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT)
    answering.renew(alarm_id=alarm.pk, at=AT + HOUR, actor=patrol)
    offer = AlarmOffer.objects.get(alarm=alarm)
    assert offer.right is not None
    assert offer.right.ends_at == AT + HOUR + 30 * MINUTE


# --- ending -----------------------------------------------------------------------------------------------


def test_the_right_ends_with_the_alarm(issuer: Issuer) -> None:
    world = issuer.world
    respond(world.team)
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT)
    end(alarm_id=alarm.pk, why="handled", at=AT + 5 * MINUTE)
    right = ExtraRight.objects.get()
    assert right.withdrawn_at == AT + 5 * MINUTE
    assert not Token.objects.filter(extra=right, revoked_at__isnull=True).exists()
    with pytest.raises(Problem, match="alarm_ended"):
        answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT + 6 * MINUTE)


def test_an_ended_alarm_stays_as_it_was(world: World) -> None:
    respond(world.team)
    alarm = raised(world)
    end(alarm_id=alarm.pk, why="false_alarm", at=AT)
    end(alarm_id=alarm.pk, why="handled", at=AT + MINUTE)
    alarm.refresh_from_db()
    assert (alarm.why, alarm.ended_at) == ("false_alarm", AT)
    assert raised(world, at=AT + HOUR).pk != alarm.pk


def test_a_forgotten_alarm_is_closed(world: World) -> None:
    respond(world.team)
    alarm = raised(world)
    assert close_forgotten(municipality=world.municipality, at=AT + 12 * HOUR) == 0
    assert close_forgotten(municipality=world.municipality, at=AT + 12 * HOUR + SECOND) == 1
    alarm.refresh_from_db()
    assert alarm.why == "expired"


def test_everything_stands_in_the_audit_trail(world: World, patrol: User) -> None:
    respond(world.team)
    bertil = on_duty(world.team, "Bertil")
    alarm = raised(world, actor=patrol)
    answering.decline(alarm_id=alarm.pk, staff=world.alice, at=AT)
    answering.take(alarm_id=alarm.pk, staff=bertil, at=AT)
    answering.hand_over(alarm_id=alarm.pk, staff=bertil, at=AT)
    answering.assign(alarm_id=alarm.pk, staff=bertil, at=AT, actor=patrol)
    end(alarm_id=alarm.pk, why="handled", at=AT, actor=patrol)
    entries = AuditEntry.objects.filter(object_type="alarms.alarm", object_id=str(alarm.pk)).order_by("pk")
    assert [entry.action.partition(".")[2] for entry in entries] == [
        "raised",
        "offered",
        "declined",
        "taken",
        "handed_over",
        "assigned",
        "ended",
    ]


# --- the way to the door ------------------------------------------------------------------------------------


def taken(world: World) -> Alarm:
    respond(world.team)
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT + MINUTE)
    return alarm


def arrival_of(alarm: Alarm, at: datetime = AT + HOUR) -> Alarm:
    note_arrivals(municipality=alarm.municipality, at=at)
    alarm.refresh_from_db()
    return alarm


def test_arrival_is_when_the_bolt_moved_by_the_locks_own_log(world: World) -> None:
    alarm = taken(world)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 9 * MINUTE)
    arrival_of(alarm)
    assert (alarm.state, alarm.arrived_at) == ("arrived", AT + 9 * MINUTE)
    assert alarm.arrival_known_at == AT + 10 * MINUTE
    assert not alarm.arrival_uncertain


@pytest.mark.parametrize("outcome", ["jam", "timeout", "by_hand", "unknown"])
def test_a_bolt_that_did_not_move_lets_nobody_in(world: World, outcome: str) -> None:
    alarm = taken(world)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 9 * MINUTE, outcome=outcome)
    assert arrival_of(alarm).arrived_at is None


def test_neither_the_gate_nor_locking_nor_somebody_else_is_an_arrival(world: World) -> None:
    alarm = taken(world)
    bertil = on_duty(world.team, "Bertil").bearers.get()
    log_opening(world.gate_binding, world.bearer, happened_at=AT + 5 * MINUTE)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 6 * MINUTE, command="lock")
    log_opening(world.apartment_binding, bertil, happened_at=AT + 7 * MINUTE)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT - MINUTE)
    assert arrival_of(alarm).arrived_at is None


def test_a_log_that_comes_late_corrects_it(world: World) -> None:
    alarm = taken(world)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 20 * MINUTE)
    arrival_of(alarm)
    end(alarm_id=alarm.pk, why="handled", at=AT + 40 * MINUTE)
    known = AT + 26 * HOUR
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 8 * MINUTE, known_at=known)
    arrival_of(alarm, known + MINUTE)
    assert (alarm.arrived_at, alarm.arrival_known_at) == (AT + 8 * MINUTE, known)
    assert alarm.state == "ended"


def test_a_sweep_that_did_not_run_for_days_misses_nothing(world: World) -> None:
    alarm = taken(world)
    note_arrivals(municipality=world.municipality, at=AT + MINUTE)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 9 * MINUTE)
    assert arrival_of(alarm, AT + 72 * HOUR).arrived_at == AT + 9 * MINUTE


def test_an_arrival_stays_when_the_client_moves_later(world: World) -> None:
    respond(world.team)
    alarm = raised(world)
    answering.take(alarm_id=alarm.pk, staff=world.alice, at=AT + MINUTE)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 9 * MINUTE)
    assert arrival_of(alarm).arrived_at == AT + 9 * MINUTE
    end(alarm_id=alarm.pk, why="handled", at=AT + HOUR)
    away = elsewhere(world)
    world.client.door = away
    world.client.save()
    there = make_binding(away, name="Lås 9")
    log_opening(there, world.bearer, happened_at=AT + 48 * HOUR)
    assert arrival_of(alarm, AT + 49 * HOUR).arrived_at == AT + 9 * MINUTE


def test_a_visit_after_the_alarm_is_no_arrival(world: World) -> None:
    alarm = taken(world)
    end(alarm_id=alarm.pk, why="cancelled", at=AT + 10 * MINUTE)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 20 * MINUTE)
    assert arrival_of(alarm).arrived_at is None


def test_who_handed_over_after_opening_had_arrived(world: World) -> None:
    alarm = taken(world)
    on_duty(world.team, "Bertil")
    answering.hand_over(alarm_id=alarm.pk, staff=world.alice, at=AT + 12 * MINUTE)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 9 * MINUTE)
    assert arrival_of(alarm).arrived_at == AT + 9 * MINUTE
    assert alarm.state == "raised"


def test_a_lock_that_does_not_know_the_time_is_marked(issuer: Issuer) -> None:
    world = issuer.world
    alarm = taken(world)
    token = Token.objects.get(extra__isnull=False, binding=world.apartment_binding)
    wrong = datetime(2026, 1, 1, tzinfo=UTC)
    log_opening(
        world.apartment_binding,
        world.bearer,
        happened_at=wrong,
        known_at=AT + 10 * MINUTE,
        time_uncertain=True,
        token=token,
    )
    arrival_of(alarm)
    assert (alarm.arrived_at, alarm.arrival_uncertain, alarm.state) == (wrong, True, "arrived")


def test_a_standing_right_opens_and_counts_too(world: World) -> None:
    alarm = taken(world)
    issue_for_bearer(bearer=world.bearer, at=AT)
    own = Token.objects.get(shift=world.shift, binding=world.apartment_binding)
    log_opening(world.apartment_binding, world.bearer, happened_at=AT + 4 * MINUTE, token=own)
    assert arrival_of(alarm).arrived_at == AT + 4 * MINUTE


def test_the_sweep_does_it_all_and_twice_is_once(world: World) -> None:
    now = timezone.now()
    respond(world.team)
    world.shift.starts_at, world.shift.ends_at = now - HOUR, now + HOUR
    world.shift.save()
    alarm = raised(world, at=now - 13 * HOUR)
    assert tasks.sweep() == 2  # asked Alice, then closed
    assert tasks.sweep() == 0
    assert asked(alarm) == ["Alice Andersson"]


def test_rule_08_an_alarm_stays_in_its_municipality(world: World, other_issuer: Issuer) -> None:
    neighbour = other_issuer.world
    respond(world.team)
    with scope(municipality=neighbour.municipality):
        respond(neighbour.team, "all")
    alarm = raised(world)
    assert asked(alarm) == ["Alice Andersson"]
    assert AlarmOffer.objects.get().staff == world.alice
    with scope(municipality=neighbour.municipality), pytest.raises(Problem, match="not_found"):
        answering.take(alarm_id=alarm.pk, staff=neighbour.alice, at=AT)
