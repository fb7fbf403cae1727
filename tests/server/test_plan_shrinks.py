"""Rights that shrink after they had grown, and rights taken away by hand: nothing opens that should not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from protocol import bulletin
from server.access.domain import issue, rounds
from server.access.domain.revoke import revoke_provider, revoke_token
from server.access.models import Revocation, Token
from server.locks.models import Binding, Bulletin
from server.people.models import User
from tests.server.device import Device
from tests.server.issuer import Issuer
from tests.server.world import HOUR, NOW, SHIFT_END, SHIFT_START, make_shift

MINUTE = timedelta(minutes=1)


def news_at(binding: Binding, lock: Device) -> bulletin.Bulletin:
    return lock.read_bulletin(bytes(Bulletin.objects.filter(binding=binding).latest("seq").document))


def run(issuer: Issuer, minutes: int) -> issue.Issued:
    return issue.issue_ahead(municipality=issuer.municipality, at=NOW + minutes * MINUTE)


def replaced(issuer: Issuer) -> Token:
    """Let the shift grow, so that a token is replaced by a longer one; returns the one replaced."""
    run(issuer, 0)
    old = issuer.token_at(issuer.world.gate_binding)
    issuer.world.shift.ends_at = SHIFT_END + HOUR
    issuer.world.shift.save()
    assert run(issuer, 1).replaced == 2
    return old


def cancel(issuer: Issuer) -> None:
    issuer.world.shift.cancelled_at = NOW
    issuer.world.shift.save()


def delete(issuer: Issuer) -> None:
    issuer.world.shift.delete()


def withdraw(issuer: Issuer) -> None:
    issuer.world.owner_consent.withdrawn_at = NOW
    issuer.world.owner_consent.save()


def shorten(issuer: Issuer) -> None:
    issuer.world.shift.ends_at = SHIFT_END - HOUR
    issuer.world.shift.save()


@pytest.mark.parametrize("shrink", [cancel, delete, withdraw, shorten])
def test_rule_04_a_replaced_token_dies_with_the_right(
    issuer: Issuer, shrink: Callable[[Issuer], None]
) -> None:
    world, old = issuer.world, replaced(issuer)
    assert not news_at(world.gate_binding, issuer.gate_lock).revokes(bytes(old.token_id))
    shrink(issuer)
    run(issuer, 2)
    assert news_at(world.gate_binding, issuer.gate_lock).revokes(bytes(old.token_id))
    assert run(issuer, 3).revoked == 0


def test_a_replaced_token_that_permits_less_is_left_alone(issuer: Issuer) -> None:
    old = replaced(issuer)
    issuer.world.shift.ends_at = SHIFT_END + HOUR / 2
    issuer.world.shift.save()
    assert run(issuer, 2).revoked == 2
    old.refresh_from_db()
    assert old.revoked_at is None


def test_a_right_revoked_by_hand_stays_away_for_the_shift(issuer: Issuer) -> None:
    world, old = issuer.world, replaced(issuer)
    new, chief = issuer.token_at(world.gate_binding), User.objects.create_superuser("chef")
    reason = Revocation.Reason.MISUSE
    revoke_token(token=new, reason=reason, at=NOW + 2 * MINUTE, actor=chief)
    news = news_at(world.gate_binding, issuer.gate_lock)
    assert news.revokes(bytes(new.token_id))
    assert news.revokes(bytes(old.token_id))
    assert run(issuer, 3).signed == 0
    issuer.token_at(world.apartment_binding)  # the other door is still hers
    later = {"starts_at": SHIFT_END + 2 * HOUR, "ends_at": SHIFT_END + 4 * HOUR}
    make_shift(world.alice, world.team, **later)
    assert run(issuer, 4).signed == 2


def test_nothing_is_signed_after_a_provider_ended_in_the_middle_of_a_run(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = rounds.ensure_fresh

    def end_meanwhile(*args: object, **kwargs: object) -> None:
        prepare(*args, **kwargs)  # type: ignore[arg-type]
        revoke_provider(provider=issuer.world.provider, reason=Revocation.Reason.OTHER, at=NOW)

    monkeypatch.setattr(rounds, "ensure_fresh", end_meanwhile)
    assert run(issuer, 0).signed == 0
    assert not Token.objects.exists()


def test_nothing_changes_when_nothing_shrinks(issuer: Issuer) -> None:
    replaced(issuer)
    at = (SHIFT_START - NOW) // MINUTE
    assert run(issuer, at) == issue.Issued()
