"""Rights fetched days ahead: a municipality that allows 72 hours keeps staff working without coverage."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from mobile.engine.errors import ServerError
from protocol import token
from server.access.domain.revoke import revoke_staff, revoke_token
from server.access.models import Revocation, Token
from server.care.models import Shift
from tests.integration.serverworld import PIN, PhoneAtServer
from tests.server.issuer import Issuer
from tests.server.world import make_shift

HOURS = (timedelta(hours=24), timedelta(hours=48), timedelta(hours=71))


@pytest.fixture
def planned(issuer: Issuer) -> list[Shift]:
    """Alice's shift of now, three in the next 72 hours and one after them."""
    issuer.municipality.issue_horizon_hours = 72
    issuer.municipality.save()
    now, world = timezone.now().replace(microsecond=0), issuer.world
    world.shift.starts_at, world.shift.ends_at = now - timedelta(hours=1), now + timedelta(hours=7)
    world.shift.save()
    later = [
        make_shift(world.alice, world.team, starts_at=now + begins, ends_at=now + begins + timedelta(hours=8))
        for begins in (*HOURS, timedelta(hours=80))
    ]
    return [world.shift, *later]


def test_rule_03_every_shift_within_72_hours_is_on_the_phone_and_none_outlives_its_own(
    alice: PhoneAtServer, issuer: Issuer, planned: list[Shift]
) -> None:
    alice.enrol(issuer.world.alice)
    alice.sign_in()
    alice.do(alice.engine.sync())
    rights = alice.engine._keyring.content.rights.values()
    doors = {bytes(issuer.world.gate_binding.binding_id), bytes(issuer.world.apartment_binding.binding_id)}
    assert {right.binding for right in rights} == doors
    windows = sorted({(right.not_before, right.expires) for right in rights})
    expected = [
        (
            int((shift.starts_at - timedelta(minutes=15)).timestamp()),
            int((shift.ends_at + timedelta(minutes=30)).timestamp()),
        )
        for shift in planned[:-1]
    ]
    assert windows == expected
    assert len(rights) == len(windows) * len(doors)
    for right in rights:
        claims = token.parse(right.token).claims
        assert (claims.not_before, claims.expires) == (right.not_before, right.expires)


def test_they_are_there_after_days_without_coverage_and_a_restart(
    alice: PhoneAtServer, issuer: Issuer, planned: list[Shift]
) -> None:
    alice.enrol(issuer.world.alice)
    alice.sign_in()
    alice.do(alice.engine.sync())
    held = alice.engine._keyring.content.rights
    alice.do(alice.engine.lock_app())
    alice.do(alice.engine.unlock(PIN))
    assert alice.engine._keyring.content.rights == held
    [door] = [one for one in alice.engine.state.doors.values() if one.kind == "gate"]
    assert door.rights_until is not None


def test_rule_04_what_was_fetched_ahead_is_gone_at_the_next_contact(
    alice: PhoneAtServer, issuer: Issuer, planned: list[Shift]
) -> None:
    alice.enrol(issuer.world.alice)
    alice.sign_in()
    alice.do(alice.engine.sync())
    planned[2].cancelled_at = timezone.now()
    planned[2].save()
    result = alice.do(alice.engine.sync())
    assert result.removed_rights == 2
    left = {right.not_before for right in alice.engine._keyring.content.rights.values()}
    assert int((planned[2].starts_at - timedelta(minutes=15)).timestamp()) not in left
    revoke_staff(staff=issuer.world.alice, reason=Revocation.Reason.MISUSE, at=timezone.now())
    with pytest.raises(ServerError) as revoked:
        alice.do(alice.engine.sync())
    assert revoked.value.code == "bearer_revoked"
    assert alice.engine._keyring.content.rights == {}


def test_rule_04_a_right_revoked_after_the_session_ended_leaves_the_phone(
    alice: PhoneAtServer, issuer: Issuer
) -> None:
    alice.enrol(issuer.world.alice)
    alice.sign_in()
    alice.do(alice.engine.sync())
    Session.objects.all().delete()
    with pytest.raises(ServerError) as over:
        alice.do(alice.engine.sync())
    assert over.value.code == "session_expired"
    assert len(alice.engine._keyring.content.rights) == 2, "they hold until they end"
    lost = Token.objects.filter(binding=issuer.world.gate_binding, bearer__phone__model="Prov").get()
    revoke_token(token=lost, reason=Revocation.Reason.OTHER, at=timezone.now())
    assert alice.do(alice.engine._syncer.heed()).removed_rights == 1
    [left] = alice.engine._keyring.content.rights.values()
    assert left.binding == bytes(issuer.world.apartment_binding.binding_id)
