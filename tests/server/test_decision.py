"""Who may open what: every reason of the decision, one thing taken away at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from server.access.decision import decide, decide_all, who_may_open
from server.access.queries import shifts_with_people
from server.access.reasons import WhyNot
from server.access.rules import Decision
from server.care.models import Consent
from server.places.models import Door, DoorPath
from tests.server.world import (
    HOUR,
    LONG_AGO,
    NOW,
    SHIFT_END,
    SHIFT_START,
    World,
    make_bearer,
    make_binding,
    make_client,
    make_door,
    make_estate,
    make_shift,
    make_staff,
    make_team,
)

LEAD = timedelta(minutes=15)
GRACE = timedelta(minutes=30)


def decision_of(world: World, at: datetime = NOW) -> Decision:
    return decide(duty=shifts_with_people([world.shift.pk]).get(), bearer=world.bearer, at=at)


def update(row: Any, **fields: Any) -> None:
    type(row).unscoped.filter(pk=row.pk).update(**fields)
    row.refresh_from_db()


def test_opens_apartment_and_gate_within_lead_and_grace(world: World) -> None:
    decision = decision_of(world)
    assert {right.binding for right in decision.rights} == {world.gate_binding, world.apartment_binding}
    assert {(right.not_before, right.expires) for right in decision.rights} == {
        (SHIFT_START - LEAD, SHIFT_END + GRACE)
    }
    assert decision.refusals == ()


def test_tells_why_a_right_exists(world: World) -> None:
    decision = decision_of(world)
    gate, apartment = decision.right_at(world.gate.pk), decision.right_at(world.apartment.pk)
    assert gate is not None and apartment is not None
    assert [(g.client, g.on_the_way) for g in gate.grounds] == [(world.client, True)]
    assert [(g.client, g.on_the_way) for g in apartment.grounds] == [(world.client, False)]


def test_municipality_sets_lead_and_grace(world: World) -> None:
    update_municipality = type(world.municipality).objects.filter(pk=world.municipality.pk)
    update_municipality.update(shift_lead_minutes=0, grace_minutes=5)
    right = decision_of(world).rights[0]
    assert (right.not_before, right.expires) == (SHIFT_START, SHIFT_END + timedelta(minutes=5))


WHOLE_SHIFT: dict[WhyNot, Callable[[World], None]] = {
    WhyNot.BEARER_REVOKED: lambda w: update(w.bearer, revoked_at=NOW),
    WhyNot.PHONE_REVOKED: lambda w: update(w.phone, revoked_at=NOW),
    WhyNot.OTHER_PERSONS_SHIFT: lambda w: update(w.shift, staff=make_staff(w.team, "Bob Berg")),
    WhyNot.PROVIDER_INACTIVE: lambda w: update(w.provider, active=False),
    WhyNot.NOT_EMPLOYED: lambda w: update(w.alice, employed_to=date(2026, 11, 22)),
    WhyNot.SHIFT_CANCELLED: lambda w: update(w.shift, cancelled_at=NOW),
    WhyNot.SHIFT_TOO_LONG: lambda w: update(w.shift, ends_at=SHIFT_START + 25 * HOUR),
    WhyNot.PROVIDER_MISMATCH: lambda w: update(
        w.shift, team=make_team(w.municipality, "Privat Vård AB", "Grupp 9")
    ),
}


@pytest.mark.parametrize("reason", WHOLE_SHIFT, ids=str)
def test_whole_shift_is_refused(world: World, reason: WhyNot) -> None:
    WHOLE_SHIFT[reason](world)
    world.bearer.refresh_from_db()
    decision = decision_of(world)
    assert decision.rights == ()
    assert [refusal.reason for refusal in decision.refusals] == [reason]
    assert decision.why_not(world.gate.pk) == reason


def test_shift_is_over_when_grace_has_passed(world: World) -> None:
    assert decision_of(world, at=SHIFT_END + GRACE - timedelta(seconds=1)).rights
    assert decision_of(world, at=SHIFT_END + GRACE).why_not(world.gate.pk) == WhyNot.SHIFT_OVER


BOTH_DOORS: dict[WhyNot, Callable[[World], None]] = {
    WhyNot.CLIENT_PAUSED: lambda w: update(w.client, paused_at=NOW),
    WhyNot.CLIENT_ENDED: lambda w: update(w.client, ended_at=NOW),
    WhyNot.ASSIGNMENT_ENDED: lambda w: update(w.assignment, ends_at=NOW - HOUR),
    WhyNot.NO_ASSIGNMENT: lambda w: update(w.assignment, ends_at=NOW - timedelta(days=30)),
}


@pytest.mark.parametrize("reason", BOTH_DOORS, ids=str)
def test_client_out_of_care_closes_apartment_and_way(world: World, reason: WhyNot) -> None:
    BOTH_DOORS[reason](world)
    decision = decision_of(world)
    assert decision.rights == ()
    assert decision.why_not(world.apartment.pk) == reason


def test_a_door_nobody_of_the_team_cares_behind_has_no_assignment(world: World) -> None:
    stranger = make_door(world.property, Door.Kind.APARTMENT, number="1102")
    make_binding(stranger)
    assert decision_of(world).why_not(stranger.pk) == WhyNot.NO_ASSIGNMENT


def test_client_without_door_is_told(world: World) -> None:
    update(world.client, door=None)
    refusals = decision_of(world).refusals
    assert [(r.reason, r.client) for r in refusals] == [(WhyNot.CLIENT_WITHOUT_DOOR, world.client)]


ONE_DOOR: dict[str, tuple[Callable[[World], None], str, WhyNot]] = {
    "client consent withdrawn": (
        lambda w: update(w.client_consent, withdrawn_at=NOW),
        "apartment",
        WhyNot.NO_CLIENT_CONSENT,
    ),
    "client consent ran out": (
        lambda w: update(w.client_consent, valid_to=NOW),
        "apartment",
        WhyNot.NO_CLIENT_CONSENT,
    ),
    "client consent signed by the wrong person": (
        lambda w: update(w.apartment, must_sign=Door.Signatory.REPRESENTATIVE),
        "apartment",
        WhyNot.NO_CLIENT_CONSENT,
    ),
    "client consent not begun": (
        lambda w: update(w.client_consent, valid_from=SHIFT_END + HOUR),
        "apartment",
        WhyNot.NO_CLIENT_CONSENT,
    ),
    "owner consent withdrawn": (
        lambda w: update(w.owner_consent, withdrawn_at=NOW),
        "gate",
        WhyNot.NO_OWNER_CONSENT,
    ),
    "apartment has no lock": (lambda w: w.apartment_binding.delete(), "apartment", WhyNot.NO_LOCK),
    "gate lock moved away": (lambda w: update(w.gate_binding, ends_at=NOW - HOUR), "gate", WhyNot.NO_LOCK),
    "gate lock not commissioned": (
        lambda w: update(w.gate_binding, commissioned_at=None),
        "gate",
        WhyNot.LOCK_NOT_COMMISSIONED,
    ),
}


@pytest.mark.parametrize("case", ONE_DOOR)
def test_one_door_is_refused_and_the_other_stays_open(world: World, case: str) -> None:
    change, closed, reason = ONE_DOOR[case]
    change(world)
    decision = decision_of(world)
    doors = {"gate": world.gate.pk, "apartment": world.apartment.pk}
    assert decision.why_not(doors.pop(closed)) == reason
    (other,) = doors.values()
    assert decision.why_not(other) is None


def test_portfolio_consent_covers_every_property_of_the_owner(world: World) -> None:
    world.owner_consent.delete()
    assert decision_of(world).why_not(world.gate.pk) == WhyNot.NO_OWNER_CONSENT
    Consent.objects.create(
        municipality=world.municipality,
        scope=Consent.Scope.PORTFOLIO,
        owner=world.owner,
        signed_by=Door.Signatory.OWNER,
        valid_from=LONG_AGO,
    )
    assert decision_of(world).why_not(world.gate.pk) is None


def test_somebody_elses_consent_does_not_count(world: World) -> None:
    neighbour = make_door(world.property, Door.Kind.APARTMENT, number="1102")
    make_client(neighbour, world.team, "4712")
    world.client_consent.delete()
    assert decision_of(world).why_not(world.apartment.pk) == WhyNot.NO_CLIENT_CONSENT


def test_two_clients_behind_one_door_are_weighed_apart(world: World) -> None:
    spouse, _, _ = make_client(world.apartment, world.team, "4712")
    update(world.client, paused_at=NOW)
    right = decision_of(world).right_at(world.apartment.pk)
    assert right is not None
    assert [ground.client for ground in right.grounds] == [spouse]


def test_rule_03_window_is_clipped_to_what_is_known(world: World) -> None:
    noon = SHIFT_START + 4 * HOUR
    clipping: list[tuple[Any, str]] = [
        (world.assignment, "ends_at"),
        (world.client_consent, "withdrawn_at"),
        (world.client_consent, "valid_to"),
        (world.apartment_binding, "ends_at"),
        (world.client, "ended_at"),
        (world.client, "paused_at"),
    ]
    for row, column in clipping:
        update(row, **{column: noon})
        right = decision_of(world).right_at(world.apartment.pk)
        assert right is not None and right.expires == noon, column
        update(row, **{column: None})


def test_rule_03_employment_ends_with_its_last_day_in_swedish_time(world: World) -> None:
    night = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    update(world.shift, starts_at=night, ends_at=night + 10 * HOUR)
    update(world.alice, employed_to=date(2026, 11, 23))
    right = decision_of(world).rights[0]
    assert right.expires == timezone.make_aware(datetime(2026, 11, 24))  # noqa: DTZ001


def test_a_hole_between_two_grounds_is_never_covered(world: World) -> None:
    morning, afternoon = SHIFT_START + 2 * HOUR, SHIFT_START + 5 * HOUR
    update(world.client_consent, valid_to=morning)
    Consent.objects.create(
        municipality=world.municipality,
        scope=Consent.Scope.CLIENT,
        client=world.client,
        signed_by=Door.Signatory.RESIDENT,
        valid_from=afternoon,
    )
    first = decision_of(world).right_at(world.apartment.pk)
    second = decision_of(world, at=morning).right_at(world.apartment.pk)
    assert first is not None and second is not None
    assert (first.expires, second.not_before) == (morning, afternoon)


def test_only_the_shifts_own_team_counts(world: World) -> None:
    other_team = make_team(world.municipality, world.provider.name, "Grupp 2")
    other_door = make_door(world.property, Door.Kind.APARTMENT, number="1102")
    make_binding(other_door)
    make_client(other_door, other_team, "4712")
    assert decision_of(world).why_not(other_door.pk) == WhyNot.NO_ASSIGNMENT
    shift = make_shift(world.alice, other_team)
    moved = decide(duty=shift, bearer=world.bearer, at=NOW)
    assert {right.door for right in moved.rights} == {other_door}


def test_rule_08_other_municipality_is_never_seen(world: World, other_world: World) -> None:
    bindings = {right.binding.municipality_id for right in decision_of(world).rights}
    assert bindings == {world.municipality.pk}
    assert decide_all([world.shift], at=NOW).keys() == {world.shift}


def test_who_may_open_lists_everybody_on_shift_with_the_verdict(world: World) -> None:
    bob, charlie = make_staff(world.team, "Bob Berg"), make_staff(world.team, "Charlie Cederblad")
    make_shift(bob, world.team, starts_at=SHIFT_END, ends_at=SHIFT_END + 8 * HOUR)
    make_shift(charlie, world.team, cancelled_at=NOW)
    make_shift(make_staff(make_team(world.municipality, "Privat Vård AB", "Grupp 9"), "Dag Dahl"), world.team)
    openers = who_may_open(world.gate, at=NOW, until=SHIFT_END + HOUR)
    assert {(opener.duty.staff.name, opener.why_not) for opener in openers} == {
        ("Alice Andersson", None),
        ("Bob Berg", None),
        ("Dag Dahl", WhyNot.PROVIDER_MISMATCH),
    }


def test_queries_do_not_grow_with_shifts_clients_or_doors(
    world: World, django_assert_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    for team_number in range(3):
        team = make_team(world.municipality, f"Utförare {team_number}", "Grupp")
        estate = make_estate(world.municipality, f"Ägare {team_number}", f"Linden {team_number}")
        gate = make_door(estate, Door.Kind.GATE)
        for number in range(4):
            door = make_door(estate, Door.Kind.APARTMENT, number=str(number))
            DoorPath.objects.create(municipality=world.municipality, apartment=door, via=gate)
            make_binding(door)
            make_client(door, team, f"{team_number}{number}")
            make_client(door, team, f"{team_number}{number} spouse")
        make_shift(make_bearer(make_staff(team, f"Person {team_number}")).staff, team)
    shift_ids = list(type(world.shift).objects.values_list("pk", flat=True))
    with django_assert_num_queries(8):
        decisions = decide_all(list(shifts_with_people(shift_ids)), at=NOW)
    assert sum(len(decision.rights) for decision in decisions.values()) == 2 + 3 * 4


def test_every_reason_has_both_languages() -> None:
    assert all(reason.sv and reason.en and reason.sv != reason.en for reason in WhyNot)
