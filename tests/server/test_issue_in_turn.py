"""The issuing sweep stops when its time is up and goes on from there: nobody is left out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache

from server.access.domain import issue
from server.access.domain.issue import issue_ahead, issue_in_turn
from server.access.models import Token
from tests.server.issuer import Issuer, real_phone
from tests.server.world import NOW, make_bearer, make_shift, make_staff

PEOPLE = 5


@pytest.fixture
def crew(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    """Five more people on shift, and one duty a chunk."""
    monkeypatch.setattr(issue, "DUTIES_AT_ONCE", 1)
    cache.clear()
    for number in range(PEOPLE):
        member = make_staff(issuer.world.team, f"Medarbetare {number}")
        real_phone(make_bearer(member), f"telefon {number}")
        make_shift(member, issuer.world.team)
    return issuer


def test_a_small_municipality_is_done_whole(crew: Issuer) -> None:
    issue_in_turn(municipality=crew.municipality, at=NOW)
    assert Token.objects.values("shift").distinct().count() == PEOPLE + 1
    assert issue_ahead(municipality=crew.municipality, at=NOW).signed == 0


def test_everybody_has_a_turn_however_short_the_time(crew: Issuer) -> None:
    served: list[set[Any]] = []
    for _run in range(PEOPLE + 1):
        issue_in_turn(municipality=crew.municipality, at=NOW, seconds=0)
        served.append(set(Token.objects.values_list("shift", flat=True)))
    assert [len(one) for one in served] == list(range(1, PEOPLE + 2))
    assert issue_ahead(municipality=crew.municipality, at=NOW).signed == 0


def test_what_shrinks_is_revoked_when_its_turn_comes(crew: Issuer) -> None:
    issue_in_turn(municipality=crew.municipality, at=NOW)
    shift = crew.world.shift
    shift.cancelled_at = NOW
    shift.save()
    for _run in range(PEOPLE + 1):
        issue_in_turn(municipality=crew.municipality, at=NOW + timedelta(minutes=1), seconds=0)
    assert not Token.objects.filter(shift=shift, revoked_at=None).exists()
