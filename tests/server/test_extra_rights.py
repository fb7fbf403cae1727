"""Rights beside the plan: whose doors they open, for how long, and that they end when told to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from server.access.decision import decide, decide_all, who_may_open
from server.access.domain import rounds
from server.access.domain.extra import end, give
from server.access.domain.issue import issue_ahead, issue_for_bearer, issue_for_clients
from server.access.domain.revoke import revoke_token
from server.access.models import ExtraRight, Revocation, StandingRight, Token
from server.access.queries import current_shifts, extras_with_people
from server.access.reasons import WhyNot
from server.access.rules import Decision, FactChanges
from server.audit.models import AuditEntry
from server.care.models import CareAssignment, Consent
from server.people.models import StaffMember, Team
from server.places.models import Door, DoorPath
from server.problems import Problem
from tests.server.device import Device
from tests.server.issuer import Issuer, mount, second_phone
from tests.server.world import (
    HOUR,
    LONG_AGO,
    NOW,
    SHIFT_END,
    SHIFT_START,
    World,
    make_binding,
    make_client,
    make_door,
    make_shift,
    make_staff,
    make_team,
)

MINUTE = timedelta(minutes=1)


def give_to(staff: StaffMember, **more: Any) -> ExtraRight:
    fields = {"kind": "adhoc", "reason": "borrowed", "starts_at": NOW, "ends_at": NOW + 2 * HOUR, "at": NOW}
    return give(staff=staff, provider=staff.provider, **{**fields, **more})


def verdict(right: ExtraRight, at: datetime = NOW) -> Decision:
    return decide(duty=extras_with_people().get(pk=right.pk), at=at)


def update(row: Any, **fields: Any) -> None:
    type(row).unscoped.filter(pk=row.pk).update(**fields)
    row.refresh_from_db()


@pytest.fixture
def bob(world: World) -> StaffMember:
    """A colleague from the provider's other team."""
    return make_staff(make_team(world.municipality, world.provider.name, "Grupp 2"), "Bob Berg")


@pytest.fixture
def patrol(world: World) -> Team:
    """The municipality's night patrol: a provider of its own, with no client at all."""
    return make_team(world.municipality, "Trygghetsjouren", "Nattpatrullen")


@pytest.mark.parametrize("target", ["team", "client"])
def test_a_borrowed_colleague_opens_what_the_team_or_the_client_has(
    world: World, bob: StaffMember, target: str
) -> None:
    decision = verdict(give_to(bob, **{target: getattr(world, target)}))
    assert {right.door for right in decision.rights} == {world.gate, world.apartment}


def test_rule_03_a_right_beside_the_plan_ends_to_the_second_without_grace(
    world: World, bob: StaffMember
) -> None:
    given = give_to(bob, team=world.team)
    windows = {(right.not_before, right.expires) for right in verdict(given).rights}
    assert windows == {(NOW, NOW + 2 * HOUR)}
    assert verdict(given, at=NOW + 2 * HOUR).why_not(world.gate.pk) == WhyNot.RIGHT_OVER


def test_a_right_for_one_client_opens_no_neighbour(world: World, bob: StaffMember) -> None:
    neighbour = make_door(world.property, Door.Kind.APARTMENT, number="1102")
    make_binding(neighbour)
    make_client(neighbour, world.team, "4712")
    assert verdict(give_to(bob, client=world.client)).why_not(neighbour.pk) == WhyNot.NO_ASSIGNMENT


NEEDS: dict[str, tuple[Callable[[World, StaffMember], None], WhyNot]] = {
    "employed": (lambda _w, b: update(b, employed_to=date(2026, 11, 22)), WhyNot.NOT_EMPLOYED),
    "active provider": (lambda w, _b: update(w.provider, active=False), WhyNot.PROVIDER_INACTIVE),
    "assignment": (lambda w, _b: update(w.assignment, ends_at=NOW), WhyNot.ASSIGNMENT_ENDED),
    "client in care": (lambda w, _b: update(w.client, ended_at=NOW), WhyNot.CLIENT_ENDED),
    "client at home": (lambda w, _b: update(w.client, paused_at=NOW), WhyNot.CLIENT_PAUSED),
    "consent": (lambda w, _b: update(w.client_consent, withdrawn_at=NOW), WhyNot.NO_CLIENT_CONSENT),
    "a lock": (lambda w, _b: w.apartment_binding.delete(), WhyNot.NO_LOCK),
    "its own provider": (
        lambda w, b: update(b, provider=make_team(w.municipality, "Privat AB", "G").provider),
        WhyNot.PROVIDER_MISMATCH,
    ),
}


