"""The walls between municipalities: loud outside a scope, silent within another's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django_scopes import scope, scopes_disabled
from django_scopes.exceptions import ScopeError

from server.care.models import CareAssignment, Client, Consent, Shift
from server.places.models import Door
from server.tenancy.base import TenantModel
from server.tenancy.models import Municipality
from server.tenancy.scoping import ScopedManager
from tests.server.world import NOW, SHIFT_END, SHIFT_START, World, make_team

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]

QUERIES: dict[str, Callable[[Any], Any]] = {
    "iterate": lambda m: list(m.objects.all()),
    "all": lambda m: m.objects.all(),
    "filter": lambda m: m.objects.filter(pk=1),
    "exclude": lambda m: m.objects.exclude(pk=1),
    "get": lambda m: m.objects.get(pk=1),
    "count": lambda m: m.objects.count(),
    "exists": lambda m: m.objects.exists(),
    "first": lambda m: m.objects.first(),
    "in_bulk": lambda m: m.objects.in_bulk([1]),
    "update": lambda m: m.objects.update(pk=1),
    "bulk_create": lambda m: m.objects.bulk_create([]),
    "select_related": lambda m: m.objects.select_related("municipality"),
    "values": lambda m: m.objects.values("pk"),
    "aggregate": lambda m: m.objects.aggregate(),
}


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label_lower)
def test_default_manager_is_scoped(model: type[TenantModel]) -> None:
    assert isinstance(model._default_manager, ScopedManager)


@pytest.mark.parametrize("query", QUERIES)
def test_queries_outside_a_scope_fail_loudly(db: None, query: str) -> None:
    with pytest.raises(ScopeError):
        QUERIES[query](Client)


def test_scope_shows_own_rows_only(world: World, other_world: World) -> None:
    assert {door.municipality_id for door in Door.objects.all()} == {world.municipality.pk}
    assert Door.unscoped.count() == 2 * Door.objects.count()
    with scope(municipality=other_world.municipality.pk):
        assert set(Door.objects.all()) == {other_world.gate, other_world.apartment}
    with scopes_disabled():
        assert Door.objects.count() == 4


def test_reverse_relations_are_scoped(world: World, other_world: World) -> None:
    assert list(other_world.property.doors.all()) == []
    assert world.property.doors.count() == 2


def test_relations_across_municipalities_are_refused(world: World, other_world: World) -> None:
    stray = Client(municipality=world.municipality, alarm_code="9", door=other_world.apartment)
    with pytest.raises(ValidationError) as refused:
        stray.clean()
    assert "door" in refused.value.message_dict


def test_same_external_id_may_exist_in_two_municipalities(world: World, other_world: World) -> None:
    for one in (world, other_world):
        Client.unscoped.filter(pk=one.client.pk).update(source="plan", external_id="17")
    with pytest.raises(IntegrityError), transaction.atomic():
        Client.objects.create(
            municipality=world.municipality, alarm_code="4712", source="plan", external_id="17"
        )


class TestConstraints:
    """What the database itself refuses, whatever the code does."""

    def refused(self, create: Callable[[], Any]) -> bool:
        try:
            with transaction.atomic():
                create()
        except IntegrityError:
            return True
        return False

    def test_half_an_origin(self, world: World) -> None:
        m = world.municipality
        assert self.refused(lambda: Client.objects.create(municipality=m, alarm_code="1", source="plan"))
        assert self.refused(lambda: Client.objects.create(municipality=m, alarm_code="1", external_id="17"))

    def test_two_clients_with_one_alarm_code(self, world: World) -> None:
        assert self.refused(lambda: Client.objects.create(municipality=world.municipality, alarm_code="4711"))

    def test_periods_that_end_before_they_start(self, world: World) -> None:
        assert self.refused(
            lambda: Shift.objects.filter(pk=world.shift.pk).update(starts_at=SHIFT_END, ends_at=SHIFT_START)
        )
        assert self.refused(lambda: CareAssignment.objects.update(ends_at=world.assignment.starts_at))

    def test_consents_with_no_target_or_the_wrong_signatory(self, world: World) -> None:
        m: dict[str, Any] = {"municipality": world.municipality, "valid_from": NOW}
        assert self.refused(lambda: Consent.objects.create(**m, scope="client", signed_by="resident"))
        assert self.refused(
            lambda: Consent.objects.create(
                **m, scope="client", client=world.client, owner=world.owner, signed_by="resident"
            )
        )
        assert self.refused(
            lambda: Consent.objects.create(**m, scope="client", client=world.client, signed_by="owner")
        )
        assert self.refused(
            lambda: Consent.objects.create(
                **m, scope="property", property=world.property, signed_by="resident"
            )
        )

    def test_a_gate_that_a_resident_signs_for(self, world: World) -> None:
        assert self.refused(lambda: Door.objects.filter(pk=world.gate.pk).update(must_sign="resident"))

    def test_keys_and_ids_of_the_wrong_length(self, world: World) -> None:
        lock = world.gate_binding.lock
        assert self.refused(lambda: type(lock).objects.filter(pk=lock.pk).update(lock_id=b"short"))
        assert self.refused(lambda: type(lock).objects.filter(pk=lock.pk).update(static_public_key=b"k" * 31))

    def test_two_open_bindings_of_one_lock_or_door(self, world: World) -> None:
        gate, apartment = world.gate_binding, world.apartment_binding
        bindings = type(gate).objects.filter(pk=gate.pk)
        assert self.refused(lambda: bindings.update(door=apartment.door))
        assert self.refused(lambda: bindings.update(lock=apartment.lock))

    def test_two_active_bearers_of_one_person_on_one_phone(self, world: World) -> None:
        twin = type(world.bearer).objects.get(pk=world.bearer.pk)
        twin.pk, twin.public_key, twin.fingerprint = None, b"k" * 32, b"f" * 8
        twin._state.adding = True
        assert self.refused(twin.save)


def test_forms_refuse_a_team_of_another_provider(world: World) -> None:
    stranger = make_team(world.municipality, "Privat Vård AB", "Grupp 9")
    world.shift.team = world.assignment.team = stranger
    for row in (world.shift, world.assignment):
        with pytest.raises(ValidationError) as refused:
            row.clean()
        assert "team" in refused.value.message_dict


def test_municipality_itself_needs_no_scope(db: None) -> None:
    assert Municipality.objects.count() == 0
