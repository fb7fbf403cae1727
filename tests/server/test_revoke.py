"""Revoking: no more issuing, out of the next sync, onto the next bulletins, for good."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from protocol.bulletin import Bulletin as WireBulletin
from server.access.domain.exposure import exposure
from server.access.domain.issue import issue_ahead, issue_for_bearer
from server.access.domain.revoke import (
    revoke_bearer,
    revoke_phone,
    revoke_provider,
    revoke_staff,
    revoke_token,
)
from server.access.models import Revocation, Token
from server.audit.models import AuditEntry
from server.locks.domain.bulletins import build_due
from server.locks.models import Binding, Bulletin
from server.locks.queries import mark_known
from tests.server.device import Device
from tests.server.issuer import Issuer, give_sign_in, second_phone
from tests.server.world import HOUR, NOW, SHIFT_END, make_staff, make_team

LATER = NOW + timedelta(minutes=1)


def newest(binding: Binding, lock: Device) -> WireBulletin:
    return lock.read_bulletin(bytes(Bulletin.objects.filter(binding=binding).latest("seq").document))


@pytest.fixture(autouse=True)
def issued(issuer: Issuer) -> None:
    issue_ahead(municipality=issuer.municipality, at=NOW)


def revoke_alices_phone(issuer: Issuer) -> Revocation:
    return revoke_phone(phone=issuer.world.phone, reason=Revocation.Reason.LOST, at=LATER)


def revoke_alices_key(issuer: Issuer) -> Revocation:
    return revoke_bearer(bearer=issuer.world.bearer, reason=Revocation.Reason.LOST, at=LATER)


def revoke_alice(issuer: Issuer) -> Revocation:
    return revoke_staff(staff=issuer.world.alice, reason=Revocation.Reason.MISUSE, at=LATER)


@pytest.mark.parametrize("revoke", [revoke_alices_phone, revoke_alices_key, revoke_alice])
def test_every_lock_is_told_and_nothing_is_issued_again(
    issuer: Issuer, revoke: Callable[[Issuer], Revocation]
) -> None:
    world = issuer.world
    revocation = revoke(issuer)
    assert revocation.matters_until == SHIFT_END + timedelta(minutes=30)
    for binding, lock in (
        (world.gate_binding, issuer.gate_lock),
        (world.apartment_binding, issuer.apartment_lock),
    ):
        token = Token.objects.get(binding=binding)
        assert token.revoked_at == LATER
        assert newest(binding, lock).revokes(bytes(token.token_id))
    assert issue_ahead(municipality=issuer.municipality, at=LATER + HOUR).signed == 0
    assert issue_for_bearer(bearer=world.bearer, at=LATER + HOUR).signed == 0
    assert AuditEntry.objects.filter(action="access.revoked").count() == 1


def test_one_token(issuer: Issuer) -> None:
    world = issuer.world
    token = issuer.token_at(world.gate_binding)
    revoke_token(token=token, reason=Revocation.Reason.OTHER, at=LATER)
    assert newest(world.gate_binding, issuer.gate_lock).revokes(bytes(token.token_id))
    assert newest(world.apartment_binding, issuer.apartment_lock).revoked == frozenset()


def test_revoking_a_person_closes_the_sign_in(issuer: Issuer) -> None:
    user = give_sign_in(issuer.world.alice, "alice")
    revoke_alice(issuer)
    user.refresh_from_db()
    assert not user.is_active


def test_a_replaced_token_that_a_phone_may_still_hold_is_revoked_too(issuer: Issuer) -> None:
    world = issuer.world
    old = issuer.token_at(world.gate_binding)
    world.shift.ends_at = SHIFT_END + HOUR
    world.shift.save()
    issue_ahead(municipality=issuer.municipality, at=LATER)
    new = issuer.token_at(world.gate_binding)
    revoke_alices_phone(issuer)
    news = newest(world.gate_binding, issuer.gate_lock)
    assert news.revokes(bytes(old.token_id))
    assert news.revokes(bytes(new.token_id))


def test_ending_a_provider_is_one_line_per_lock_and_spares_the_others(issuer: Issuer) -> None:
    world = issuer.world
    other_team = make_team(issuer.municipality, "Omsorg Syd", "Grupp S")
    revoke_provider(provider=world.provider, reason=Revocation.Reason.ASSIGNMENT_ENDED, at=LATER)
    news = newest(world.gate_binding, issuer.gate_lock)
    token = Token.objects.get(binding=world.gate_binding)
    assert news.revoked == frozenset()
    assert news.ends(token.grp, int(token.issued_at.timestamp()))
    assert news.ends(token.grp, int(LATER.timestamp()))
    assert not news.ends(token.grp + 1, int(token.issued_at.timestamp()))
    assert issue_ahead(municipality=issuer.municipality, at=LATER + HOUR).signed == 0
    other_team.provider.refresh_from_db()
    assert other_team.provider.active


def test_the_line_of_an_ended_provider_goes_when_its_tokens_are_long_dead(issuer: Issuer) -> None:
    revoke_provider(provider=issuer.world.provider, reason=Revocation.Reason.ASSIGNMENT_ENDED, at=LATER)
    build_due(issuer.municipality, at=LATER + timedelta(days=8))
    assert newest(issuer.world.gate_binding, issuer.gate_lock).grp_not_before == {}


def test_a_revocation_leaves_the_bulletin_when_its_token_has_ended(issuer: Issuer) -> None:
    revoke_alices_phone(issuer)
    over = SHIFT_END + timedelta(minutes=36)
    build_due(issuer.municipality, at=over)
    assert newest(issuer.world.gate_binding, issuer.gate_lock).revoked == frozenset()


def test_more_revocations_than_fit_end_the_group_instead(issuer: Issuer) -> None:
    world = issuer.world
    token = issuer.token_at(world.gate_binding)
    bert = make_staff(world.team, "Bert Berg")
    bearer = second_phone(issuer, bert, "berts-telefon")
    Token.objects.bulk_create(
        Token(
            municipality=issuer.municipality,
            token_id=number.to_bytes(8, "big"),
            bearer=bearer,
            binding=world.gate_binding,
            provider=world.provider,
            issued_at=NOW,
            not_before=token.not_before,
            expires=token.expires,
            scope=3,
            grp=token.grp,
            document=b"x",
            revoked_at=NOW,
        )
        for number in range(300)
    )
    build_due(issuer.municipality, at=LATER)
    news = newest(world.gate_binding, issuer.gate_lock)
    assert news.revoked == frozenset()
    assert news.ends(token.grp, int(NOW.timestamp()))
    assert issue_ahead(municipality=issuer.municipality, at=LATER).signed == 1
    fresh = issuer.token_at(world.gate_binding)
    assert not news.ends(fresh.grp, int(fresh.issued_at.timestamp()))


def test_exposure_names_doors_until_when_and_which_locks_know(issuer: Issuer) -> None:
    world = issuer.world
    revoke_alices_phone(issuer)
    told = newest(world.gate_binding, issuer.gate_lock)
    mark_known(world.gate_binding.pk, up_to_seq=told.seq, at=LATER)
    shown = exposure(world.phone, at=LATER)
    assert {(one.door, one.until, one.lock_knows) for one in shown} == {
        (world.gate, SHIFT_END + timedelta(minutes=30), True),
        (world.apartment, SHIFT_END + timedelta(minutes=30), False),
    }
    assert exposure(world.phone, at=SHIFT_END + HOUR) == []


def test_a_lock_knows_what_its_bulletin_says_and_not_when_it_was_made(issuer: Issuer) -> None:
    """The bulletin in the lock bears a later time than the revocation, from a host whose clock runs ahead."""
    world = issuer.world
    held = Bulletin.objects.filter(binding=world.gate_binding).latest("seq")
    Bulletin.objects.filter(pk=held.pk).update(created_at=LATER + HOUR)
    revoke_alices_phone(issuer)
    mark_known(world.gate_binding.pk, up_to_seq=held.seq, at=LATER)
    assert not any(one.lock_knows for one in exposure(world.phone, at=LATER))
