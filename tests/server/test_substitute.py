"""A substitute who came this morning, end to end over HTTP: from the coordinator's form to keys in a phone.

No administrator takes part, and the whole of it is counted in requests.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from protocol.keys import x25519_public
from server.access.domain.substitutes import close_sign_ins
from server.audit.models import AuditEntry
from server.care.models import Shift
from server.people.models import Bearer, StaffMember, User
from tests.server.issuer import Issuer, b64, private_key
from tests.server.pages import coordinator_of
from tests.server.world import HOUR, NOW, SHIFT_END, World, make_staff, make_team

PAGE = reverse("admin:access_substitute")


@dataclass
class Counted:
    """A pool phone's and a desk's HTTP together, counting what goes over the wire."""

    browser: Browser
    device_token: str
    phone: Browser = field(default_factory=Browser)
    requests: int = 0
    session: str = ""
    seen: list[str] = field(default_factory=list)

    def call(self, path: str, body: dict[str, Any]) -> Any:
        self.requests += 1
        self.seen.append(path)
        headers = {"X-Session-Token": self.session}
        if path.startswith("/api"):
            headers["Authorization"] = f"Device {self.device_token}"
        answer = self.phone.post(path, body, content_type="application/json", headers=headers)
        if path.startswith("/_allauth"):
            self.session = answer.json().get("meta", {}).get("session_token", self.session)
        return answer

    def page(self, **form: Any) -> str:
        self.requests += 1
        answer = self.browser.post(PAGE, form) if form else self.browser.get(PAGE)
        assert answer.status_code == 200
        return html.unescape(answer.content.decode())


@pytest.fixture
def desk(issuer: Issuer, client: Browser, settings: Any) -> Iterator[Counted]:
    """The provider's coordinator at a browser, beside a pool phone that Alice uses already."""
    settings.SECOND_FACTOR_REQUIRED = False
    issuer.world.phone.is_pool = True
    issuer.world.phone.save()
    with time_machine.travel(NOW, tick=False):
        client.force_login(coordinator_of(issuer.world.provider))
        yield Counted(client, issuer.device_token)


def form_for(world: World, **more: Any) -> dict[str, Any]:
    local = timezone.localtime
    hours = {
        "starts_at": local(NOW).strftime("%Y-%m-%dT%H:%M"),
        "ends_at": local(NOW + 8 * HOUR).strftime("%Y-%m-%dT%H:%M"),
    }
    return {"team": world.team.pk, **hours, **more}


def card_of(page: str) -> dict[str, Any]:
    """Read what is printed, as a person would."""
    username, password = re.findall(r"<dd>([^<]+)</dd>", page)
    codes = re.search(r'<ol class="codes">(.*?)</ol>', page, re.DOTALL)
    enrolment = re.search(r'class="enrol-code">([^<]+)<', page)
    assert codes and enrolment
    return {
        "username": username,
        "password": password,
        "codes": re.findall(r"<li>(\d+)</li>", codes.group(1)),
        "enrolment": enrolment.group(1),
    }


def enrol_and_sign_in(phone: Counted, card: dict[str, Any]) -> Any:
    key = x25519_public(private_key())
    enrolled = phone.call(
        "/api/v1/enrol",
        {
            "code": card["enrolment"],
            "bearer_key": b64(key),
            "key_type": 1,
            "app_version": "1.0.0",
            "phone_model": "Pixel 9",
        },
    )
    assert enrolled.status_code == 200, enrolled.content
    assert enrolled.json()["device_token"] == phone.device_token, "the pool phone stays the phone it was"
    signing_in = {"username": card["username"], "password": card["password"]}
    first = phone.call("/_allauth/app/v1/auth/login", signing_in)
    assert first.status_code == 401, "a password alone is not enough"
    done = phone.call("/_allauth/app/v1/auth/2fa/authenticate", {"code": card["codes"][0]})
    assert done.status_code == 200, done.content
    return phone.call("/api/v1/sync", {"cursor": None, "app_version": "1.0.0"})


def test_a_substitute_has_keys_after_six_requests_and_no_administrator(issuer: Issuer, desk: Counted) -> None:
    assert "Vikarie i dag" in desk.page()
    card = card_of(desk.page(**form_for(issuer.world, name="Vera Vikarie")))
    synced = enrol_and_sign_in(desk, card)
    assert synced.status_code == 200, synced.content
    world = issuer.world
    bindings = {b64(bytes(world.gate_binding.binding_id)), b64(bytes(world.apartment_binding.binding_id))}
    assert {right["binding"] for right in synced.json()["rights"]} == bindings
    assert desk.requests == 6, desk.seen
    vera = StaffMember.objects.get(name="Vera Vikarie")
    assert vera.employed_to == timezone.localdate(NOW)
    assert Bearer.objects.get(staff=vera).phone == world.phone
    assert Shift.objects.get(staff=vera).team == world.team
    made = AuditEntry.objects.filter(actor__username__startswith="samordnare")
    assert {"people.sign_in_made", "enrolment.code_made", "admin.added"} <= set(
        made.values_list("action", flat=True)
    )


