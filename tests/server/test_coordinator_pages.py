"""What a coordinator does at the administration's own pages, and what a forged form cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from server.audit.models import AuditEntry
from server.care.models import CareAssignment, Client
from server.people.models import Phone, StaffMember, Team, User
from server.places.models import Door
from tests.server.neighbours import Neighbours
from tests.server.pages import address, coordinator_of
from tests.server.world import World, make_bearer, make_client

pytestmark = pytest.mark.once


@pytest.fixture
def planner(neighbours: Neighbours, client: Browser) -> Browser:
    """A browser in which our provider's coordinator is signed in."""
    client.force_login(coordinator_of(neighbours.ours.provider))
    return client


def test_a_new_team_is_the_own_providers_whatever_the_form_says(
    planner: Browser, neighbours: Neighbours
) -> None:
    sent = {"name": "Grupp 2", "provider": neighbours.theirs.provider.pk}
    assert planner.post(address(Team, "add"), sent).status_code == 302
    assert Team.objects.get(name="Grupp 2").provider == neighbours.ours.provider
    [entry] = AuditEntry.objects.filter(object_type="people.team", action="admin.added")
    assert entry.acting_as == "coordinator"


def test_what_is_unique_is_explained_not_crashed(planner: Browser, neighbours: Neighbours) -> None:
    answer = planner.post(address(Team, "add"), {"name": neighbours.ours.team.name})
    assert answer.status_code == 200 and answer.context["adminform"].form.errors


def test_a_coordinator_adds_staff_and_cannot_take_somebody_elses_sign_in(
    planner: Browser, neighbours: Neighbours
) -> None:
    user = neighbours.theirs.alice.user
    assert user is not None
    sent: dict[str, Any] = {"name": "Nora", "employed_from": "2026-01-01", "user": user.pk, "source": "x"}
    assert planner.post(address(StaffMember, "add"), sent).status_code == 302
    nora = StaffMember.objects.get(name="Nora")
    assert (nora.provider, nora.user, nora.source) == (neighbours.ours.provider, None, "")


def test_a_coordinator_moves_an_assignment_between_own_teams_and_no_further(
    planner: Browser, neighbours: Neighbours
) -> None:
    ours = neighbours.ours
    second = Team.objects.create(municipality=ours.municipality, provider=ours.provider, name="Grupp 2")
    path = address(CareAssignment, "change", ours.assignment.pk)
    sent = {
        "client": neighbours.theirs.client.pk,
        "team": second.pk,
        "provider": neighbours.theirs.provider.pk,
    }
    assert planner.post(path, sent).status_code == 302
    ours.assignment.refresh_from_db()
    assert (ours.assignment.team, ours.assignment.client) == (second, ours.client)
    assert planner.post(path, {"team": neighbours.theirs.team.pk}).status_code == 200
    ours.assignment.refresh_from_db()
    assert ours.assignment.team == second


def test_a_shared_gate_is_seen_and_not_changed(planner: Browser, neighbours: Neighbours) -> None:
    gate = address(Door, "change", neighbours.ours.gate.pk)
    assert planner.get(gate).status_code == 200
    assert planner.post(gate, {"fallback_kind": "patrol"}).status_code == 403


def test_of_an_own_apartment_only_the_way_in_is_changed(planner: Browser, neighbours: Neighbours) -> None:
    door = neighbours.ours.apartment
    form = {"fallback_kind": "patrol", "must_sign": "owner", "address": "Annangatan 1"}
    rows = {"path-TOTAL_FORMS": 0, "path-INITIAL_FORMS": 0}
    assert planner.post(address(Door, "change", door.pk), {**form, **rows}).status_code == 302
    door.refresh_from_db()
    assert (door.fallback_kind, door.must_sign, door.address) == ("patrol", "resident", "Storgatan 1")


def test_a_pool_phone_with_anothers_key_is_seen_and_not_changed(
    planner: Browser, neighbours: Neighbours
) -> None:
    phone = neighbours.ours.phone
    assert planner.get(address(Phone, "change", phone.pk)).status_code == 200
    bearer = make_bearer(neighbours.theirs.alice)
    bearer.phone = phone
    bearer.save()
    assert planner.post(address(Phone, "change", phone.pk), {"label": "Min"}).status_code == 403


def test_rule_08_searching_an_own_door_for_anothers_client_finds_nothing(
    planner: Browser, neighbours: Neighbours
) -> None:
    make_client(neighbours.ours.apartment, neighbours.theirs.team, "9999")
    found = planner.get(address(Door, "changelist"), {"q": "4711"}).context["cl"].result_count
    assert found == 1
    for word in ("9999", "999"):
        assert planner.get(address(Door, "changelist"), {"q": word}).context["cl"].result_count == 0
    probe = planner.get(address(Door, "changelist"), {"clients__alarm_code": "9999"})
    assert probe.status_code in (302, 400)


def test_nobody_of_the_municipality_is_no_error(client: Browser, everything: World) -> None:
    stray = User.objects.create_user("stray", is_staff=True)
    client.force_login(stray)
    pages = [reverse("admin:index"), reverse("admin:live"), address(Client, "changelist")]
    assert {client.get(path).status_code for path in pages} <= {200, 302, 403}


def test_an_operator_gets_every_list_and_the_live_page(client: Browser, everything: World) -> None:
    client.force_login(User.objects.create_superuser("drift"))
    for path in (reverse("admin:index"), reverse("admin:live"), address(Client, "changelist")):
        assert client.get(path).status_code == 200
