"""What a coordinator's revoking must not reach: others' phones, and sign-ins that open the administration."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse
from django_scopes import scope

from server.access.models import Revocation
from server.people.models import Bearer, Phone, User
from server.tenancy.scoping import Viewer
from tests.server.issuer import Issuer
from tests.server.pages import administrator_of, coordinator_of, patrol_of
from tests.server.shared_gate import Neighbour, share_gate
from tests.server.world import NOW

ORDER = {"reason": "lost", "sure": "on"}


@pytest.fixture
def neighbour(issuer: Issuer) -> Neighbour:
    return share_gate(issuer.world)


@pytest.fixture
def planner(issuer: Issuer, client: Browser, settings: Any) -> Iterator[Browser]:
    """A browser in which our provider's coordinator is signed in."""
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(NOW + timedelta(minutes=1)):
        client.force_login(coordinator_of(issuer.world.provider))
        yield client


def put_on(phone: Phone, bearer: Bearer, **fields: Any) -> Bearer:
    """Give the bearer's person a key on `phone` as well."""
    key = bytes(bearer.public_key)[::-1]
    return Bearer.objects.create(
        municipality=phone.municipality,
        staff=bearer.staff,
        phone=phone,
        public_key=key,
        fingerprint=key[:8],
        **fields,
    )


def test_a_shared_phone_is_revoked_by_those_who_see_everybody_on_it(
    planner: Browser, issuer: Issuer, neighbour: Neighbour
) -> None:
    phone = issuer.world.phone
    put_on(phone, neighbour.bearer)
    path = reverse("admin:revoke", args=["phone", phone.pk])
    page = planner.get(path).content.decode()
    assert "Andra använder den också" in page and "danger" not in page
    assert planner.post(path, ORDER).status_code == 403
    phone.refresh_from_db()
    assert phone.revoked_at is None and not Revocation.objects.exists()

    own_key = reverse("admin:revoke", args=["bearer", issuer.world.bearer.pk])
    assert planner.post(own_key, ORDER).status_code == 302
    planner.force_login(patrol_of(issuer.municipality))
    assert planner.post(path, ORDER).status_code == 302
    phone.refresh_from_db()
    assert phone.revoked_at is not None


def test_rule_08_a_phone_that_others_have_taken_over_is_theirs(
    planner: Browser, issuer: Issuer, neighbour: Neighbour
) -> None:
    phone = neighbour.bearer.phone
    put_on(phone, issuer.world.bearer, revoked_at=NOW)
    assert planner.post(reverse("admin:revoke", args=["phone", phone.pk]), ORDER).status_code == 404
    with scope(viewer=Viewer(provider=issuer.world.provider.pk)):
        assert phone not in Phone.objects.all()
    Bearer.objects.filter(pk=neighbour.bearer.pk).update(revoked_at=NOW)
    with scope(viewer=Viewer(provider=issuer.world.provider.pk)):
        assert phone in Phone.objects.all(), "nobody's now, but it was ours once"


@pytest.mark.parametrize("rank", [{"role": "patrol"}, {"role": "auditor"}, {"is_superuser": True}])
def test_a_coordinator_shuts_nobody_out_of_the_administration(
    planner: Browser, issuer: Issuer, rank: dict[str, Any]
) -> None:
    alice = issuer.world.alice
    alice.user = User.objects.create_user("alice-jour", municipality=issuer.municipality, **rank)
    alice.save()
    path = reverse("admin:revoke", args=["staff", alice.pk])
    assert "bara en administratör stänger den" in planner.get(path).content.decode()
    assert planner.post(path, ORDER).status_code == 302
    alice.user.refresh_from_db()
    assert alice.user.is_active
    assert not Bearer.objects.filter(staff=alice, revoked_at__isnull=True).exists(), "the keys are gone"
    assert "danger" not in planner.get(path).content.decode(), "nothing is left for a coordinator to revoke"

    planner.force_login(administrator_of(issuer.municipality))
    assert planner.post(path, ORDER).status_code == 302
    alice.user.refresh_from_db()
    assert not alice.user.is_active


def test_a_sign_in_for_the_phone_alone_is_closed_by_whoever_revokes(planner: Browser, issuer: Issuer) -> None:
    alice = issuer.world.alice
    alice.user = User.objects.create_user("alice", municipality=issuer.municipality)
    alice.save()
    assert planner.post(reverse("admin:revoke", args=["staff", alice.pk]), ORDER).status_code == 302
    alice.user.refresh_from_db()
    assert not alice.user.is_active