@pytest.mark.parametrize("need", NEEDS)
@pytest.mark.parametrize("target", ["team", "client"])
def test_rule_03_it_needs_all_that_a_shift_needs(
    world: World, bob: StaffMember, target: str, need: str
) -> None:
    given = give_to(bob, **{target: getattr(world, target)})
    take_away, reason = NEEDS[need]
    take_away(world, bob)
    assert verdict(given).why_not(world.apartment.pk) == reason


def test_break_glass_stays_within_the_own_provider(world: World) -> None:
    stranger = make_staff(make_team(world.municipality, "Privat Vård AB", "Grupp 9"), "Dag Dahl")
    taken = give_to(stranger, kind="break_glass", reason="no_answer", client=world.client, ends_at=NOW + HOUR)
    assert verdict(taken).rights == ()
    assert verdict(taken).why_not(world.apartment.pk) == WhyNot.NO_ASSIGNMENT


def test_an_alarm_opens_without_assignment_and_during_a_pause_but_not_without_consent(
    world: World, patrol: Team
) -> None:
    nils = make_staff(patrol, "Nils Natt")
    taken = give_to(nils, kind="alarm", reason="alarm", client=world.client)
    update(world.client, paused_at=NOW - HOUR)
    assert {right.door for right in verdict(taken).rights} == {world.gate, world.apartment}
    update(world.client_consent, withdrawn_at=NOW)
    assert verdict(taken).why_not(world.apartment.pk) == WhyNot.NO_CLIENT_CONSENT
    update(world.client, ended_at=NOW)
    assert verdict(taken).why_not(world.apartment.pk) == WhyNot.CLIENT_ENDED


@pytest.mark.parametrize(
    ("kind", "longest"), [("adhoc", 24 * HOUR), ("alarm", 4 * HOUR), ("break_glass", HOUR)]
)
def test_rule_03_no_right_is_longer_than_its_kind_allows(
    world: World, bob: StaffMember, kind: str, longest: timedelta
) -> None:
    give_to(bob, kind=kind, client=world.client, ends_at=NOW + longest)
    with pytest.raises(Problem, match="right_too_long"):
        give_to(bob, kind=kind, client=world.client, ends_at=NOW + longest + MINUTE)
    stretched = ExtraRight.objects.get()
    update(stretched, ends_at=NOW + longest + MINUTE)
    assert verdict(stretched).why_not(world.gate.pk) == WhyNot.RIGHT_TOO_LONG


def test_nobody_is_given_a_right_for_another_providers_team(world: World, patrol: Team) -> None:
    with pytest.raises(Problem, match="right_foreign"):
        give_to(world.alice, team=patrol)
    with pytest.raises(Problem, match="right_foreign"):
        give(
            kind="adhoc",
            staff=world.alice,
            provider=patrol.provider,
            client=world.client,
            starts_at=NOW,
            ends_at=NOW + HOUR,
            reason="other",
            at=NOW,
        )


def test_giving_issues_at_once_and_ending_revokes_at_once(issuer: Issuer) -> None:
    world = issuer.world
    bob = make_staff(make_team(world.municipality, world.provider.name, "Grupp 2"), "Bob Berg")
    bearer = second_phone(issuer, bob, "bobs-telefon")
    given = give_to(bob, team=world.team)
    tokens = list(Token.objects.filter(extra=given))
    assert {token.binding for token in tokens} == {world.gate_binding, world.apartment_binding}
    assert {(token.shift, token.bearer, token.provider) for token in tokens} == {
        (None, bearer, world.provider)
    }
    later = NOW + 30 * MINUTE
    assert issue_ahead(municipality=world.municipality, at=later).revoked == 0
    end(right=given, at=later, reason="done")
    assert not Token.objects.filter(extra=given, revoked_at__isnull=True).exists()
    assert set(Revocation.objects.values_list("reason", flat=True)) == {"right_ended"}
    assert issue_for_bearer(bearer=bearer, at=later).signed == 0
    actions = AuditEntry.objects.filter(object_type="access.extraright").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["access.extra_given", "access.extra_ended"]