def test_a_recovery_code_is_good_once(issuer: Issuer, desk: Counted) -> None:
    card = card_of(desk.page(**form_for(issuer.world, name="Vera Vikarie")))
    enrol_and_sign_in(desk, card)
    cache.clear()
    desk.session = ""
    desk.call("/_allauth/app/v1/auth/login", {"username": card["username"], "password": card["password"]})
    again = desk.call("/_allauth/app/v1/auth/2fa/authenticate", {"code": card["codes"][0]})
    assert again.status_code == 400
    assert len(set(card["codes"])) == 10


def test_the_sign_in_closes_by_itself_after_the_last_day(issuer: Issuer, desk: Counted) -> None:
    card = card_of(desk.page(**form_for(issuer.world, name="Vera Vikarie")))
    enrol_and_sign_in(desk, card)
    tonight, tomorrow = NOW + 12 * HOUR, NOW + timedelta(days=1)
    assert close_sign_ins(issuer.municipality, at=tonight) == 0
    assert close_sign_ins(issuer.municipality, at=tomorrow) == 1
    assert close_sign_ins(issuer.municipality, at=tomorrow) == 0
    with time_machine.travel(tomorrow, tick=False):
        answer = desk.call("/api/v1/sync", {"cursor": None, "app_version": "1.0.0"})
        assert answer.json()["code"] == "session_missing"
    assert AuditEntry.objects.filter(action="people.sign_in_closed").count() == 1


def test_closing_leaves_whoever_works_in_the_administration(issuer: Issuer) -> None:
    alice = issuer.world.alice
    alice.user = coordinator_of(issuer.world.provider)
    alice.employed_to = NOW.date()
    alice.save()
    assert close_sign_ins(issuer.municipality, at=NOW + timedelta(days=3)) == 0


def test_who_worked_here_before_is_employed_again_and_gets_a_new_sign_in(
    issuer: Issuer, desk: Counted
) -> None:
    first = card_of(desk.page(**form_for(issuer.world, name="Vera Vikarie")))
    vera = StaffMember.objects.get(name="Vera Vikarie")
    close_sign_ins(issuer.municipality, at=NOW + timedelta(days=2))
    next_week = NOW + timedelta(days=7)
    local = timezone.localtime
    form = form_for(issuer.world, staff=vera.pk) | {
        "starts_at": local(next_week).strftime("%Y-%m-%dT%H:%M"),
        "ends_at": local(next_week + 8 * HOUR).strftime("%Y-%m-%dT%H:%M"),
    }
    with time_machine.travel(next_week, tick=False):
        desk.browser.force_login(User.objects.get(username__startswith="samordnare"))
        second = card_of(desk.page(**form))
        assert second["username"] == first["username"]
        assert second["password"] != first["password"]
        assert enrol_and_sign_in(desk, second).status_code == 200
    vera.refresh_from_db()
    assert vera.employed_to == timezone.localdate(next_week)


def test_a_working_sign_in_is_left_alone(issuer: Issuer, desk: Counted) -> None:
    desk.page(**form_for(issuer.world, name="Vera Vikarie"))
    vera = StaffMember.objects.get(name="Vera Vikarie")
    kept = User.objects.get(pk=vera.user_id).password
    page = desk.page(**form_for(issuer.world, staff=vera.pk))
    assert "Med vanligt användarnamn" in page and 'class="codes"' not in page
    assert User.objects.get(pk=vera.user_id).password == kept
    assert 'class="codes"' in desk.page(**form_for(issuer.world, staff=vera.pk, new_sign_in="on"))


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "Vera", "ends_at": "2026-11-25T16:00"},
        {"name": "Vera", "ends_at": "2026-11-23T07:00"},
        {"name": "Vera", "team": ""},
    ],
)
def test_half_a_form_makes_nothing(issuer: Issuer, desk: Counted, change: dict[str, str]) -> None:
    people = StaffMember.objects.count()
    assert 'class="hand-over"' not in desk.page(**form_for(issuer.world) | change)
    assert StaffMember.objects.count() == people


def test_rule_08_another_providers_team_and_staff_cannot_be_chosen(issuer: Issuer, desk: Counted) -> None:
    world = issuer.world
    stranger_team = make_team(world.municipality, "Främling AB", "Främmande grupp")
    stranger = make_staff(stranger_team, "Främling Frida")
    for form in ({"name": "Vera", "team": stranger_team.pk}, {"staff": stranger.pk}):
        page = desk.page(**form_for(world, **form))
        assert 'class="hand-over"' not in page and "Främling" not in page
    assert not User.objects.filter(username__startswith="vik-").exists()


def test_the_card_is_never_kept_by_the_browser_and_needs_permission(issuer: Issuer, desk: Counted) -> None:
    answer = desk.browser.post(PAGE, form_for(issuer.world, name="Vera Vikarie"))
    assert "no-store" in answer.headers["Cache-Control"]
    assert SHIFT_END > NOW
    desk.browser.force_login(User.objects.create_user("bob", municipality=issuer.municipality, is_staff=True))
    assert desk.browser.get(PAGE).status_code == 403
