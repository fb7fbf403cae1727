"""Keys of one municipality while another's are being changed, by somebody who sees both."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django_scopes import scope, scopes_disabled

from protocol import ceremony, manifest
from server.keys.domain.proposing import propose, withdraw
from server.keys.domain.publishing import publish
from server.keys.domain.signatures import take_signatures
from server.people.models import User
from server.tenancy.domain import keyring
from server.tenancy.domain.keys import found_municipality
from server.tenancy.models import ManifestDraft, Municipality, RoleKey
from tests.server.world import LONG_AGO, NOW

ROOTS = [manifest.root_signing_key(bytes([number]) * 32) for number in (1, 2, 3)]
pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def two(settings: Any) -> tuple[Municipality, Municipality]:
    settings.SECOND_FACTOR_REQUIRED = False
    keyring.forget()
    seeds = [bytes([number]) * 32 for number in (1, 2, 3)]
    return (
        found_municipality(slug="aby", name="Åby", at=LONG_AGO, root_seeds=seeds).municipality,
        found_municipality(slug="berga", name="Berga", at=LONG_AGO, root_seeds=seeds).municipality,
    )


def proposed(municipality: Municipality, **what: Any) -> ManifestDraft:
    with scope(municipality=municipality):
        return propose(municipality=municipality, at=NOW, **what)


def signed(draft: ManifestDraft) -> None:
    read = ceremony.parse(bytes(draft.document))
    for key in ROOTS[:2]:
        read = ceremony.add_signature(read, key)
    take_signatures(draft=draft, file=read.encode(), at=NOW)


def test_giving_one_proposal_up_erases_no_other_municipalitys_keys(
    two: tuple[Municipality, Municipality],
) -> None:
    ours, theirs = two
    given_up, stays = proposed(ours, renew=["token"]), proposed(theirs, renew=["token"])
    with scopes_disabled():
        withdraw(draft=given_up, at=NOW)
        waiting = RoleKey.objects.get(municipality=theirs, active_from__isnull=True)
        assert (waiting.erased_at, waiting.retired_at) == (None, None)
        assert waiting.sealed_private_key is not None
        signed(stays)
        publish(draft=stays, at=NOW)
        assert keyring.signing_key(theirs.pk, "token").kid == bytes(waiting.kid)


def test_a_leak_is_of_the_keys_of_its_own_municipality(two: tuple[Municipality, Municipality]) -> None:
    """Names of keys are counted in each municipality, so another's token key may have this one's name."""
    ours, theirs = two
    token = bytes(RoleKey.unscoped.get(municipality=theirs, role="token").kid)
    with scopes_disabled():
        RoleKey.unscoped.filter(municipality=ours, kid=token).update(kid=b"\x00\x63")
        RoleKey.unscoped.filter(municipality=ours, role="bulletin").update(kid=token)
    draft = proposed(ours, leaked=[token])
    with scopes_disabled():
        signed(draft)
        publish(draft=draft, at=NOW)
    assert Municipality.objects.get(pk=ours.pk).tokens_not_before is None, "no token key of ours has leaked"


def test_an_operator_looks_at_a_proposal_and_decides_nothing(
    two: tuple[Municipality, Municipality], client: Browser
) -> None:
    draft = proposed(two[0], renew=["token"])
    with scopes_disabled():
        client.force_login(User.objects.create_superuser("drift"))
    address = reverse("admin:tenancy_manifestdraft_change", args=[draft.pk])
    assert client.post(address, {"withdraw": "1"}).status_code == 403
    assert 'name="withdraw"' not in client.get(address).content.decode()
    with scopes_disabled():
        assert ManifestDraft.objects.get().outcome == ManifestDraft.Outcome.OPEN
