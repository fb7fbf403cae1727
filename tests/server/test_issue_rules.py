"""Rules 1 and 3 as the issuer keeps them: no right, no token; and no token outlives what gave it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocol import bulletin
from protocol.errors import SignatureError
from server.access.domain.issue import issue_ahead, issue_for_bearer
from server.access.models import Revocation, Token
from server.locks.models import Binding, BindingGroup, Bulletin
from server.places.models import DoorPath
from tests.server.device import Device
from tests.server.issuer import Issuer, mount, second_phone
from tests.server.world import (
    HOUR,
    NOW,
    SHIFT_END,
    SHIFT_START,
    make_client,
    make_door,
    make_shift,
    make_staff,
    make_team,
)

LATER = NOW + timedelta(minutes=1)
GRACE = timedelta(minutes=30)
LEAD = timedelta(minutes=15)


def issue(issuer: Issuer, at: datetime = NOW) -> list[Token]:
    issue_ahead(municipality=issuer.municipality, at=at)
    return list(Token.objects.filter(revoked_at=None, replaced_at=None).order_by("pk"))


def newest(binding: Binding, lock: Device) -> bulletin.Bulletin:
    return lock.read_bulletin(bytes(Bulletin.objects.filter(binding=binding).latest("seq").document))


def test_rule_01_a_token_is_bound_to_the_phone_it_was_issued_for(issuer: Issuer) -> None:
    bert = second_phone(issuer, make_staff(issuer.world.team, "Bert Berg"), "berts-telefon")
    token = issue(issuer)[0]
    assert issuer.claims(token.document).token_id == token.token_id
    with pytest.raises(SignatureError):
        issuer.claims(token.document, bert)


def end_assignment(issuer: Issuer) -> None:
    issuer.world.assignment.ends_at = NOW
    issuer.world.assignment.save()


def withdraw_consents(issuer: Issuer) -> None:
    for consent in (issuer.world.client_consent, issuer.world.owner_consent):
        consent.withdrawn_at = NOW
        consent.save()


def end_employment(issuer: Issuer) -> None:
    issuer.world.alice.employed_to = date(2026, 11, 22)
    issuer.world.alice.save()


def cancel_shift(issuer: Issuer) -> None:
    issuer.world.shift.cancelled_at = NOW
    issuer.world.shift.save()


def pause_client(issuer: Issuer) -> None:
    issuer.world.client.paused_at = NOW
    issuer.world.client.save()


def close_provider(issuer: Issuer) -> None:
    issuer.world.provider.active = False
    issuer.world.provider.save()


def delete_shift(issuer: Issuer) -> None:
    issuer.world.shift.delete()


def give_shift_away(issuer: Issuer) -> None:
    issuer.world.shift.staff = make_staff(issuer.world.team, "Bert Berg")
    issuer.world.shift.save()


def move_shift_to_next_week(issuer: Issuer) -> None:
    issuer.world.shift.starts_at += timedelta(days=7)
    issuer.world.shift.ends_at += timedelta(days=7)
    issuer.world.shift.save()


LOSSES = [
    end_assignment,
    withdraw_consents,
    end_employment,
    cancel_shift,
    pause_client,
    close_provider,
    delete_shift,
    give_shift_away,
    move_shift_to_next_week,
]


@pytest.mark.parametrize("lose", LOSSES)
def test_rule_01_no_right_no_token(issuer: Issuer, lose: Callable[[Issuer], None]) -> None:
    lose(issuer)
    assert issue(issuer) == []


@pytest.mark.parametrize("lose", LOSSES)
def test_rule_04_a_right_that_falls_away_is_revoked_at_its_locks(
    issuer: Issuer, lose: Callable[[Issuer], None]
) -> None:
    held = issue(issuer)
    assert len(held) == 2
    lose(issuer)
    assert issue(issuer, LATER) == []
    for token in held:
        lock = issuer.gate_lock if token.binding == issuer.world.gate_binding else issuer.apartment_lock
        assert newest(token.binding, lock).revokes(bytes(token.token_id))
    assert Revocation.objects.filter(target="token").count() == 2


def test_rule_01_nothing_for_a_lock_that_has_not_confirmed(issuer: Issuer) -> None:
    issuer.world.gate_binding.commissioned_at = None
    issuer.world.gate_binding.save()
    assert [token.binding for token in issue(issuer)] == [issuer.world.apartment_binding]


def test_rule_01_nobody_elses_shift(issuer: Issuer) -> None:
    bert = second_phone(issuer, make_staff(issuer.world.team, "Bert Berg"), "berts-telefon")
    assert issue_for_bearer(bearer=bert, at=NOW).signed == 0


def around_the_shift(least: int, most: int) -> st.SearchStrategy[datetime]:
    """Moments from `least` to `most` minutes after the shift's start."""
    return st.integers(least, most).map(lambda minutes: SHIFT_START + timedelta(minutes=minutes))


def _known(*ends: datetime | None) -> list[datetime]:
    return [end for end in ends if end is not None]


