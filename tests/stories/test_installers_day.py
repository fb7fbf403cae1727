"""An installer's day: planned at a desk, worked off on a narrow screen, with locks that state themselves.

The building's gate comes first and its apartments wait for it; one of them waits for a signature as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.server.device import Device
from tests.server.issuer import b64, unb64
from tests.stories.conftest import City, picture

pytestmark = pytest.mark.browser

NARROW = 390
"""A phone held upright."""

PLACE = """
import json
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django_scopes import scope
from server.care.models import Consent
from server.people.models import User
from server.places.models import DoorPath
from server.tenancy.models import Municipality
from tests.server.world import *

municipality = Municipality.objects.get()
with scope(municipality=municipality):
    team = make_team(municipality, "Hemtjänst Monter", "Grupp 1")
    estate = make_estate(municipality, "Brf Skruven", "Skruven 7")
    Consent.objects.create(municipality=municipality, scope="property", property=estate,
                           signed_by="owner", valid_from=LONG_AGO)
    gate = make_door(estate, "gate", address="Skruvgatan 7")
    doors = {"gate": gate.pk}
    for number, code in (("1101", "SKRUV-1"), ("1201", "SKRUV-2")):
        home = make_door(estate, "apartment", address="Skruvgatan 7", number=number, floor=number[1])
        DoorPath.objects.create(municipality=municipality, apartment=home, via=gate)
        consent = make_client(home, team, code)[2]
        doors[number] = home.pk
    consent.delete()
codes = RecoveryCodes.activate(User.objects.get(username=%r)).get_unused_codes()
open(%r, "w").write(json.dumps({"doors": doors, "code": codes[0]}))
"""


@dataclass
class Building:
    """The doors by name, and the installer's own phone, signed in."""

    doors: dict[str, int]
    http: httpx.Client

    def call(self, verb: str, **body: Any) -> httpx.Response:
        """Do what the app does."""
        return self.http.post(f"/api/v1/installer/{verb}", json=body)

    def commission(self, door: str, device: Device, name: str) -> httpx.Response:
        """Tell who the lock is and where it shall sit; the answer holds its package."""
        identity = b64(device.identity_document())
        return self.call("commission", door_id=self.doors[door], lock_identity=identity, lock_name=name)

    def hand_over(self, device: Device, package: str) -> None:
        """Give the lock its package, as over a wire; it verifies what it is given."""
        device.take(unb64(package), at=int(datetime.now(ZoneInfo("Europe/Stockholm")).timestamp()))


@pytest.fixture
def building(city: City, tmp_path: Path) -> Iterator[Building]:
    installer, told = city.name_of("installer"), tmp_path / "building.json"
    city.server.run(PLACE % (installer, str(told)))
    said = json.loads(told.read_text(encoding="utf-8"))
    password = next(one["password"] for one in city.people if one["username"] == installer)
    with httpx.Client(base_url=city.server.url, timeout=30) as http:
        auth = "/_allauth/app/v1/auth"
        halfway = http.post(f"{auth}/login", json={"username": installer, "password": password})
        http.headers["X-Session-Token"] = halfway.json()["meta"]["session_token"]
        signed_in = http.post(f"{auth}/2fa/authenticate", json={"code": said["code"]})
        assert signed_in.status_code == 200, signed_in.text
        http.headers["X-Session-Token"] = (
            signed_in.json()["meta"].get("session_token") or http.headers["X-Session-Token"]
        )
        yield Building(said["doors"], http)


def job(page: Page, text: str) -> Locator:
    """Return one order of the day."""
    return page.locator(".day-stop", has_text="Skruvgatan 7").locator("li[data-state]", has_text=text)


def fits(page: Page) -> None:
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW


def test_an_installers_day(desk: Callable[..., Page], city: City, building: Building) -> None:
    _the_patrol_plans_it(desk("patrol"), city)
    page = desk("installer", width=NARROW)
    page.get_by_role("link", name="Dagens arbete").first.click()
    _the_day_is_in_order(page)
    gate_lock = Device()
    _the_gate_first(page, building, gate_lock)
    _then_the_apartment(page, building)
    _batteries(page)
    _a_dead_lock(page)


