"""What a visit tells is only for the provider that cares for the client, also when the plan lags behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from server.care.models import CareAssignment, Client, Visit
from server.people.models import CareProvider
from server.places.models import Door
from tests.server.issuer import Issuer, Phone
from tests.server.world import HOUR, NOW, SHIFT_END, SHIFT_START, make_team

TOLD = ("4711", "Nyckelskåp 7", "Storgatan")


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def signed_in(issuer: Issuer, phone: Phone) -> Phone:
    """Alice, with a visit planned at a client whose spare key has a place."""
    world = issuer.world
    Door.objects.filter(pk=world.apartment.pk).update(fallback_place="Nyckelskåp 7")
    Visit.objects.create(
        municipality=world.municipality,
        shift=world.shift,
        client=world.client,
        starts_at=SHIFT_START,
        ends_at=SHIFT_START + HOUR,
    )
    phone.sign_in()
    return phone


def told(phone: Phone) -> set[str]:
    body = phone.sync().json()
    return {word for word in TOLD if word in str((body["visits"], body["doors"]))}


def test_a_client_of_theirs_is_told_in_full(signed_in: Phone) -> None:
    assert told(signed_in) == set(TOLD)


@pytest.mark.parametrize(
    "change",
    [
        {"ends_at": NOW - timedelta(days=30)},
        {"ends_at": NOW},
        {"starts_at": SHIFT_END + HOUR},
    ],
)
def test_care_that_does_not_cover_the_visit_tells_nothing(signed_in: Phone, change: dict[str, Any]) -> None:
    CareAssignment.objects.update(**change)
    assert told(signed_in) == set()


def test_a_provider_that_has_ended_is_told_nothing(signed_in: Phone) -> None:
    CareProvider.objects.update(active=False)
    assert told(signed_in) == set()


def test_a_client_whose_care_has_ended_for_good_is_not_told(signed_in: Phone) -> None:
    Client.objects.update(ended_at=NOW)
    assert told(signed_in) == set()


def test_care_by_another_provider_tells_this_one_nothing(issuer: Issuer, signed_in: Phone) -> None:
    team = make_team(issuer.municipality, "Omsorg Syd", "Grupp S")
    CareAssignment.objects.update(provider=team.provider, team=team)
    assert told(signed_in) == set()


def test_care_by_another_team_of_the_same_provider_still_shows_the_visit(
    issuer: Issuer, signed_in: Phone
) -> None:
    team = make_team(issuer.municipality, issuer.world.provider.name, "Grupp 2")
    CareAssignment.objects.update(team=team)
    assert told(signed_in) == set(TOLD)
