"""Within one municipality: what a provider and an owner see, and that no verb knows less because of it."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.apps import apps
from django_scopes import scope, scopes_disabled
from django_scopes.exceptions import ScopeError

from server.care.models import CareAssignment, Client, Consent
from server.config.visibility import SIGHTS
from server.locks.domain.bulletins import build_bulletins
from server.locks.models import BindingGroup, Bulletin, Lock
from server.passages.models import Passage
from server.people.models import Phone
from server.places.models import Door, Property, PropertyOwner
from server.tenancy.base import TenantModel
from server.tenancy.domain import keyring
from server.tenancy.models import RoleKey
from server.tenancy.scoping import (
    NarrowSightError,
    NoVisibilityRuleError,
    Viewer,
    seen_by,
    viewer_now,
    whole_municipality,
)
from tests.server.issuer import Issuer
from tests.server.neighbours import Neighbours
from tests.server.world import HOUR, NOW, make_bearer, make_team

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]


def test_every_tenant_model_has_a_rule() -> None:
    assert {model._meta.label_lower for model in TENANT_MODELS} == set(SIGHTS)


@pytest.mark.parametrize("viewer", [{}, {"provider": 1, "owner": 2}])
def test_a_viewer_is_one_provider_or_one_owner(viewer: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="either one provider or one property owner"):
        Viewer(**viewer)


def test_a_model_without_a_rule_fails_loudly(neighbours: Neighbours, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(importlib.import_module("server.tenancy.scoping")._sights, "care.client")
    with neighbours.as_provider(), pytest.raises(NoVisibilityRuleError, match=r"care\.client"):
        Client.objects.count()


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label_lower)
def test_rule_08_no_row_is_seen_twice_however_many_ways_lead_to_it(
    neighbours: Neighbours, model: Any
) -> None:
    for viewer in (Viewer(provider=neighbours.ours.provider.pk), Viewer(owner=neighbours.ours.owner.pk)):
        keys = list(seen_by(viewer, model.unscoped.all()).values_list("pk", flat=True))
        assert len(keys) == len(set(keys))


class TestAProvider:
    """What a coordinator's queries find."""

    def test_rule_08_sees_own_clients_doors_and_the_shared_gate(self, neighbours: Neighbours) -> None:
        ours, theirs = neighbours.ours, neighbours.theirs
        with neighbours.as_provider():
            assert list(Client.objects.all()) == [ours.client]
            assert set(Door.objects.all()) == {ours.gate, ours.apartment}
            assert set(Lock.objects.all()) == {ours.gate_binding.lock, ours.apartment_binding.lock}
            assert not CareAssignment.objects.filter(provider=theirs.provider).exists()
            assert list(theirs.team.assignments.all()) == []

    def test_rule_08_sees_only_own_passages_at_the_shared_gate(self, neighbours: Neighbours) -> None:
        assert Passage.objects.filter(lock=neighbours.ours.gate_binding.lock).count() == 2
        with neighbours.as_provider():
            [own] = Passage.objects.filter(lock=neighbours.ours.gate_binding.lock)
            assert own.provider == neighbours.ours.provider

    def test_a_client_is_seen_until_the_assignment_has_ended(self, neighbours: Neighbours) -> None:
        assignments = CareAssignment.objects.filter(pk=neighbours.ours.assignment.pk)
        with neighbours.as_provider():
            assignments.update(ends_at=neighbours.now + HOUR)
            assert Client.objects.exists() and Door.objects.exists() and Consent.objects.exists()
            assignments.update(ends_at=neighbours.now - HOUR)
            assert not (Client.objects.exists() or Door.objects.exists() or Lock.objects.exists())
            assert not (Consent.objects.exists() or Property.objects.exists())
            assert CareAssignment.objects.exists(), "what one has done oneself stays one's own"

    def test_a_pool_phone_is_seen_by_everybody_who_has_a_key_on_it(self, neighbours: Neighbours) -> None:
        phone = neighbours.ours.phone
        with neighbours.as_provider(neighbours.theirs):
            assert phone not in Phone.objects.all()
        bearer = make_bearer(neighbours.theirs.alice)
        bearer.phone = phone
        bearer.save()
        with neighbours.as_provider(neighbours.theirs):
            assert phone in Phone.objects.all()
            assert {one.staff for one in phone.bearers.all()} == {neighbours.theirs.alice}


class TestAnOwner:
    """What the queries of an owner's contact find."""

    def test_rule_08_sees_own_portfolio_and_neither_clients_nor_passages(
        self, neighbours: Neighbours
    ) -> None:
        ours = neighbours.ours
        with neighbours.as_owner():
            assert list(PropertyOwner.objects.all()) == [ours.owner]
            assert list(Property.objects.all()) == [ours.property]
            assert not Client.objects.exists() and not Passage.objects.exists()
            assert {consent.scope for consent in Consent.objects.all()} == {"property"}


class TestTheWholeTruth:
    """`whole_municipality` and what insists on it."""

    def test_drops_the_viewer_keeps_the_municipality_and_comes_back(self, neighbours: Neighbours) -> None:
        everybody = Client.objects.count()
        with neighbours.as_provider():
            narrow = viewer_now()
            with whole_municipality(), whole_municipality():
                assert (viewer_now(), Client.objects.count()) == (None, everybody)
            assert viewer_now() == narrow and Client.objects.count() < everybody

    def test_leaves_disabled_scopes_disabled_and_a_missing_one_missing(
        self, neighbours: Neighbours, other_world: Any
    ) -> None:
        with neighbours.as_provider(), scopes_disabled(), whole_municipality():
            assert other_world.client in Client.objects.all()
        with scope(viewer=None), whole_municipality():
            assert Client.objects.exists()

    def test_is_left_again_when_something_goes_wrong(self, neighbours: Neighbours) -> None:
        @whole_municipality()
        def fails() -> None:
            assert viewer_now() is None
            raise LookupError

        with neighbours.as_provider():
            with pytest.raises(LookupError):
                fails()
            assert viewer_now() is not None

    def test_nothing_is_signed_with_narrow_eyes(self, issuer: Issuer) -> None:
        viewer = Viewer(provider=issuer.world.provider.pk)
        with scope(viewer=viewer), pytest.raises(NarrowSightError):
            keyring.signing_key(issuer.municipality.pk, RoleKey.Role.BULLETIN)

    def test_a_bulletin_tells_all_revocations_whoever_caused_it(self, issuer: Issuer) -> None:
        world = issuer.world
        stranger = make_team(issuer.municipality, "Privat Vård AB", "Grupp 9").provider
        binding = world.gate_binding
        BindingGroup.objects.create(
            municipality=issuer.municipality, binding=binding, provider=stranger, grp=9, not_before=NOW
        )
        said = []
        for viewer in (None, Viewer(provider=world.provider.pk), Viewer(owner=world.owner.pk)):
            Bulletin.objects.all().delete()
            with scope(viewer=viewer):
                assert BindingGroup.objects.filter(provider=stranger).exists() == (viewer is None)
                build_bulletins(issuer.municipality, [binding.pk], at=NOW)
            said.append(bytes(Bulletin.objects.get(binding=binding).content_hash))
        assert said[0] == said[1] == said[2]


def test_outside_a_scope_a_viewer_alone_shows_nothing(db: None) -> None:
    with scope(viewer=Viewer(provider=1)), pytest.raises(ScopeError):
        Client.objects.count()
