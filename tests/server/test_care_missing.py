"""Who still has to sign: the sets in the database say the same as the rule for mounting and issuing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_scopes import scope

from server.access.consents import hand_counts_allowed, missing_consents, missing_consents_of
from server.access.decision import decide
from server.access.reasons import WhyNot
from server.care import missing
from server.care.models import Client, Consent
from server.places.models import Door, DoorPath
from server.tenancy.scoping import Viewer
from tests.server.shared_gate import share_gate
from tests.server.world import (
    HOUR,
    LONG_AGO,
    NOW,
    World,
    make_client,
    make_door,
    make_estate,
)

DAY = timedelta(days=1)


def portfolio(world: World, **fields: object) -> Consent:
    return Consent.objects.create(
        municipality=world.municipality,
        scope=Consent.Scope.PORTFOLIO,
        owner=world.owner,
        signed_by=Door.Signatory.OWNER,
        **{"valid_from": LONG_AGO, **fields},
    )


def nothing(_world: World) -> None: ...


def owner_says_nothing(world: World) -> None:
    world.owner_consent.delete()


def owner_withdraws(world: World) -> None:
    Consent.objects.filter(pk=world.owner_consent.pk).update(withdrawn_at=NOW)


def owner_withdraws_later(world: World) -> None:
    Consent.objects.filter(pk=world.owner_consent.pk).update(withdrawn_at=NOW + HOUR)


def portfolio_instead(world: World) -> None:
    world.owner_consent.delete()
    portfolio(world)


def portfolio_older_than_the_property(world: World) -> None:
    world.owner_consent.delete()
    portfolio(world)
    world.property.owner_since = (NOW - DAY).date()
    world.property.save()


def portfolio_also_for_later(world: World) -> None:
    portfolio_older_than_the_property(world)
    Consent.objects.filter(owner=world.owner).update(covers_later=True)


def portfolio_signed_after_the_property_came(world: World) -> None:
    portfolio_older_than_the_property(world)
    Consent.objects.filter(owner=world.owner).update(signed_on=NOW.date())


def portfolio_of_a_property_owned_for_ever(world: World) -> None:
    portfolio_older_than_the_property(world)
    world.property.owner_since = None
    world.property.save()


def resident_says_nothing(world: World) -> None:
    world.client_consent.delete()


def resident_signed_where_a_representative_must(world: World) -> None:
    Door.objects.filter(pk=world.apartment.pk).update(must_sign=Door.Signatory.REPRESENTATIVE)


def owner_signs_for_the_apartment_and_has(world: World) -> None:
    Door.objects.filter(pk=world.apartment.pk).update(must_sign=Door.Signatory.OWNER)


def owner_signs_for_the_apartment_and_has_not(world: World) -> None:
    owner_signs_for_the_apartment_and_has(world)
    owner_says_nothing(world)


def consent_begins_later(world: World) -> None:
    Consent.objects.filter(pk=world.client_consent.pk).update(valid_from=NOW + HOUR)


CASES = [
    nothing,
    owner_says_nothing,
    owner_withdraws,
    owner_withdraws_later,
    portfolio_instead,
    portfolio_older_than_the_property,
    portfolio_also_for_later,
    portfolio_signed_after_the_property_came,
    portfolio_of_a_property_owned_for_ever,
    resident_says_nothing,
    resident_signed_where_a_representative_must,
    owner_signs_for_the_apartment_and_has,
    owner_signs_for_the_apartment_and_has_not,
    consent_begins_later,
]


@pytest.mark.parametrize("change", CASES)
def test_sets_rule_and_decision_agree(world: World, change: Callable[[World], None]) -> None:
    change(world)
    gate, apartment = Door.objects.get(pk=world.gate.pk), Door.objects.get(pk=world.apartment.pk)
    said = missing_consents_of([gate, apartment], at=NOW)
    owner_missing = any(one.signatory == "owner" for row in said.values() for one in row)
    client_missing = any(one.signatory != "owner" for row in said.values() for one in row)
    assert bool(missing.owners_to_ask(NOW)) == owner_missing
    assert bool(missing.clients_to_ask(NOW)) == client_missing
    assert missing.blocked(NOW).exists() == (owner_missing or client_missing)
    decision = decide(duty=world.shift, at=NOW)
    for door in (gate, apartment):
        assert bool(missing_consents(door, at=NOW)) == bool(said[door.pk])
        refused = decision.why_not(door.pk) in (WhyNot.NO_OWNER_CONSENT, WhyNot.NO_CLIENT_CONSENT)
        begins_later = change is consent_begins_later and door == apartment
        assert refused == (bool(said[door.pk]) and not begins_later)


def test_rule_01_a_portfolio_consent_is_not_for_properties_added_later(world: World) -> None:
    world.owner_consent.delete()
    portfolio(world, valid_from=NOW - 30 * DAY)
    added = make_estate(world.municipality, world.owner.name, "Eken 2")
    added.owner_since = (NOW - DAY).date()
    added.save()
    gate = make_door(added, Door.Kind.GATE, address="Nygatan 1")
    assert [one.who for one in missing_consents(gate, at=NOW)] == ["Bostads AB Eken"]
    assert missing_consents(world.gate, at=NOW) == []


def test_a_property_entered_today_is_todays(world: World) -> None:
    from django.utils import timezone

    estate = make_estate(world.municipality, world.owner.name, "Eken 3")
    fresh = type(estate)(municipality=world.municipality, owner=world.owner, designation="Eken 4")
    assert fresh.owner_since == timezone.localdate()


def test_one_owner_blocks_ten_and_stands_first(world: World) -> None:
    world.owner_consent.delete()
    for number in range(9):
        door = make_door(world.property, Door.Kind.APARTMENT, number=f"2{number}")
        DoorPath.objects.create(municipality=world.municipality, apartment=door, via=world.gate)
        make_client(door, world.team, f"90{number}")
    small = make_estate(world.municipality, "Lilla ägaren", "Linden 1")
    gate, apartment = make_door(small, Door.Kind.GATE), make_door(small, Door.Kind.APARTMENT, number="1")
    DoorPath.objects.create(municipality=world.municipality, apartment=apartment, via=gate)
    make_client(apartment, world.team, "7777")
    assert [(row["name"], row["client_count"], row["door_count"]) for row in missing.owners_to_ask(NOW)] == [
        ("Bostads AB Eken", 10, 1),
        ("Lilla ägaren", 1, 1),
    ]
    assert [door.client_count for door in missing.doors_of_owner(world.owner.pk, NOW)] == [10]


def test_who_holds_up_others_behind_the_same_door_stands_first(world: World) -> None:
    make_client(world.apartment, world.team, "4712")
    alone = make_door(world.property, Door.Kind.APARTMENT, number="1", address="Aspgatan 1")
    lonely, _, consent = make_client(alone, world.team, "1111")
    consent.delete()
    world.client_consent.delete()
    rows = [(row.alarm_code, row.waiting_count) for row in missing.clients_to_ask(NOW)]
    assert rows == [("4711", 2), (lonely.alarm_code, 1)]


def test_ended_clients_and_clients_without_care_wait_for_nothing(world: World) -> None:
    world.client_consent.delete()
    world.client.ended_at = NOW
    world.client.save()
    idle = Client.objects.create(
        municipality=world.municipality, alarm_code="5", door=make_door(world.property, "apartment")
    )
    assert not missing.clients_to_ask(NOW).exists()
    assert not missing.blocked(NOW).filter(pk=idle.pk).exists()
    assert missing.coverage(NOW) == {}


def test_area_narrows_the_list(world: World) -> None:
    world.owner_consent.delete()
    world.property.area = "Norr"
    world.property.save()
    assert missing.areas() == ["Norr"]
    assert missing.owners_to_ask(NOW, area="Norr").count() == 1
    assert missing.owners_to_ask(NOW, area="Söder").count() == 0
    assert missing.coverage(NOW) == {"Norr": (0, 1)}


def test_rule_08_a_provider_counts_its_own_behind_a_shared_gate(world: World) -> None:
    other = share_gate(world)
    other.consent.delete()
    world.owner_consent.delete()
    with scope(municipality=world.municipality, viewer=Viewer(provider=world.provider.pk)):
        assert [row["client_count"] for row in missing.owners_to_ask(NOW)] == [1]
        assert list(missing.clients_to_ask(NOW)) == []
        assert list(missing.blocked(NOW)) == [world.client]
        # Whether a consent is missing is the whole truth, whoever asks.
        assert missing_consents(world.gate, at=NOW) != []
    assert [row["client_count"] for row in missing.owners_to_ask(NOW)] == [2]
    assert [client.alarm_code for client in missing.clients_to_ask(NOW)] == ["8888"]


def test_queries_do_not_grow_with_doors(world: World) -> None:
    doors = [world.gate, world.apartment]

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            missing_consents_of(doors, at=NOW)
        return len(captured)

    few = queries()
    for number in range(12):
        estate = make_estate(world.municipality, f"Ägare {number}", f"Linden {number}")
        doors += [make_door(estate, Door.Kind.GATE), make_door(estate, Door.Kind.APARTMENT)]
        make_client(doors[-1], world.team, f"30{number}")
    assert queries() == few <= 5


def test_openings_by_hand_are_counted_only_if_everybody_agreed(world: World) -> None:
    spouse, _, theirs = make_client(world.apartment, world.team, "4712")
    doors = {world.apartment.pk}
    assert hand_counts_allowed(doors, at=NOW) == set()
    Consent.objects.filter(pk=world.client_consent.pk).update(count_hand_openings=True)
    assert hand_counts_allowed(doors, at=NOW) == set()
    Consent.objects.filter(pk=theirs.pk).update(count_hand_openings=True)
    assert hand_counts_allowed(doors, at=NOW) == doors
    Consent.objects.filter(pk=theirs.pk).update(withdrawn_at=NOW)
    assert hand_counts_allowed(doors, at=NOW) == set()
    spouse.ended_at = NOW
    spouse.save()
    assert hand_counts_allowed(doors, at=NOW) == doors
