"""Giving a right, ending it, and reviewing an emergency right; two providers share a gate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from server.access.domain.break_glass import take
from server.access.domain.extra import give
from server.access.models import ExtraRight, StandingRight
from server.audit.models import AuditEntry
from server.passages.models import Deviation
from server.people.models import StaffMember, Team
from tests.server.issuer import Issuer
from tests.server.pages import coordinator_of, patrol_of
from tests.server.world import HOUR, NOW, World, make_client, make_door, make_staff, make_team

pytestmark = pytest.mark.once

GIVE, REVIEW = reverse("admin:access_give"), reverse("admin:access_review")


@dataclass
class Neighbour:
    """Another provider behind the same gate, with names that stand out."""

    team: Team
    staff: StaffMember
    right: ExtraRight
    taken: ExtraRight


@pytest.fixture
def world(issuer: Issuer) -> World:
    """The world with real keys, for a right is issued as it is given."""
    return issuer.world


@pytest.fixture
def desk(world: World, client: Browser, settings: Any) -> Iterator[Browser]:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(NOW, tick=False):
        client.force_login(coordinator_of(world.provider))
        yield client


@pytest.fixture
def neighbour(world: World) -> Neighbour:
    team = make_team(world.municipality, "Främling AB", "Främmande grupp")
    staff = make_staff(team, "Främling Frida")
    shared, _, _ = make_client(world.apartment, team, "4799")
    return Neighbour(
        team,
        staff,
        give_to(staff, team=team),
        take(staff=staff, client=shared, reason="no_answer", at=NOW),
    )


def give_to(staff: StaffMember, **target: Any) -> ExtraRight:
    fields = {"kind": "adhoc", "reason": "borrowed", "starts_at": NOW, "ends_at": NOW + HOUR, "at": NOW}
    return give(staff=staff, provider=staff.provider, **fields, **target)


def form(world: World, **more: Any) -> dict[str, Any]:
    until = timezone.localtime(NOW + 8 * HOUR).strftime("%Y-%m-%dT%H:%M")
    return {"staff": world.alice.pk, "team": world.team.pk, "until": until, "reason": "borrowed", **more}


def test_the_form_comes_filled_in_and_one_post_gives_the_right(world: World, desk: Browser) -> None:
    page = desk.get(GIVE).content.decode()
    assert 'value="2026-11-23T15:30"' in page, "eight hours from half past seven"
    assert f'<option value="{world.team.pk}" selected>' in page, "the only team there is"
    assert desk.post(GIVE, form(world)).status_code == 302
    right = ExtraRight.objects.get()
    assert (right.staff, right.team, right.kind) == (world.alice, world.team, "adhoc")
    assert right.given_by is not None and right.given_by.provider == world.provider
    page = desk.get(GIVE).content.decode()
    assert "Alice Andersson" in page and "Lånad kollega" in page.replace("lånad", "Lånad")
    entry = AuditEntry.objects.get(action="access.extra_given")
    assert (entry.acting_as, entry.reason) == ("coordinator", "borrowed")


def test_it_is_ended_with_one_press(world: World, desk: Browser) -> None:
    right = give_to(world.alice, team=world.team)
    end = reverse("admin:access_end", args=[right.pk])
    assert end in desk.get(GIVE).content.decode()
    assert desk.get(end).status_code == 405
    assert desk.post(end).status_code == 302
    right.refresh_from_db()
    assert right.withdrawn_at == NOW
    assert "Ingen extra behörighet pågår" in desk.get(GIVE).content.decode()


WRONG: dict[str, dict[str, str]] = {
    "both": {"alarm_code": "4711"},
    "neither": {"team": ""},
    "nobody": {"staff": ""},
    "in the past": {"until": "2026-11-23T07:00"},
    "too long": {"until": "2026-11-25T07:00"},
    "no such client": {"team": "", "alarm_code": "9999"},
    "no reason": {"reason": ""},
    "a reason that is the staff's": {"reason": "no_answer"},
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_nothing_given(world: World, desk: Browser, case: str) -> None:
    answer = desk.post(GIVE, form(world, **WRONG[case]))
    assert answer.status_code == 200 and "errorlist" in answer.content.decode()
    assert not ExtraRight.objects.exists()


def test_rule_08_nothing_of_another_provider_is_seen_or_reached(
    world: World, desk: Browser, neighbour: Neighbour
) -> None:
    pages = [GIVE, REVIEW, reverse("admin:access_extraright_changelist")]
    for page in pages:
        assert "Främ" not in desk.get(page).content.decode() and "4799" not in desk.get(page).content.decode()
    foreign = [
        form(world, staff=neighbour.staff.pk),
        form(world, team=neighbour.team.pk),
        form(world, team="", alarm_code="4799"),
    ]
    for attempt in foreign:
        assert "Främ" not in desk.post(GIVE, attempt).content.decode()
    assert desk.post(reverse("admin:access_end", args=[neighbour.right.pk])).status_code == 404
    assert desk.post(REVIEW, {"right": neighbour.taken.pk, "verdict": "justified"}).status_code == 404
    for right in (neighbour.right, neighbour.taken):
        right.refresh_from_db()
        assert right.withdrawn_at is None and right.reviewed_at is None
        assert desk.get(reverse("admin:access_extraright_change", args=[right.pk])).status_code == 302
    assert ExtraRight.objects.count() == 2


def test_the_patrol_sees_and_ends_everybodys(world: World, desk: Browser, neighbour: Neighbour) -> None:
    desk.force_login(patrol_of(world.municipality))
    assert "Främling Frida" in desk.get(GIVE).content.decode()
    assert desk.post(GIVE, form(world, team=neighbour.team.pk)).status_code == 200, "not the own provider's"
    assert desk.post(reverse("admin:access_end", args=[neighbour.right.pk])).status_code == 302
    assert "Främling Frida" in desk.get(REVIEW).content.decode()


def test_an_emergency_right_waits_on_the_start_page_until_it_is_reviewed(world: World, desk: Browser) -> None:
    taken = take(staff=world.alice, client=world.client, reason="call_for_help", at=NOW)
    assert "Nödöppningar att granska" in desk.get(reverse("admin:index")).content.decode()
    page = desk.get(REVIEW).content.decode()
    assert "Alice Andersson" in page and "4711" in page and "Någon ropar på hjälp" in page
    assert desk.post(REVIEW, {"right": taken.pk, "verdict": "justified"}).status_code == 302
    taken.refresh_from_db()
    assert (taken.verdict, taken.reviewed_at) == ("justified", NOW)
    assert taken.reviewed_by is not None and taken.reviewed_by.provider == world.provider
    deviation = Deviation.objects.get(kind="break_glass")
    assert (deviation.closed_at, deviation.resolution) == (NOW, "explained")
    assert "Inget väntar på granskning" in desk.get(REVIEW).content.decode()
    assert "Nödöppningar att granska" not in desk.get(reverse("admin:index")).content.decode()
    desk.post(REVIEW, {"right": taken.pk, "verdict": "not_justified"})
    taken.refresh_from_db()
    assert taken.verdict == "justified", "once said it stands"


def test_nobody_reviews_a_right_of_their_own(world: World, desk: Browser) -> None:
    taken = take(staff=world.alice, client=world.client, reason="other", at=NOW)
    world.alice.user = coordinator_of(make_team(world.municipality, "Annan AB", "G").provider)
    world.alice.user.provider = world.provider
    world.alice.user.save()
    world.alice.save()
    desk.force_login(world.alice.user)
    desk.post(REVIEW, {"right": taken.pk, "verdict": "justified"})
    taken.refresh_from_db()
    assert taken.reviewed_at is None


def test_only_the_patrol_gives_a_standing_right(world: World, desk: Browser) -> None:
    add = reverse("admin:access_standingright_add")
    said = {"team": world.team.pk, "everywhere": "on", "starts_at_0": "2026-11-23", "starts_at_1": "07:00"}
    assert desk.post(add, said).status_code == 403
    desk.force_login(patrol_of(world.municipality))
    assert desk.post(add, {**said, "everywhere": ""}).status_code == 200, "areas or everywhere"
    assert desk.post(add, said).status_code == 302
    assert StandingRight.objects.get().everywhere


def test_no_page_grows_with_its_rows(
    world: World, desk: Browser, django_assert_max_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    for number in range(8):
        door = make_door(world.property, "apartment", number=f"3{number}")
        client, _, _ = make_client(door, world.team, f"70{number}")
        person = make_staff(world.team, f"Person {number}")
        give_to(person, client=client)
        ExtraRight.objects.filter(staff=person).update(kind="break_glass" if number % 2 else "adhoc")
    for page in (GIVE, REVIEW, reverse("admin:access_extraright_changelist"), reverse("admin:index")):
        with django_assert_max_num_queries(30):
            assert desk.get(page).status_code == 200
