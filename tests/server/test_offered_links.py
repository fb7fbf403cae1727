"""No page offers its reader what that reader may not open."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db.models import Model
from django.test import Client as Browser

from server.people.models import User
from tests.server.pages import (
    REGISTERED,
    address,
    auditor_of,
    coordinator_of,
    installer_of,
    name_of,
    owner_contact_of,
    patrol_of,
)
from tests.server.world import World

pytestmark = pytest.mark.once

TOOLS = re.compile(r'<ul class="object-tools">(.*?)</ul>', re.S)
LINK = re.compile(r'href="([^"#]+)"')


def reader(role: str, world: World) -> User:
    if role == "coordinator":
        return coordinator_of(world.provider)
    if role == "owner_contact":
        return owner_contact_of(world.gate.property.owner)
    makers = {"patrol": patrol_of, "auditor": auditor_of, "installer": installer_of}
    return makers[role](world.municipality)


def pages_of(model: type[Model]) -> list[str]:
    first = model._base_manager.order_by("pk").first()
    return [address(model, "changelist"), *([address(model, "change", first.pk)] if first else [])]


@pytest.mark.parametrize("role", ["patrol", "coordinator", "installer", "auditor", "owner_contact"])
def test_every_button_above_a_page_leads_somewhere(everything: World, role: str) -> None:
    browser = Browser()
    browser.force_login(reader(role, everything))
    refused, followed = {}, set()
    for model in REGISTERED:
        for page in pages_of(model):
            answer = browser.get(page)
            if answer.status_code != 200:
                continue
            shown = answer.content.decode()
            for link in LINK.findall(" ".join(TOOLS.findall(shown))):
                target = unescape(link)
                if target.startswith("/") and target not in followed:
                    followed.add(target)
                    if browser.get(target).status_code >= 400:
                        refused[target] = name_of(model)
    assert followed or role == "owner_contact"
    assert refused == {}


def test_password_is_shown_to_whoever_may_set_it(everything: World) -> None:
    page = address(User, "change", patrol_of(everything.municipality).pk)
    browser = Browser()
    browser.force_login(auditor_of(everything.municipality))
    assert "field-password" not in browser.get(page).content.decode()
