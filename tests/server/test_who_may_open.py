"""The page "who may open": for doors, clients and people; two providers share a gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from server.access.domain.extra import give
from server.access.domain.issue import issue_ahead
from server.access.domain.revoke import revoke_token
from server.access.models import StandingRight
from server.care.models import Client
from server.locks.models import Binding
from tests.server.issuer import Issuer
from tests.server.pages import administrator_of, coordinator_of, patrol_of
from tests.server.shared_gate import Neighbour, share_gate
from tests.server.world import (
    HOUR,
    LONG_AGO,
    NOW,
    World,
    make_binding,
    make_client,
    make_door,
    make_shift,
    make_staff,
    make_team,
)

PAGE = reverse("admin:who_may_open")


@pytest.fixture
def world(issuer: Issuer) -> World:
    return issuer.world


@pytest.fixture
def desk(world: World, client: Browser, settings: Any) -> Iterator[Browser]:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(NOW, tick=False):
        client.force_login(patrol_of(world.municipality))
        yield client


@pytest.fixture
def neighbour(world: World) -> Neighbour:
    """Another provider's client and person on shift behind the same gate."""
    found = share_gate(world)
    make_shift(found.bearer.staff, found.team)
    return found


def ask(desk: Browser, **query: Any) -> str:
    answer = desk.get(PAGE, query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_client_is_answered_for_with_the_doors_on_the_way(world: World, desk: Browser) -> None:
    assert f"?client={world.client.pk}" in ask(desk, q="4711")
    page = ask(desk, client=world.client.pk)
    assert "Alice Andersson" in page and "Uppdrag hos 4711" in page and "På vägen dit" in page
    assert f"?door={world.gate.pk}" in page
    Client.objects.update(paused_at=NOW - HOUR)
    page = ask(desk, client=world.client.pk)
    assert "Bara ett larm öppnar här" in page and "Insatsen är pausad" in page
    Client.objects.update(paused_at=None, door=None)
    assert "Brukaren har ingen dörr registrerad" in ask(desk, client=world.client.pk)


def test_rights_beside_the_plan_and_standing_rights_say_why(world: World, desk: Browser) -> None:
    patrol = make_team(world.municipality, "Trygghetsjouren", "Nattpatrullen")
    StandingRight.objects.create(
        municipality=world.municipality, team=patrol, everywhere=True, starts_at=LONG_AGO
    )
    make_shift(make_staff(patrol, "Nils Natt"), patrol)
    bob = make_staff(world.team, "Bob Berg")
    give(
        kind="adhoc",
        staff=bob,
        provider=bob.provider,
        client=world.client,
        starts_at=NOW,
        ends_at=NOW + HOUR,
        reason="borrowed",
        at=NOW,
    )
    page = ask(desk, door=world.gate.pk)
    assert "Nils Natt" in page and "Ingen telefon är registrerad." in page
    assert "Bob Berg" in page
    person = ask(desk, staff=bob.pk)
    assert "Given direkt: lånad kollega" in person and "Storgatan 1, port" in person


def test_a_key_revoked_by_hand_is_not_called_open(issuer: Issuer, desk: Browser) -> None:
    world = issuer.world
    issue_ahead(municipality=world.municipality, at=NOW)
    assert ask(desk, door=world.gate.pk).count('data-opens="yes"') == 1
    boss = administrator_of(world.municipality)
    revoke_token(token=issuer.token_at(world.gate_binding), reason="misuse", at=NOW, actor=boss)
    page = ask(desk, door=world.gate.pk)
    assert 'data-opens="yes"' not in page and "spärrad för hand" in page
    assert ask(desk, staff=world.alice.pk).count('data-opens="yes"') == 1, "the apartment is still hers"
    assert ask(desk, door=world.apartment.pk).count('data-opens="yes"') == 1


def test_a_lock_that_waits_for_its_installer_is_named(world: World, desk: Browser) -> None:
    Binding.objects.filter(pk=world.gate_binding.pk).update(commissioned_at=None)
    assert "Låset är inte driftsatt än" in ask(desk, door=world.gate.pk)


def test_rule_08_a_coordinator_sees_own_people_and_own_codes_at_the_shared_gate(
    world: World, desk: Browser, neighbour: Neighbour
) -> None:
    everything = ask(desk, door=world.gate.pk)
    assert "Främling 1102" in everything and "8888" in everything
    desk.force_login(coordinator_of(world.provider))
    page = ask(desk, door=world.gate.pk)
    assert "Alice Andersson" in page and "Främling" not in page and "8888" not in page
    for query in ({"q": "8888"}, {"q": "Främling"}, {"q": "Bakgatan"}):
        found = ask(desk, **query)
        assert "?door=" not in found and "?staff=" not in found and "?client=" not in found
    for foreign in (
        {"client": neighbour.client.pk},
        {"staff": neighbour.bearer.staff_id},
        {"door": neighbour.apartment.pk},
    ):
        assert desk.get(PAGE, foreign).status_code == 404


def test_rule_08_a_code_does_not_find_a_door_that_both_have_clients_behind(
    world: World, desk: Browser
) -> None:
    make_client(world.apartment, make_team(world.municipality, "Främling AB", "Grupp 9"), "4799")
    desk.force_login(coordinator_of(world.provider))
    assert "?door=" in ask(desk, q="4711")
    assert "?door=" not in ask(desk, q="4799")


def test_rule_08_a_standing_right_tells_its_provider_no_foreign_doors(
    world: World, desk: Browser, neighbour: Neighbour
) -> None:
    StandingRight.objects.create(
        municipality=world.municipality, team=world.team, everywhere=True, starts_at=LONG_AGO
    )
    desk.force_login(coordinator_of(world.provider))
    page = ask(desk, staff=world.alice.pk)
    assert "Storgatan 1, port" in page and "Bakgatan" not in page and "8888" not in page
    assert "öppnar också 1 dörr som inte är bland era" in page


def test_many_doors_are_paged_in_a_constant_number_of_queries(
    world: World, desk: Browser, django_assert_max_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    for number in range(110):
        door = make_door(world.property, "apartment", number=f"2{number:03}")
        make_client(door, world.team, f"6{number:03}")
        make_binding(door)
    for viewer in (administrator_of(world.municipality), coordinator_of(world.provider)):
        desk.force_login(viewer)
        with django_assert_max_num_queries(30):
            page = ask(desk, staff=world.alice.pk)
        assert "Sida 1 av 2" in page
        assert f"?staff={world.alice.pk}&amp;p=2" in page
