"""Revoking in the administration: the exposure before and after, a reason, a tick, and nothing by a slip."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from server.access.domain.issue import issue_ahead
from server.access.models import Revocation, Token
from server.audit.models import AuditEntry
from server.people.models import User
from tests.server.issuer import Issuer
from tests.server.world import NOW

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
