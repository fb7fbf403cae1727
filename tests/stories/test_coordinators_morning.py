"""A coordinator's morning: somebody is ill, somebody is borrowed, a client is in hospital, a right was taken.

Another provider goes in and out at the same gate; nothing of it may be seen on the way.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from protocol.keys import x25519_public
from tests.server.issuer import b64, private_key
from tests.stories.conftest import City, choose, picture

pytestmark = pytest.mark.browser

POOL_TOKEN = "poolen-i-hallen"
HANDED_OVER_WITHIN_S = 120
"""The issue's two minutes; what a browser needs of them is seconds, and the rest is for people."""

PLACE = """
import json
from datetime import timedelta
from django.utils import timezone
from django_scopes import scope
from server.access.domain.break_glass import take
from server.access.domain.issue import issue_ahead
from server.care.models import Consent
from server.people.models import CareProvider, StaffMember, Team, User
from server.places.models import DoorPath
from server.tenancy.models import Municipality
from tests.server.device import Device
from tests.server.issuer import mount, real_phone
from tests.server.world import *

now, municipality = timezone.now(), Municipality.objects.get()
with scope(municipality=municipality):
    ours = User.objects.get(username=%r).provider
    morning, evening = (
        Team.objects.create(municipality=municipality, provider=ours, name=name)
        for name in ("Morgongruppen", "Kvällsgruppen")
    )
    strangers = make_team(municipality, "Främmande Vård AB", "Främmande gruppen")
    estate = make_estate(municipality, "Brf Morgonrodnaden", "Morgonrodnaden 1")
    Consent.objects.create(municipality=municipality, scope="property", property=estate,
                           signed_by="owner", valid_from=LONG_AGO)
    gate = make_door(estate, "gate", address="Morgongatan 1")
    mount(gate, Device(), name="Lås Morgonporten")
    clients = []
    for number, team, code in (("1101", morning, "MORGON-1"), ("1102", strangers, "GRANNE-9")):
        home = make_door(estate, "apartment", address="Morgongatan 1", number=number)
        DoorPath.objects.create(municipality=municipality, apartment=home, via=gate)
        clients.append(make_client(home, team, code)[0])
        mount(home, Device(), name=f"Lås Morgon {number}")
    hours = {"starts_at": now - timedelta(hours=1), "ends_at": now + timedelta(hours=7)}
    for team, name in ((morning, "Anna Arbetande"), (strangers, "Frida Främmande")):
        staff = make_staff(team, name)
        real_phone(make_bearer(staff), name)
        make_shift(staff, team, **hours)
    borrowed = make_staff(evening, "Lena Lånad")
    real_phone(make_bearer(borrowed, is_pool=True, label="Poolen i hallen"), %r)
    own, theirs = clients
    for team, name, client in ((evening, "Bo Brytande", own), (strangers, "Fia Främmande", theirs)):
        staff = make_staff(team, name)
        real_phone(make_bearer(staff), name)
        take(staff=staff, client=client, reason="no_answer", at=now)
    issue_ahead(municipality=municipality, at=now)
    others = CareProvider.objects.exclude(pk=ours.pk)
    own_names = set(StaffMember.objects.filter(provider=ours).values_list("name", flat=True))
    their_names = set(StaffMember.objects.filter(provider__in=others).values_list("name", flat=True))
    foreign = sorted({*others.values_list("name", flat=True), *(their_names - own_names), "GRANNE-9"})
open(%r, "w").write(json.dumps(foreign))
"""


@dataclass
class Morning:
    """The coordinator's page, and every name that has no business on it."""

    page: Page
    foreign: re.Pattern[str]

    def look(self, station: str) -> None:
        """Nothing foreign here."""
        seen = self.foreign.search(self.page.locator("body").inner_text())
        assert seen is None, (station, seen)
        picture(self.page, f"coordinator-{station}")

    def home(self) -> Page:
        """Back to the start page."""
        self.page.goto("/admin/")
        return self.page


