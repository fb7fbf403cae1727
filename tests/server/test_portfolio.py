"""What a property owner's contact may see: own properties, consents, locks, counts, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from server.audit.models import AuditEntry
from server.passages.models import Passage
from server.places.domain.ownership import change_owner
from server.places.models import Door, Property, PropertyOwner
from server.places.portfolio import estates, months_before, properties_of, totals
from tests.server.pages import auditor_of, coordinator_of, owner_contact_of, patrol_of
from tests.server.world import NOW, World, make_binding, make_door, make_estate

OWN = reverse("admin:places_own_portfolio")
OCTOBER = datetime(2026, 10, 14, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def morning(settings: Any) -> Iterator[None]:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(NOW, tick=False):
        yield


def pass_gate(world: World, count: int, at: datetime, binding: Any = None) -> None:
    binding = binding or world.gate_binding
    first = Passage.objects.filter(lock=binding.lock).count() + 1
    for seq in range(first, first + count):
        Passage.objects.create(
            municipality=world.municipality,
            lock=binding.lock,
            epoch=1,
            seq=seq,
            binding=binding,
            provider=world.provider,
            happened_at=at + timedelta(minutes=seq),
            known_at=at,
            kind="outcome",
            reason="moved",
            entry_bytes=b"",
            entry_hash=b"h" * 32,
        )


def counts_of(world: World) -> list[int | None]:
    cache.clear()
    return estates(list(properties_of(world.owner)), at=NOW)[0].passages


def test_months_are_whole_and_over() -> None:
    assert months_before(NOW) == [date(2026, month, 1) for month in range(5, 11)]
    assert months_before(datetime(2027, 1, 31, 23, 30, tzinfo=UTC))[-1] == date(2027, 1, 1)


@pytest.mark.parametrize(("count", "told"), [(0, None), (1, None), (4, None), (5, 5), (12, 12)])
def test_rule_08_a_small_number_is_not_told_nor_is_none(world: World, count: int, told: int | None) -> None:
    pass_gate(world, count, OCTOBER)
    assert counts_of(world)[-1] == told


def test_rule_08_the_running_month_and_apartments_are_not_counted(world: World) -> None:
    pass_gate(world, 20, NOW - timedelta(days=2))
    pass_gate(world, 20, OCTOBER, world.apartment_binding)
    assert counts_of(world) == [None] * 6


def test_a_month_begins_at_midnight_in_sweden(world: World) -> None:
    pass_gate(world, 6, datetime(2026, 9, 30, 22, 30, tzinfo=UTC))
    assert counts_of(world)[-2:] == [None, 6]


def test_the_page_shows_own_and_nothing_else(world: World) -> None:
    pass_gate(world, 7, OCTOBER)
    foreign = make_estate(world.municipality, "Främling AB", "Främling 1")
    make_binding(make_door(foreign, Door.Kind.GATE, address="Främlingsgatan 1"))
    contact = Browser()
    contact.force_login(owner_contact_of(world.owner))
    page = contact.get(OWN).content.decode()
    assert "Eken 1" in page and ">7<" in page
    for hidden in ("Främling", "4711", "Alice", "Hemtjänst Norr", "1101", "Storgatan"):
        assert hidden not in page, hidden
    sums = totals(world.owner, at=NOW)
    assert (sums.properties, sums.consented, sums.doors, sums.locks) == (1, 1, 1, 1)


def test_the_contact_reaches_no_register_of_clients_doors_or_passages(world: World) -> None:
    contact = Browser()
    contact.force_login(owner_contact_of(world.owner))
    for name in ("care_client", "care_careassignment", "passages_passage", "locks_lock", "places_doorpath"):
        assert contact.get(reverse(f"admin:{name}_changelist")).status_code == 403, name
    for name in ("care_consent_missing", "care_client_metal_keys", "live"):
        assert contact.get(reverse(f"admin:{name}")).status_code == 403, name
    assert (
        contact.get(reverse("admin:places_propertyowner_as_owner", args=[world.owner.pk])).status_code == 403
    )


def test_others_do_not_have_the_page_and_the_patrol_sees_it_as_the_owner_does(world: World) -> None:
    as_owner = reverse("admin:places_propertyowner_as_owner", args=[world.owner.pk])
    for user in (coordinator_of(world.provider), auditor_of(world.municipality)):
        browser = Browser()
        browser.force_login(user)
        assert browser.get(OWN).status_code == 403
        assert browser.get(as_owner).status_code == 403
    patrol = Browser()
    patrol.force_login(patrol_of(world.municipality))
    assert "Eken 1" in patrol.get(as_owner).content.decode()


def test_a_property_that_changes_hands_leaves_the_old_owners_portfolio(world: World) -> None:
    buyer = PropertyOwner.objects.create(municipality=world.municipality, name="Köparen AB")
    changed = change_owner(estate=world.property, owner=buyer, since=NOW.date(), actor=None)
    assert (changed.owner, changed.owner_since) == (buyer, NOW.date())
    assert AuditEntry.objects.filter(action="places.property_changed_hands").count() == 1
    change_owner(estate=changed, owner=buyer, since=date(2020, 1, 1), actor=None)
    assert Property.objects.get().owner_since == NOW.date(), "the same owner again changes nothing"


def test_a_new_owner_in_the_form_has_it_from_today(world: World) -> None:
    buyer = PropertyOwner.objects.create(municipality=world.municipality, name="Köparen AB")
    patrol = Browser()
    patrol.force_login(patrol_of(world.municipality))
    path = reverse("admin:places_property_change", args=[world.property.pk])
    since = world.property.owner_since
    form = {"owner": buyer.pk, "designation": "Eken 1", "owner_since": since, "initial-owner_since": since}
    assert patrol.post(path, form).status_code == 302
    assert Property.objects.get().owner_since == timezone.localdate()


def test_queries_do_not_grow_with_properties(world: World, django_assert_max_num_queries: Any) -> None:
    contact = Browser()
    contact.force_login(owner_contact_of(world.owner))
    for number in range(15):
        estate = make_estate(world.municipality, world.owner.name, f"Eken {number + 2}")
        make_binding(make_door(estate, Door.Kind.GATE))
    with django_assert_max_num_queries(25):
        assert contact.get(OWN).status_code == 200
