"""Rule 7 on the server's pages: locks tell UTC, and on the night of 25 hours half past two comes twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client as Http
from django.urls import reverse

from protocol.entries import EntryType, Granted, OutcomeDetail
from protocol.messages import Command, OutcomeCode
from server.access.domain.issue import issue_ahead
from server.access.models import Token
from server.care.models import Visit
from server.passages.domain.intake import take_in
from server.passages.domain.visit_times import times_of
from server.passages.templatetags.twice import twice
from server.people.models import User
from server.people.roles import Role
from tests.server.issuer import Issuer
from tests.server.world import make_shift

pytestmark = pytest.mark.once

FIRST = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
"""Half past two, summer time; an hour later it is half past two again."""
HOUR = timedelta(hours=1)


@pytest.fixture
def night(issuer: Issuer) -> Issuer:
    """Alice opens at half past two and locks at half past two, an hour later."""
    world, lock = issuer.world, issuer.apartment_lock
    shift = make_shift(world.alice, world.team, starts_at=FIRST - 5 * HOUR, ends_at=FIRST + 6 * HOUR)
    Visit.objects.create(
        municipality=issuer.municipality,
        shift=shift,
        client=world.client,
        starts_at=FIRST - timedelta(minutes=5),
        ends_at=FIRST + HOUR,
    )
    issue_ahead(municipality=issuer.municipality, at=FIRST - 6 * HOUR)
    token = Token.objects.filter(binding=world.apartment_binding, not_before__lte=FIRST).latest("issued_at")
    for at, command in ((FIRST, Command.OPEN), (FIRST + HOUR, Command.LOCK)):
        what = Granted(command, bytes(8), bytes(world.bearer.fingerprint), token.grp, 1)
        granted = lock.add(EntryType.GRANTED, what.detail(), bytes(token.token_id), int(at.timestamp()))
        outcome = OutcomeDetail(granted.seq, OutcomeCode.MOVED, 80)
        lock.add(EntryType.OUTCOME, outcome.detail(), at=int(at.timestamp()))
    take_in(documents=[lock.sealed()], courier=world.phone, at=FIRST + 2 * HOUR)
    return issuer


@pytest.fixture
def patrol(issuer: Issuer, client: Http, settings: Any) -> Http:
    settings.SECOND_FACTOR_REQUIRED = False
    client.force_login(User.objects.create_user("paula", municipality=issuer.municipality, role=Role.PATROL))
    return client


def test_rule_07_the_two_are_told_apart_and_stand_in_order(night: Issuer, patrol: Http) -> None:
    page = patrol.get(reverse("admin:passages_search"), {"door_id": night.world.apartment.pk})
    text = page.content.decode()
    assert text.index("2026-10-25 02:30:00 <small>normaltid") < text.index(
        "2026-10-25 02:30:00 <small>sommartid"
    )
    asked = {"door_id": night.world.apartment.pk}
    file: Any = patrol.get(reverse("admin:passages_export"), asked)
    exported = b"".join(file.streaming_content).decode()
    assert "2026-10-25 02:30:00+01:00" in exported
    assert "2026-10-25 02:30:00+02:00" in exported


def test_rule_07_the_visit_took_an_hour(night: Issuer) -> None:
    start = FIRST - 5 * HOUR
    (day,) = times_of(
        [night.world.alice], provider=night.world.provider.pk, start=start, end=start + 24 * HOUR
    )
    assert [one.minutes for one in day.visits] == [60]


def test_an_hour_that_comes_once_needs_no_name() -> None:
    spring = datetime(2027, 3, 28, 0, 59, 59, tzinfo=UTC)
    assert [twice(spring + timedelta(seconds=n)) for n in (0, 1)] == ["", ""]
    assert twice(FIRST - HOUR) == twice(FIRST + 2 * HOUR) == twice(None) == ""
