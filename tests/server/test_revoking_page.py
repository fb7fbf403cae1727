"""Revoking in the administration: the exposure before and after, a reason, a tick, and nothing by a slip."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from server.access.domain.exposure import couriers
from server.access.domain.extra import give
from server.access.domain.issue import issue_ahead
from server.access.domain.revoke import revoke_phone
from server.access.models import Revocation, Token
from server.audit.models import AuditEntry
from server.people.models import User
from server.people.queries import note_contact
from server.places.models import Door
from tests.server.issuer import Issuer, second_phone
from tests.server.pages import coordinator_of
from tests.server.world import (
    HOUR,
    NOW,
    SHIFT_END,
    SHIFT_START,
    make_binding,
    make_client,
    make_door,
    make_shift,
    make_staff,
    make_team,
)

pytestmark = pytest.mark.once

ORDER = {"reason": "lost", "sure": "on"}


@pytest.fixture
def desk(issuer: Issuer, client: Browser, settings: Any) -> Iterator[Browser]:
    settings.SECOND_FACTOR_REQUIRED = False
    issue_ahead(municipality=issuer.municipality, at=NOW)
    with time_machine.travel(NOW + timedelta(minutes=1)):
        client.force_login(User.objects.create_superuser("chef", municipality=issuer.municipality))
        yield client


def targets(issuer: Issuer) -> dict[str, Any]:
    world = issuer.world
    return {
        "token": issuer.token_at(world.gate_binding),
        "bearer": world.bearer,
        "phone": world.phone,
        "staff": world.alice,
        "provider": world.provider,
    }


def path_of(target: str, pk: int) -> str:
    return reverse("admin:revoke", args=[target, pk])


@pytest.mark.parametrize("target", ["token", "bearer", "phone", "staff", "provider"])
def test_exposure_is_shown_then_the_order_is_carried_out(desk: Browser, issuer: Issuer, target: str) -> None:
    what = targets(issuer)[target]
    change = reverse(f"admin:{what._meta.label_lower.replace('.', '_')}_change", args=[what.pk])
    path = path_of(target, what.pk)
    assert path in desk.get(change).content.decode()

    before = desk.get(path).content.decode()
    assert "Storgatan 1, port" in before and "2026-11-23 16:30" in before
    assert Revocation.objects.count() == 0

    assert desk.post(path, ORDER).status_code == 302
    after = desk.get(path).content.decode()
    assert "Spärrad" in after and "inte ännu" in after and 'type="submit" class="danger"' not in after
    revocation = Revocation.objects.get()
    assert (revocation.target, revocation.reason, revocation.by) == (
        target,
        "lost",
        User.objects.get(username="chef"),
    )
    left = Token.objects.filter(revoked_at__isnull=True).count()
    assert left == (1 if target == "token" else 0)
    assert AuditEntry.objects.filter(action="access.revoked", actor__username="chef").count() == 1

    desk.post(path, ORDER)
    assert Revocation.objects.count() == 1, "what is revoked cannot be revoked twice"


@pytest.mark.parametrize("order", [{}, {"reason": "lost"}, {"sure": "on"}, {"reason": "x", "sure": "on"}])
def test_nothing_is_revoked_by_a_slip(desk: Browser, issuer: Issuer, order: dict[str, str]) -> None:
    assert desk.post(path_of("phone", issuer.world.phone.pk), order).status_code == 200
    assert Revocation.objects.count() == 0


def test_rule_08_another_municipalitys_phone_is_not_found(
    desk: Browser, issuer: Issuer, other_issuer: Issuer
) -> None:
    for target, what in targets(issuer).items():
        foreign = type(what).unscoped.filter(municipality=other_issuer.municipality).first()
        pk = foreign.pk if foreign else 10**9
        assert desk.post(path_of(target, pk), ORDER).status_code == 404
    assert desk.get(path_of("client", issuer.world.client.pk)).status_code == 404


def test_only_who_may_revoke_may(desk: Browser, issuer: Issuer) -> None:
    desk.force_login(User.objects.create_user("bob", municipality=issuer.municipality, is_staff=True))
    assert desk.post(path_of("phone", issuer.world.phone.pk), ORDER).status_code == 403
    assert Revocation.objects.count() == 0


def test_couriers_with_the_news_come_first_then_who_opens_next(desk: Browser, issuer: Issuer) -> None:
    world = issuer.world
    late = second_phone(issuer, make_staff(world.team, "Kvälls-Karin"), "karins-telefon")
    make_shift(late.staff, world.team, starts_at=SHIFT_START + 6 * HOUR, ends_at=SHIFT_END + 6 * HOUR)
    early = second_phone(issuer, make_staff(world.team, "Bob Berg"), "bobs-telefon")
    make_shift(early.staff, world.team)
    issue_ahead(municipality=issuer.municipality, at=NOW)
    now = NOW + timedelta(minutes=1)
    revoke_phone(phone=world.phone, reason="lost", at=now)
    binding = world.gate_binding.pk
    names = [one.staff for one in couriers([binding], besides=world.phone, at=now)[binding]]
    assert names == ["Bob Berg", "Kvälls-Karin"]
    note_contact(late.phone, at=now, last_sync_at=now + timedelta(seconds=30))
    first, second = couriers([binding], besides=world.phone, at=now)[binding]
    assert (first.staff, first.carries) == ("Kvälls-Karin", True)
    assert (second.staff, second.carries) == ("Bob Berg", False)


def test_rule_08_another_providers_couriers_are_not_shown_to_a_coordinator(
    desk: Browser, issuer: Issuer
) -> None:
    world = issuer.world
    stranger_team = make_team(world.municipality, "Främling AB", "Grupp 9")
    make_client(world.apartment, stranger_team, "4799")
    stranger = second_phone(issuer, make_staff(stranger_team, "Främling Frida"), "fridas-telefon")
    make_shift(stranger.staff, stranger_team)
    issue_ahead(municipality=issuer.municipality, at=NOW)
    path = path_of("phone", world.phone.pk)
    assert "Främling Frida" in desk.get(path).content.decode()
    desk.force_login(coordinator_of(world.provider))
    page = desk.get(path).content.decode()
    assert "Storgatan 1, port" in page and "Främling" not in page
    assert desk.get(path_of("phone", stranger.phone.pk)).status_code == 404
    assert desk.get(path_of("provider", world.provider.pk)).status_code == 403


def test_an_exposure_of_many_doors_is_paged_in_a_constant_number_of_queries(
    desk: Browser, issuer: Issuer, django_assert_max_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    world = issuer.world
    for number in range(60):
        door = make_door(world.property, Door.Kind.APARTMENT, number=f"2{number:03}")
        make_client(door, world.team, f"6{number:03}")
        make_binding(door)
    issue_ahead(municipality=issuer.municipality, at=NOW)
    path = path_of("provider", world.provider.pk)
    with django_assert_max_num_queries(25):
        first = desk.get(path).content.decode()
    assert "62 dörrar" in first and "Sida 1 av 2" in first
    assert desk.get(f"{path}?p=2").content.decode().count('<th scope="row">') == 12


def test_a_right_beside_the_plan_is_ended_with_its_exposure_shown(desk: Browser, issuer: Issuer) -> None:
    world = issuer.world
    bob = second_phone(issuer, make_staff(world.team, "Bob Berg"), "bobs-telefon").staff
    now = NOW + timedelta(minutes=1)
    right = give(
        kind="adhoc",
        staff=bob,
        provider=world.provider,
        team=world.team,
        starts_at=now,
        ends_at=now + HOUR,
        reason="borrowed",
        at=now,
    )
    path = path_of("right", right.pk)
    assert path in desk.get(reverse("admin:access_extraright_change", args=[right.pk])).content.decode()
    assert "2 dörrar" in desk.get(path).content.decode()
    desk.force_login(coordinator_of(make_team(world.municipality, "Främling AB", "Grupp 9").provider))
    assert desk.post(path, ORDER).status_code == 404
    desk.force_login(coordinator_of(world.provider))
    assert desk.post(path, {"reason": "right_ended", "sure": "on"}).status_code == 302
    right.refresh_from_db()
    assert right.withdrawn_at is not None
    page = desk.get(path).content.decode()
    assert "Spärrad" in page and "Alice Andersson" in page, "who opens there next carries the news"
