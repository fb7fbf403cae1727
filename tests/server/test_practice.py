"""Practice: who gets the practice locks and for how long, what they can never open, and what stays quiet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client as Http
from django_scopes import scope

from protocol.messages import OutcomeCode
from protocol.reasons import Reason
from protocol.settings import DoorKind
from server.access.decision import who_may_open
from server.access.models import ExtraRight, Token
from server.access.queries import running_extras
from server.locks.domain.commission import commission_lock, move_lock
from server.locks.domain.orders import plan_mountings
from server.locks.list_queries import blocked
from server.locks.models import Binding, Lock
from server.locks.order_queries import blocks_of, open_orders
from server.locks.rules import door_kind, relock_seconds
from server.passages import live
from server.passages.models import Deviation, Passage
from server.places.models import Door
from server.problems import Problem
from server.tenancy.scoping import Viewer
from tests.server.device import Device
from tests.server.issuer import Issuer, Phone, mount
from tests.server.pages import coordinator_of, patrol_of
from tests.server.world import HOUR, NOW, make_binding, make_door, make_team


@dataclass
class Office:
    """A practice lock at the office, and Alice beside it, without a shift."""

    issuer: Issuer
    phone: Phone
    place: Door
    device: Device
    binding: Binding

    def practise(self) -> Any:
        return self.phone.post("practice", {})


@pytest.fixture
def office(issuer: Issuer, phone: Phone) -> Iterator[Office]:
    issuer.world.shift.delete()
    place = make_door(issuer.world.property, "practice", must_sign="", address="Kontorsgatan 2")
    device = Device()
    with time_machine.travel(NOW, tick=False):
        phone.sign_in()
        yield Office(issuer, phone, place, device, mount(place, device, name="Övningslås 1"))


def code(problem: pytest.ExceptionInfo[Problem]) -> str:
    return problem.value.code


# -- what a person gets -----------------------------------------------------------------------------------


def test_without_asking_nobody_has_a_practice_lock(office: Office) -> None:
    assert office.phone.sync().json()["rights"] == []


def test_whoever_asks_has_it_for_an_hour_without_shift_or_consent_and_a_later_key_to_be_refused_with(
    office: Office,
) -> None:
    answer = office.practise()
    assert answer.status_code == 200, answer.content
    assert answer.json() == {"expires": int((NOW + HOUR).timestamp()), "door_ids": [office.place.pk]}
    synced = office.phone.sync().json()
    windows = sorted((right["not_before"], right["expires"]) for right in synced["rights"])
    hours = [int((NOW + number * HOUR).timestamp()) for number in range(3)]
    assert windows == [(hours[0], hours[1]), (hours[1], hours[2])]
    (door,) = synced["doors"]
    assert (door["kind"], door["address"], door["lock_name"]) == (
        "practice",
        "Kontorsgatan 2",
        "Övningslås 1",
    )
    assert synced["visits"] == []


def test_asked_again_it_is_the_same_right_and_in_the_next_hour_the_second_one_counts(office: Office) -> None:
    first, second = office.practise(), office.practise()
    assert first.json() == second.json()
    assert ExtraRight.objects.count() == 2
    with time_machine.travel(NOW + HOUR + timedelta(minutes=5), tick=False):
        office.phone.sign_in()
        assert office.practise().json()["expires"] == int((NOW + 2 * HOUR).timestamp())
    assert ExtraRight.objects.count() == 3


def test_rule_01_practice_opens_practice_locks_and_no_door(office: Office) -> None:
    office.practise()
    office.phone.sync()
    assert {token.binding_id for token in Token.objects.all()} == {office.binding.pk}


def test_rule_03_nobody_practises_who_is_not_employed_or_whose_phone_is_revoked(office: Office) -> None:
    alice = office.issuer.world.alice
    alice.employed_to = (NOW - timedelta(days=2)).date()
    alice.save()
    assert office.practise().json()["code"] == "practice_nowhere"
    assert not ExtraRight.objects.exists()
    office.issuer.world.phone.revoked_at = NOW
    office.issuer.world.phone.save()
    assert office.practise().status_code == 403


def test_another_providers_place_is_not_ours_and_one_that_is_nobodys_is_everybodys(office: Office) -> None:
    other = make_team(office.issuer.municipality, "Främling AB", "Grupp 9").provider
    office.place.practice_for = other
    office.place.save()
    assert office.practise().json()["code"] == "practice_nowhere"
    office.place.practice_for = office.issuer.world.provider
    office.place.save()
    assert office.practise().status_code == 200


def test_a_lock_that_is_not_commissioned_yet_is_nowhere(office: Office) -> None:
    Binding.objects.filter(pk=office.binding.pk).update(commissioned_at=None)
    assert office.practise().json()["code"] == "practice_nowhere"


# -- what is a practice lock, and what never is -----------------------------------------------------------


def test_a_lock_first_commissioned_at_a_practice_place_is_a_practice_lock_and_knows_it(
    office: Office,
) -> None:
    lock = Lock.objects.get(pk=office.binding.lock_id)
    assert lock.is_practice
    assert door_kind(office.binding) is DoorKind.PRACTICE
    assert relock_seconds(office.binding) == 120


def test_rule_01_a_practice_lock_never_sits_on_a_real_door(office: Office) -> None:
    free = make_door(office.issuer.world.property, "gate", address="Storgatan 3")
    with pytest.raises(Problem) as refused:
        commission_lock(door=free, identity_document=office.device.identity_document(), at=NOW)
    assert code(refused) == "practice_lock"
    with pytest.raises(Problem) as refused:
        move_lock(lock=office.binding.lock, door=free, at=NOW)
    assert code(refused) == "practice_lock"


def test_an_ordinary_lock_is_not_put_at_a_practice_place_by_a_slip(office: Office) -> None:
    place = make_door(office.issuer.world.property, "practice", must_sign="", address="Kontorsgatan 4")
    with pytest.raises(Problem) as refused:
        move_lock(lock=office.issuer.world.gate_binding.lock, door=place, at=NOW)
    assert code(refused) == "practice_lock_only"


def test_rule_01_a_lock_on_a_real_door_is_not_marked_and_would_open_for_nobody_if_it_were(
    office: Office,
) -> None:
    lock = office.issuer.world.gate_binding.lock
    lock.is_practice = True
    with pytest.raises(ValidationError):
        lock.full_clean()
    lock.save()
    office.practise()
    assert not Token.objects.filter(binding=office.issuer.world.gate_binding).exists()


def test_rule_01_a_door_never_becomes_a_practice_place(office: Office) -> None:
    apartment = office.issuer.world.apartment
    apartment.kind, apartment.must_sign = "practice", ""
    with pytest.raises(ValidationError) as refused:
        apartment.full_clean()
    assert "kind" in refused.value.message_dict
    apartment.save()  # past the form: the lock on it is not marked, and still opens for nobody
    office.practise()
    assert not Token.objects.filter(binding=office.issuer.world.apartment_binding).exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "practice", "must_sign": "owner"},
        {"kind": "gate", "must_sign": ""},
        {"kind": "apartment", "must_sign": ""},
    ],
)
def test_only_a_practice_place_needs_nobodys_signature(office: Office, fields: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_door(office.issuer.world.property, **fields)


# -- what stays quiet -------------------------------------------------------------------------------------


def test_practice_is_on_no_board_and_makes_no_deviation_but_its_log_is_kept_like_any(office: Office) -> None:
    office.practise()
    office.phone.sync()
    world, device = office.issuer.world, office.device
    first = Token.objects.order_by("not_before").first()
    assert first is not None
    device.opened(bytes(first.token_id), bytes(world.bearer.fingerprint), outcome=OutcomeCode.JAM)
    device.refused(Reason.NOT_YET_VALID, bytes(world.bearer.fingerprint))
    answer = office.phone.hand_in(device.sealed())
    assert [one["status"] for one in answer.json()["results"]] == ["stored"], answer.content
    kinds = list(Passage.objects.order_by("seq").values_list("kind", "reason"))
    assert ("outcome", "jam") in kinds
    assert ("refused", "not_yet_valid") in kinds
    assert Passage.objects.filter(kind="granted").get().bearer == world.bearer
    assert not Deviation.objects.exists()
    assert live.latest() == []
    assert not running_extras(at=NOW).exists()


def test_who_practises_is_told_where_somebody_asks_about_that_very_place(office: Office) -> None:
    office.practise()
    openers = who_may_open(office.place, at=NOW, until=NOW + HOUR)
    assert [one.duty.staff for one in openers if one.right] == [office.issuer.world.alice]
    assert not who_may_open(office.issuer.world.gate, at=NOW, until=NOW + HOUR)


def test_rule_08_a_provider_sees_its_own_practice_places_and_everybodys(office: Office) -> None:
    other = make_team(office.issuer.municipality, "Främling AB", "Grupp 9").provider
    theirs = make_door(
        office.issuer.world.property, "practice", must_sign="", address="Bakgatan 9", practice_for=other
    )
    make_binding(theirs, "Övningslås 2")
    world = office.issuer.world
    with scope(municipality=world.municipality, viewer=Viewer(provider=world.provider.pk)):
        assert set(Door.objects.filter(kind="practice")) == {office.place}
        assert not Lock.objects.filter(name="Övningslås 2").exists()
    with scope(municipality=world.municipality, viewer=Viewer(owner=world.owner.pk)):
        assert not Door.objects.filter(kind="practice").exists()


# -- the administration -----------------------------------------------------------------------------------


@pytest.fixture
def pages(office: Office, settings: Any) -> Any:
    """Read a page as somebody, at the moment of the tests."""
    settings.SECOND_FACTOR_REQUIRED = False

    def read(user: Any, path: str, wanted: int = 200) -> str:
        browser = Http()
        browser.force_login(user)
        answer = browser.get(path)
        assert answer.status_code == wanted, (path, answer.status_code)
        text: str = answer.content.decode()
        return text

    return read


def test_the_pages_of_a_practice_place_and_its_lock_say_what_they_are(office: Office, pages: Any) -> None:
    office.practise()
    patrol = patrol_of(office.issuer.municipality)
    assert "övningsplats" in pages(patrol, f"/admin/places/door/{office.place.pk}/change/")
    assert "övningslås" in pages(patrol, f"/admin/locks/lock/{office.binding.lock_id}/change/")
    who = pages(patrol, f"/admin/who-may-open/?door={office.place.pk}")
    assert "Alice Andersson" in who
    assert "Övning" in who
    person = pages(patrol, f"/admin/who-may-open/?staff={office.issuer.world.alice.pk}")
    assert "Kontorsgatan 2" in person
    assert "Alice" not in pages(patrol, "/admin/access/extraright/")
    listed = pages(patrol, "/admin/access/extraright/?kind__exact=practice")
    assert "övning vid ett övningslås" in listed
    pages(patrol, f"/admin/access/extraright/{ExtraRight.objects.order_by('pk')[0].pk}/change/")


def test_a_coordinator_meets_practice_where_it_is_looked_for_and_on_no_board(
    office: Office, pages: Any
) -> None:
    office.practise()
    coordinator = coordinator_of(office.issuer.world.provider)
    assert "Kontorsgatan 2" in pages(coordinator, f"/admin/places/door/{office.place.pk}/change/")
    assert "Kontorsgatan" not in pages(coordinator, "/admin/")
    assert "Alice" not in pages(coordinator, "/admin/access/extraright/give/")


def test_installing_a_practice_lock_is_planned_and_done_like_any_other(office: Office, pages: Any) -> None:
    place = make_door(office.issuer.world.property, "practice", must_sign="", address="Kontorsgatan 4")
    planned = plan_mountings(property_id=place.property_id, at=NOW)
    (order,) = [one for one in planned if one.door == place]
    assert not blocks_of([order], at=NOW)[order.pk]
    assert order not in blocked(open_orders(), at=NOW)
    mount(place, Device(), at=NOW, name="Övningslås 2")
    order.refresh_from_db()
    assert order.done_at is not None