@dataclass
class PoolPhone:
    """What the app on the pool phone sends."""

    http: httpx.Client
    device_token: str
    session: str = ""

    def call(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Send it as the app does."""
        headers = {"X-Session-Token": self.session}
        if path.startswith("/api"):
            headers["Authorization"] = f"Device {self.device_token}"
        answer = self.http.post(path, json=body, headers=headers)
        if path.startswith("/_allauth"):
            self.session = answer.json().get("meta", {}).get("session_token", self.session)
        return answer


@pytest.fixture
def morning(desk: Callable[..., Page], city: City, tmp_path: Path) -> Morning:
    told = tmp_path / "foreign.json"
    city.server.run(PLACE % (city.name_of("coordinator"), POOL_TOKEN, str(told)))
    names = json.loads(told.read_text(encoding="utf-8"))
    return Morning(desk("coordinator"), re.compile(r"\b(" + "|".join(map(re.escape, names)) + r")\b"))


def test_a_coordinators_morning(morning: Morning, city: City) -> None:
    page = morning.page
    waiting = page.locator(".cards li", has_text="Nödöppningar att granska")
    expect(waiting.locator("b")).to_have_text("1")  # the neighbour's is the neighbour's
    morning.look("1-start")

    _a_substitute_gets_keys(morning, city)
    _a_colleague_is_borrowed(morning)
    _a_client_is_in_hospital(morning)
    _a_taken_right_is_reviewed(morning)


def _a_substitute_gets_keys(morning: Morning, city: City) -> None:
    began, page = time.monotonic(), morning.home()
    page.get_by_role("link", name="Vikarie i dag").first.click()
    page.get_by_label("Namn", exact=True).fill("Vera Vikarie")
    choose(page, "team", "Morgongruppen")
    morning.look("2-substitute")
    page.get_by_role("button", name="Gör kortet").click()
    card = page.locator(".hand-over")
    expect(card).to_contain_text("Vera Vikarie")
    morning.look("3-card")
    username, password = card.locator("dd").all_inner_texts()
    code, recovery = card.locator(".enrol-code").inner_text(), card.locator(".codes li").first.inner_text()

    with httpx.Client(base_url=city.server.url, timeout=30) as http:
        phone = PoolPhone(http, POOL_TOKEN)
        key = {"bearer_key": b64(x25519_public(private_key())), "key_type": 1}
        enrolled = phone.call(
            "/api/v1/enrol", {"code": code, **key, "app_version": "1.0.0", "phone_model": "Pixel 9"}
        )
        assert enrolled.status_code == 200, enrolled.text
        phone.call("/_allauth/app/v1/auth/login", {"username": username, "password": password})
        signed_in = phone.call("/_allauth/app/v1/auth/2fa/authenticate", {"code": recovery})
        assert signed_in.status_code == 200, signed_in.text
        synced = phone.call("/api/v1/sync", {"cursor": None, "app_version": "1.0.0"}).json()
    assert {(door["address"], door["number"]) for door in synced["doors"]} == {
        ("Morgongatan 1", ""),
        ("Morgongatan 1", "1101"),
    }
    assert len(synced["rights"]) == 2
    assert time.monotonic() - began < HANDED_OVER_WITHIN_S


def _a_colleague_is_borrowed(morning: Morning) -> None:
    page = morning.home()
    page.get_by_role("link", name="Ge behörighet direkt").first.click()
    choose(page, "staff", "Lena Lånad")
    choose(page, "team", "Morgongruppen")
    page.get_by_role("button", name="Ge behörigheten nu").click()
    expect(page.locator(".messagelist")).to_contain_text("Lena Lånad kan öppna till")
    expect(page.locator("table.verdicts tbody tr", has_text="Lena Lånad")).to_contain_text("Morgongruppen")
    morning.look("4-borrowed")


def _a_client_is_in_hospital(morning: Morning) -> None:
    page = morning.home()
    page.locator("nav.work").get_by_role("link", name="Brukare", exact=True).click()
    page.locator("#searchbar").fill("MORGON-1")
    page.keyboard.press("Enter")
    page.locator("#result_list tbody th a").first.click()
    page.get_by_role("button", name="Pausa (sjukhusvistelse)").click()
    expect(page.locator(".care-card.state .chip")).to_have_text("pausad")
    morning.look("5-hospital")
    may_open = page.get_by_role("link", name="Vem får öppna nu?")
    may_open.click()
    expect(page.get_by_text("Bara ett larm öppnar här.")).to_be_visible()
    expect(page.locator("tr[data-opens=no]").first).to_contain_text("Insatsen är pausad.")
    expect(page.locator("tr[data-opens=yes]")).to_have_count(0)
    morning.look("6-nobody")

    page.go_back()
    page.get_by_role("button", name="Tillbaka från sjukhuset").click()
    expect(page.locator(".care-card.state .chip")).to_have_text("har insats")
    may_open.click()
    for name in ("Anna Arbetande", "Vera Vikarie", "Lena Lånad"):
        expect(page.locator("tr[data-opens=yes]", has_text=name)).to_have_count(1)
    morning.look("7-who-and-why")


def _a_taken_right_is_reviewed(morning: Morning) -> None:
    page = morning.home()
    page.locator(".cards a", has_text="Nödöppningar att granska").click()
    row = page.locator("table.verdicts tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Bo Brytande")
    morning.look("8-review")
    row.get_by_role("button", name="Befogad", exact=True).click()
    expect(page.get_by_text("Inget väntar på granskning.")).to_be_visible()
    expect(morning.home().locator(".cards")).not_to_contain_text("Nödöppningar att granska")
    morning.look("9-done")
