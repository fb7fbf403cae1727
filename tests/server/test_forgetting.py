"""Forgetting: what nothing needs any more goes, what a passage or an open revocation needs stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test.utils import CaptureQueriesContext

from server.access.domain import forgetting
from server.access.domain.extra import end, give
from server.access.domain.forgetting import KEEP_CODES, KEEP_UNUSED, forget
from server.access.domain.issue import issue_ahead
from server.access.domain.revoke import revoke_phone, revoke_token
from server.access.models import ExtraRight, Revocation, Token
from server.passages.models import Passage
from server.people.domain.enrolment import make_enrolment_code
from server.people.models import EnrolmentCode
from server.tenancy.models import Municipality
from tests.server.issuer import Issuer
from tests.server.world import HOUR, NOW, SHIFT_END

DAY = timedelta(days=1)
EXPIRY = SHIFT_END + timedelta(minutes=30)
AFTER_HALF_A_YEAR = EXPIRY + KEEP_UNUSED + DAY
AFTER_RETENTION = EXPIRY + timedelta(days=24 * 31)


@pytest.fixture
def issued(issuer: Issuer) -> Issuer:
    issue_ahead(municipality=issuer.municipality, at=NOW)
    return issuer


def passage_with(token: Token, at: datetime = NOW) -> Passage:
    passage: Passage = Passage.objects.create(
        municipality=token.municipality,
        lock=token.binding.lock,
        epoch=1,
        seq=99,
        binding=token.binding,
        happened_at=at,
        known_at=at,
        kind="granted",
        token=token,
        bearer=token.bearer,
        provider=token.provider,
        entry_bytes=b"e",
        entry_hash=b"h" * 32,
    )
    return passage


def test_a_token_is_kept_half_a_year_then_forgotten(issued: Issuer) -> None:
    assert forget(issued.municipality, at=EXPIRY + KEEP_UNUSED) == 0
    assert forget(issued.municipality, at=AFTER_HALF_A_YEAR) == 2
    assert not Token.objects.exists()


def test_a_shorter_retention_is_respected(issued: Issuer) -> None:
    Municipality.objects.update(retention_months=1)
    issued.municipality.refresh_from_db()
    assert forget(issued.municipality, at=EXPIRY + 32 * DAY) == 2


def test_a_token_stays_as_long_as_a_passage_names_it(issued: Issuer) -> None:
    used = issued.token_at(issued.world.gate_binding)
    passage = passage_with(used)
    assert forget(issued.municipality, at=AFTER_HALF_A_YEAR) == 1
    assert Token.objects.get() == used
    passage.delete()
    assert forget(issued.municipality, at=AFTER_RETENTION) == 1


def test_a_revocation_goes_with_its_token_others_with_the_passages_of_their_time(issued: Issuer) -> None:
    revoke_token(token=issued.token_at(issued.world.gate_binding), reason="misuse", at=NOW)
    revoke_phone(phone=issued.world.phone, reason="lost", at=NOW)
    forget(issued.municipality, at=AFTER_HALF_A_YEAR)
    assert [row.target for row in Revocation.objects.all()] == ["phone"]
    forget(issued.municipality, at=AFTER_RETENTION)
    assert not Revocation.objects.exists()


def test_a_right_beside_the_plan_goes_when_its_tokens_are_gone(issuer: Issuer) -> None:
    world = issuer.world
    right = give(
        kind="adhoc",
        staff=world.alice,
        provider=world.provider,
        team=world.team,
        starts_at=NOW,
        ends_at=NOW + HOUR,
        reason="borrowed",
        at=NOW,
    )
    end(right=right, at=NOW, reason="done")
    passage = passage_with(Token.objects.filter(extra=right).earliest("pk"))
    forget(issuer.municipality, at=AFTER_RETENTION)
    assert ExtraRight.objects.count() == 1
    passage.delete()
    forget(issuer.municipality, at=AFTER_RETENTION)
    assert not ExtraRight.objects.exists()


def test_codes_are_forgotten_a_month_after_they_ran_out(issued: Issuer) -> None:
    code, _plain = make_enrolment_code(staff=issued.world.alice, at=NOW)
    forget(issued.municipality, at=code.expires_at + KEEP_CODES)
    assert EnrolmentCode.objects.count() == 1
    forget(issued.municipality, at=code.expires_at + KEEP_CODES + DAY)
    assert not EnrolmentCode.objects.exists()


def test_it_goes_on_where_it_was_and_comes_round_again(issued: Issuer, monkeypatch: Any) -> None:
    monkeypatch.setattr(forgetting, "CHUNK", 1)
    monkeypatch.setattr(forgetting, "CHUNKS_A_RUN", 1)
    used = Token.objects.order_by("expires", "pk").first()
    assert used is not None
    passage = passage_with(used)
    assert [forget(issued.municipality, at=AFTER_HALF_A_YEAR) for _run in range(3)] == [0, 1, 0]
    passage.delete()
    assert [forget(issued.municipality, at=AFTER_HALF_A_YEAR) for _run in range(2)] == [1, 0]


def test_rule_08_a_neighbours_tokens_are_not_touched(issued: Issuer, other_issuer: Issuer) -> None:
    from django_scopes import scope

    with scope(municipality=other_issuer.municipality):
        issue_ahead(municipality=other_issuer.municipality, at=NOW)
    forget(issued.municipality, at=AFTER_HALF_A_YEAR)
    assert Token.unscoped.count() == 2


def test_queries_are_bounded(
    issued: Issuer, django_assert_max_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    with django_assert_max_num_queries(20):
        forget(issued.municipality, at=AFTER_HALF_A_YEAR)
