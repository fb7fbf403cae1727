"""A provider's own people bring rows under a source of their own: others' identities cannot be asked for."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse

from server.integrations.domain.keys import make_key
from server.people.models import StaffMember
from tests.server.pages import administrator_of, coordinator_of, patrol_of
from tests.server.world import NOW, World, make_staff, make_team

ADD = reverse("admin:integrations_importrun_add")
HEAD = "external_id;provider;name;employed_from"


@pytest.fixture
def planner(world: World, client: Browser, settings: Any) -> Browser:
    """A browser in which the provider's coordinator is signed in."""
    settings.SECOND_FACTOR_REQUIRED = False
    client.force_login(coordinator_of(world.provider))
    return client


def bring(browser: Browser, identity: str, **more: str) -> Any:
    text = f"{HEAD}\n{identity};Hemtjänst Norr;Nora Nord;2026-01-01\n"
    file = SimpleUploadedFile("a.csv", text.encode())
    return browser.post(ADD, {"kind": "staff", "source": "planering", "file": file, **more})


def test_rule_08_which_identities_others_have_cannot_be_asked(planner: Browser, world: World) -> None:
    other = make_team(world.municipality, "Hemtjänst Syd", "Grupp Syd")
    make_staff(other, "Erik Ek", source="planering", external_id="B-7")
    known, unknown = bring(planner, "B-7"), bring(planner, "B-8")
    for answer in (known, unknown):
        assert answer.context["form"].errors["source"] == [
            "Andras rader kommer från den källan. Skriv en egen."
        ]
        assert "outcome" not in answer.context
    assert bring(planner, "B-8", source="norrs", **{"import": "1"}).status_code == 302
    assert bring(planner, "B-8", source="norrs").context["outcome"].unchanged == 1


def test_identities_of_the_municipalitys_system_cannot_be_taken_before_it_comes(
    planner: Browser, world: World
) -> None:
    asked: dict[str, Any] = {"municipality": world.municipality, "source": "planering", "at": NOW}
    boss = administrator_of(world.municipality)
    make_key(name="Klienter", scopes=["clients"], actor=boss, **asked)
    make_key(name="Norrs", scopes=["staff"], provider=world.provider, actor=boss, **asked)
    assert "outcome" in bring(planner, "A-1").context, "neither key brings others' staff"
    make_key(name="Planering", scopes=["staff"], actor=boss, **asked)
    assert bring(planner, "A-1", **{"import": "1"}).context["form"].errors["source"]
    assert not StaffMember.objects.filter(external_id="A-1").exists()
    planner.force_login(patrol_of(world.municipality))
    assert bring(planner, "A-1", **{"import": "1"}).status_code == 302
