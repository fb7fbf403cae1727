"""Issuing: exactly what the decision says, once, and never without a bulletin."""

from __future__ import annotations

from datetime import timedelta

from protocol.token import Scope
from server.access.domain.issue import issue_ahead
from tests.server.issuer import Issuer
from tests.server.world import HOUR, NOW, SHIFT_END, SHIFT_START


def issue(issuer: Issuer, at=NOW):
    return issue_ahead(municipality=issuer.municipality, at=at)


def test_a_shift_gives_a_token_per_door_that_a_lock_accepts(issuer: Issuer) -> None:
    assert issue(issuer).signed == 2
    token = issuer.token_at(issuer.world.apartment_binding)
    claims = issuer.claims(token.document)
    assert claims.binding == issuer.apartment_lock.binding
    assert claims.token_id == token.token_id
    assert claims.scope == Scope.OPEN | Scope.LOCK
    assert claims.not_before == int((SHIFT_START - timedelta(minutes=15)).timestamp())
    assert claims.expires == int((SHIFT_END + timedelta(minutes=30)).timestamp())
    assert claims.issued_at == int(NOW.timestamp())
    assert claims.grp == 1


def test_issuing_again_changes_nothing(issuer: Issuer) -> None:
    issue(issuer)
    before = issuer.tokens()
    again = issue(issuer, NOW + HOUR)
    assert (again.signed, again.replaced, again.revoked) == (0, 0, 0)
    assert issuer.tokens() == before


def test_shift_beyond_the_horizon_waits(issuer: Issuer) -> None:
    early = SHIFT_START - timedelta(hours=24, minutes=16)
    assert issue(issuer, early).signed == 0
    assert issue(issuer, early + timedelta(minutes=2)).signed == 2