def test_ending_twice_is_once(world: World, bob: StaffMember) -> None:
    given = give_to(bob, team=world.team)
    end(right=given, at=NOW, reason="done")
    assert end(right=given, at=NOW + MINUTE, reason="done").withdrawn_at == NOW
    assert AuditEntry.objects.filter(action="access.extra_ended").count() == 1


def test_a_key_taken_by_hand_is_not_issued_again_for_the_same_right(issuer: Issuer) -> None:
    world = issuer.world
    bob = make_staff(make_team(world.municipality, world.provider.name, "Grupp 2"), "Bob Berg")
    bearer = second_phone(issuer, bob, "bobs-telefon")
    given = give_to(bob, team=world.team)
    boss = type(bob).user.field.related_model.objects.create_user("chef", municipality=world.municipality)
    taken = Token.objects.get(extra=given, binding=world.gate_binding)
    revoke_token(token=taken, reason="misuse", at=NOW, actor=boss)
    assert issue_for_bearer(bearer=bearer, at=NOW + MINUTE).signed == 0
    assert Token.objects.get(extra=given, binding=world.apartment_binding).revoked_at is None


def test_nothing_is_signed_for_a_right_ended_in_the_middle_of_a_run(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = make_staff(issuer.world.team, "Bob Berg")
    given = give_to(bob, team=issuer.world.team)
    bearer = second_phone(issuer, bob, "bobs-telefon")
    prepare = rounds.ensure_fresh

    def end_meanwhile(*args: Any, **kwargs: Any) -> None:
        prepare(*args, **kwargs)
        ExtraRight.objects.update(withdrawn_at=NOW)

    monkeypatch.setattr(rounds, "ensure_fresh", end_meanwhile)
    assert issue_for_bearer(bearer=bearer, at=NOW).signed == 0
    assert not Token.objects.filter(extra=given).exists()


@pytest.mark.parametrize("standing", [False, True])
def test_what_changes_at_a_client_reaches_everybodys_keys_there_and_no_others(
    issuer: Issuer, standing: bool
) -> None:
    world = issuer.world
    other = make_door(world.property, Door.Kind.APARTMENT, number="1102")
    DoorPath.objects.create(municipality=world.municipality, apartment=other, via=world.gate)
    neighbour, _, _ = make_client(other, world.team, "4712")
    other_binding = mount(other, Device())
    if standing:
        patrol = make_team(world.municipality, "Trygghetsjouren", "Nattpatrullen")
        make_standing(patrol)
        nils = make_staff(patrol, "Nils Natt")
        make_shift(nils, patrol)
        second_phone(issuer, nils, "nils-telefon")
    issue_ahead(municipality=world.municipality, at=NOW)
    update(world.client, paused_at=NOW)
    update(neighbour, paused_at=NOW)  # the plan changed there too, but nobody asked about it
    carriers = 2 if standing else 1
    done = issue_for_clients(municipality=world.municipality, client_ids=[world.client.pk], at=NOW + MINUTE)
    left = Token.objects.filter(revoked_at__isnull=True).values_list("binding", flat=True)
    assert set(left) == {other_binding.pk}
    assert done.revoked == 2 * carriers
    update(world.client, paused_at=None)
    again = issue_for_clients(
        municipality=world.municipality, client_ids=[world.client.pk], at=NOW + 2 * MINUTE
    )
    assert again.signed == 2 * carriers


def make_standing(team: Team, **fields: Any) -> StandingRight:
    return StandingRight.objects.create(
        municipality=team.municipality, team=team, **{"everywhere": True, "starts_at": LONG_AGO, **fields}
    )


def patrol_verdict(patrol: Team, at: datetime = NOW) -> Decision:
    make_shift(make_staff(patrol, "Nils Natt"), patrol)
    return decide(duty=current_shifts(at=NOW, until=SHIFT_END).get(team=patrol), at=at)


def test_a_standing_right_opens_every_consented_door_with_a_lock(world: World, patrol: Team) -> None:
    make_standing(patrol)
    unlocked = make_door(world.property, Door.Kind.APARTMENT, number="1103")
    make_client(unlocked, world.team, "4713")
    decision = patrol_verdict(patrol)
    assert {right.door for right in decision.rights} == {world.gate, world.apartment}
    assert decision.refusals == ()


def test_a_standing_right_reaches_only_its_areas(world: World, patrol: Team) -> None:
    update(world.property, area="Söder")
    right = make_standing(patrol, everywhere=False, areas=["Norr"])
    assert patrol_verdict(patrol).rights == ()
    update(right, areas=["Norr", "Söder"])
    assert len(decide(duty=current_shifts(at=NOW, until=SHIFT_END).get(team=patrol), at=NOW).rights) == 2


def test_rule_03_a_standing_right_is_clipped_and_opens_no_empty_home(world: World, patrol: Team) -> None:
    standing = make_standing(patrol, ends_at=SHIFT_START + HOUR)
    decision = patrol_verdict(patrol)
    assert {right.expires for right in decision.rights} == {SHIFT_START + HOUR}
    shift = current_shifts(at=NOW, until=SHIFT_END).get(team=patrol)
    update(world.client, paused_at=NOW)
    assert decide(duty=shift, at=NOW).why_not(world.apartment.pk) == WhyNot.CLIENT_PAUSED
    update(world.client, paused_at=None)
    update(standing, ends_at=NOW)
    assert decide(duty=shift, at=NOW) == Decision()


def test_a_borrowed_colleague_does_not_get_the_standing_right(world: World, patrol: Team) -> None:
    make_standing(patrol)
    assert verdict(give_to(make_staff(patrol, "Nils Natt"), team=patrol)).rights == ()


def test_who_may_open_names_patrol_and_rights_beside_the_plan(
    world: World, bob: StaffMember, patrol: Team
) -> None:
    make_standing(patrol)
    make_shift(make_staff(patrol, "Nils Natt"), patrol)
    give_to(bob, client=world.client)
    openers = who_may_open(world.gate, at=NOW, until=SHIFT_END)
    assert {(opener.duty.staff.name, opener.why_not) for opener in openers} == {
        ("Alice Andersson", None),
        ("Nils Natt", None),
        ("Bob Berg", None),
    }


def test_a_preview_decides_on_assignments_as_they_would_be(world: World, patrol: Team) -> None:
    nils = make_staff(patrol, "Nils Natt")
    make_shift(nils, patrol)
    shifts = list(current_shifts(at=NOW, until=SHIFT_END))
    switch = SHIFT_START + 2 * HOUR
    added = CareAssignment(
        municipality=world.municipality,
        client=world.client,
        provider=patrol.provider,
        team=patrol,
        starts_at=switch,
    )
    would_be = FactChanges(ends={world.assignment.pk: switch}, added=[added])
    decisions = decide_all(shifts, at=NOW, changes=would_be)
    windows = {
        duty.staff.name: {(right.not_before, right.expires) for right in decision.rights}
        for duty, decision in decisions.items()
    }
    assert windows == {
        "Alice Andersson": {(SHIFT_START - 15 * MINUTE, switch)},
        "Nils Natt": {(switch, SHIFT_END + 30 * MINUTE)},
    }
    assert CareAssignment.objects.get().ends_at is None


def test_queries_do_not_grow_with_rights_beside_the_plan(
    world: World, patrol: Team, django_assert_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    make_standing(patrol)
    for number in range(5):
        door = make_door(world.property, Door.Kind.APARTMENT, number=f"12{number}")
        DoorPath.objects.create(municipality=world.municipality, apartment=door, via=world.gate)
        make_binding(door)
        client, _, _ = make_client(door, world.team, f"52{number}")
        give_to(make_staff(world.team, f"Person {number}"), client=client)
        make_shift(make_staff(patrol, f"Natt {number}"), patrol)
    duties = [*current_shifts(at=NOW, until=SHIFT_END), *extras_with_people()]
    with django_assert_num_queries(8):
        decisions = decide_all(duties, at=NOW)
    assert sum(len(decision.rights) for decision in decisions.values()) == 7 + 5 * 2 + 5 * 7
    assert Consent.objects.count() == 7