def _the_patrol_plans_it(page: Page, city: City) -> None:
    page.get_by_role("link", name="Planera monteringar").first.click()
    page.get_by_label("Sök en fastighet").fill("Skruven 7")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Skruven 7").click()
    rows = page.locator("table.care-table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("port")
    expect(rows.locator("[data-state=blocked]")).to_have_count(2)
    picture(page, "installer-1-plan")
    today = datetime.now(ZoneInfo("Europe/Stockholm")).date()
    page.get_by_label("Planerad till").fill(today.isoformat())
    page.get_by_label("Montör").select_option(label=city.name_of("installer"))
    page.get_by_role("button", name="Gör 3 order").click()
    expect(page.locator(".messagelist")).to_contain_text("3 order")


def _the_day_is_in_order(page: Page) -> None:
    orders = page.locator(".day-stop", has_text="Skruvgatan 7").locator("li[data-state]")
    expect(orders).to_have_count(3)
    for place, (what, state) in enumerate((("port", "ready"), ("1101", "blocked"), ("1201", "blocked"))):
        expect(orders.nth(place)).to_contain_text(what)
        expect(orders.nth(place)).to_have_attribute("data-state", state)
    expect(job(page, "1201")).to_contain_text("SKRUV-2")
    expect(job(page, "1201")).to_contain_text("medgivande saknas", ignore_case=True)
    fits(page)
    picture(page, "installer-2-day")


def _the_gate_first(page: Page, building: Building, lock: Device) -> None:
    answer = building.commission("gate", lock, "Lås porten 7")
    assert answer.status_code == 200, answer.text
    building.hand_over(lock, answer.json()["commission"])
    page.reload()
    expect(job(page, "1101")).to_have_attribute("data-state", "blocked")
    picture(page, "installer-3-gate-commissioned")
    job(page, "port").get_by_role("link", name="Låset tog emot den").click()
    fits(page)
    page.get_by_role("button", name="Låset tog emot den").click()
    expect(page.locator(".messagelist")).to_contain_text("Bekräftat")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dagens arbete")
    expect(job(page, "port")).to_have_count(0)
    expect(job(page, "1101")).to_have_attribute("data-state", "ready")
    expect(job(page, "1201")).to_have_attribute("data-state", "blocked")
    picture(page, "installer-4-gate-done")


def _then_the_apartment(page: Page, building: Building) -> None:
    refused = building.commission("1201", Device(), "Lås utan medgivande")
    assert refused.json()["code"] == "consent_missing"
    lock = Device()
    answer = building.commission("1101", lock, "Lås Skruven 1101")
    building.hand_over(lock, answer.json()["commission"])
    confirmed = building.call("commissioned", lock=b64(lock.lock_id), binding=b64(lock.binding))
    assert confirmed.json()["lock_name"] == "Lås Skruven 1101"
    page.reload()
    expect(job(page, "1101")).to_have_count(0)


def _lock_page(page: Page) -> None:
    page.goto("/admin/locks/lock/")
    page.locator("#searchbar").fill("Lås Skruven 1101")
    page.keyboard.press("Enter")
    page.locator("#result_list tbody th a").first.click()


def _batteries(page: Page) -> None:
    _lock_page(page)
    fits(page)
    picture(page, "installer-5-lock")
    page.get_by_role("link", name="Batterierna är bytta").click()
    page.get_by_role("button", name="Batterierna är bytta").click()
    expect(page.locator(".messagelist")).to_contain_text("klocka", ignore_case=True)
    expect(page.get_by_text("osäker", exact=True)).to_be_visible()


def _a_dead_lock(page: Page) -> None:
    page.get_by_role("link", name="Låset är dött").click()
    page.get_by_role("button", name="Anmäl låset som dött").click()
    expect(page.locator(".messagelist")).to_contain_text("En reparation är beställd")
    picture(page, "installer-6-dead")
    page.get_by_role("link", name="Arbetsorder: ").click()
    order = page.url
    fits(page)
    picture(page, "installer-7-order")
    page.get_by_role("button", name="Klart").click()
    expect(page.locator(".messagelist")).to_contain_text("Klart")
    assert page.url == order
    expect(page.locator(".care-card .chip").first).to_have_text("klar")
    picture(page, "installer-8-done")