moments = st.one_of(st.none(), around_the_shift(-120, 900))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    hours=st.integers(1, 30),
    assignment_end=moments,
    consent_end=moments,
    withdrawn=moments,
    binding_end=moments,
    last_day=st.one_of(st.none(), st.dates(date(2026, 11, 21), date(2026, 11, 26))),
    at=around_the_shift(-30 * 60, 20 * 60),
)
def test_rule_03_no_token_outlives_shift_assignment_consent_binding_or_employment(  # noqa: PLR0917
    issuer: Issuer,
    hours: int,
    assignment_end: datetime | None,
    consent_end: datetime | None,
    withdrawn: datetime | None,
    binding_end: datetime | None,
    last_day: date | None,
    at: datetime,
) -> None:
    world, apartment = issuer.world, issuer.world.apartment_binding
    with transaction.atomic():
        world.shift.ends_at = SHIFT_START + timedelta(hours=hours)
        world.assignment.ends_at = assignment_end
        world.client_consent.valid_to, world.client_consent.withdrawn_at = consent_end, withdrawn
        world.alice.employed_to = last_day
        apartment.ends_at = binding_end
        for changed in (world.shift, world.assignment, world.client_consent, world.alice, apartment):
            changed.save()
        ends = [world.shift.ends_at + GRACE, *_known(assignment_end)]
        if last_day is not None:  # midnight in Sweden is 23:00 UTC in November
            ends.append(datetime(last_day.year, last_day.month, last_day.day, 23, tzinfo=at.tzinfo))
        for token in issue(issuer, at):
            claims = issuer.claims(token.document)
            own = _known(consent_end, withdrawn, binding_end) if token.binding == apartment else []
            assert claims.expires <= min(end.timestamp() for end in [*ends, *own])
            assert claims.not_before >= (SHIFT_START - LEAD).timestamp()
            assert claims.not_before < (at + timedelta(hours=24)).timestamp()
            assert claims.issued_at == int(at.timestamp()) < claims.expires
            made = Bulletin.objects.filter(binding=token.binding).latest("seq")
            assert claims.issued_at - made.created_at.timestamp() <= bulletin.STALE_AFTER
        transaction.set_rollback(True)


class TestReissuing:
    def test_a_longer_shift_replaces_and_revokes_nothing(self, issuer: Issuer) -> None:
        issue(issuer)
        issuer.world.shift.ends_at = SHIFT_END + HOUR
        issuer.world.shift.save()
        done = issue_ahead(municipality=issuer.municipality, at=LATER)
        assert (done.signed, done.replaced, done.revoked) == (2, 2, 0)
        assert {token.expires for token in issue(issuer, LATER)} == {SHIFT_END + HOUR + GRACE}
        assert newest(issuer.world.gate_binding, issuer.gate_lock).revoked == frozenset()

    def test_a_shorter_shift_revokes_the_longer_token(self, issuer: Issuer) -> None:
        issue(issuer)
        issuer.world.shift.ends_at = SHIFT_END - HOUR
        issuer.world.shift.save()
        done = issue_ahead(municipality=issuer.municipality, at=LATER)
        assert (done.signed, done.replaced, done.revoked) == (2, 0, 2)
        assert len(newest(issuer.world.gate_binding, issuer.gate_lock).revoked) == 1

    def test_a_stale_bulletin_is_renewed_before_a_token_is_issued(self, issuer: Issuer) -> None:
        issue(issuer)
        tomorrow = make_shift(
            issuer.world.alice,
            issuer.world.team,
            starts_at=SHIFT_START + timedelta(days=3),
            ends_at=SHIFT_END + timedelta(days=3),
        )
        at = SHIFT_START + timedelta(days=2, hours=12)
        issue_for_bearer(bearer=issuer.world.bearer, at=at)
        assert Token.objects.filter(shift=tomorrow).count() == 2
        assert newest(issuer.world.gate_binding, issuer.gate_lock).time == int(at.timestamp())


def test_two_providers_share_a_gate_under_numbers_of_their_own(issuer: Issuer) -> None:
    world = issuer.world
    team = make_team(issuer.municipality, "Omsorg Syd", "Grupp S")
    door = make_door(world.property, "apartment", number="1202")
    make_client(door, team, "4720")
    DoorPath.objects.create(municipality=issuer.municipality, apartment=door, via=world.gate)
    mount(door, Device(), at=NOW)
    carin = make_staff(team, "Carin Carlsson")
    second_phone(issuer, carin, "carins-telefon")
    make_shift(carin, team)
    tokens = issue(issuer)
    at_gate = {token.provider: token.grp for token in tokens if token.binding == world.gate_binding}
    assert sorted(at_gate.values()) == [1, 2]
    assert BindingGroup.objects.filter(binding=world.gate_binding).count() == 2
    assert world.apartment_binding not in {t.binding for t in tokens if t.provider == team.provider}


def test_queries_do_not_grow_with_doors_or_people(issuer: Issuer, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    world = issuer.world
    for number in range(6):
        door = make_door(world.property, "apartment", number=f"13{number:02}")
        make_client(door, world.team, f"600{number}")
        mount(door, Device(), at=NOW)
        staff = make_staff(world.team, f"Person {number}")
        second_phone(issuer, staff, f"telefon-{number}")
        make_shift(staff, world.team)
    with django_assert_max_num_queries(46):
        assert issue_ahead(municipality=issuer.municipality, at=NOW).signed == 56
    with django_assert_max_num_queries(14):
        assert issue_ahead(municipality=issuer.municipality, at=LATER).signed == 0
