"""A provider that was shut out: its planners see and do nothing more, until it is taken in again."""

from __future__ import annotations

from typing import Any

from django.test import Client as Browser
from django.urls import reverse

from server.care.models import Client
from server.people.models import StaffMember
from server.places.models import Door
from tests.server.pages import address, coordinator_of
from tests.server.world import World


def test_planners_of_a_shut_out_provider_see_and_do_nothing(
    world: World, client: Browser, settings: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    client.force_login(coordinator_of(world.provider))
    pages = [address(Client, "changelist"), address(Door, "change", world.apartment.pk)]
    pages += [reverse("admin:access_give"), reverse("admin:access_substitute")]
    assert {client.get(page).status_code for page in pages} == {200}

    world.provider.active = False
    world.provider.save()
    assert {client.get(page).status_code for page in pages} == {403}
    sent = {"name": "Nora", "employed_from": "2026-01-01"}
    assert client.post(address(StaffMember, "add"), sent).status_code == 403
    assert client.get(reverse("admin:index")).status_code == 200

    world.provider.active = True
    world.provider.save()
    assert {client.get(page).status_code for page in pages} == {200}
