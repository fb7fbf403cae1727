"""The generated city: the same from the same seed, whole in itself, and good for issuing and syncing."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F
from django_scopes import scope

from protocol import commission, lockrecord, receipt
from protocol.identity import LockIdentity
from server.access.consents import missing_consents
from server.access.decision import decide_all, who_may_open
from server.access.domain.cursor import Cursor
from server.access.domain.issue import issue_ahead
from server.access.domain.sync import sync
from server.access.models import StandingRight, Token
from server.access.queries import current_shifts, duties_behind
from server.care.models import CareAssignment, Client, Consent, Shift
from server.city.generate import City, generate
from server.city.size import PILOT, Size, city
from server.locks.domain.bulletins import build_due
from server.locks.models import Binding, Lock, LockStatus, LogPosition
from server.passages.models import Passage
from server.people.models import Bearer, CareProvider, StaffMember
from server.places.models import Door, Property, PropertyOwner
from server.tenancy.domain.keyring import current_manifest
from server.tenancy.models import Municipality

pytestmark = pytest.mark.once

AT = datetime(2026, 11, 23, 9, 12, tzinfo=UTC)
MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def make(size: Size, *, seed: int = 1, slug: str = "storstad") -> City:
    return generate(
        slug=slug, name="Storstad", size=size, seed=seed, at=AT, morning=MORNING, tell=lambda _line: None
    )


def rows_of(made: City) -> dict[str, Any]:
    """What follows from the seed: people, places, care, keys and logs, by name instead of row number."""
    with scope(municipality=made.municipality):
        return {
            "staff": list(StaffMember.objects.order_by("pk").values_list("name", "employed_to")),
            "bearers": list(Bearer.objects.order_by("pk").values_list("public_key", "phone__label")),
            "doors": list(
                Door.objects.order_by("pk").values_list("address", "kind", "property__owner__name")
            ),
            "care": list(
                CareAssignment.objects.order_by("pk").values_list(
                    "client__alarm_code", "team__name", "starts_at", "ends_at"
                )
            ),
            "locks": list(Lock.objects.order_by("pk").values_list("lock_id", "name")),
            "bindings": list(Binding.objects.order_by("pk").values_list("binding_id", "starts_at")),
            "logs": list(
                Passage.objects.order_by("lock__name", "seq").values_list("entry_bytes", "entry_hash")
            ),
            "shifts": list(Shift.objects.order_by("pk").values_list("staff__name", "starts_at")),
        }


class UndoneError(Exception):
    """Takes a city back."""


def told_and_taken_back(seed: int) -> dict[str, Any]:
    with contextlib.suppress(UndoneError), transaction.atomic():
        told = rows_of(make(city(40), seed=seed))
        raise UndoneError
    return told


def test_the_same_seed_gives_the_same_rows_and_another_seed_others(db: None) -> None:
    first = told_and_taken_back(seed=1)
    assert told_and_taken_back(seed=1) == first
    other = told_and_taken_back(seed=2)
    assert {name for name, rows in other.items() if rows == first[name]} == set()


def test_pilot_has_the_numbers_of_the_pilot(db: None) -> None:
    made = make(PILOT, slug="piloten")
    with scope(municipality=made.municipality):
        counted = {
            "clients": Client.objects.count(),
            "apartment locks": Binding.objects.filter(door__kind="apartment").count(),
            "gates": Door.objects.filter(kind="gate").count(),
            "owners": PropertyOwner.objects.count(),
            "staff": StaffMember.objects.count(),
            "providers": CareProvider.objects.count(),
        }
    assert counted == {
        "clients": 35,
        "apartment locks": 25,
        "gates": 20,
        "owners": 11,
        "staff": 10,
        "providers": 1,
    }


def test_city_keeps_the_proportions_that_were_asked_for() -> None:
    size = city(16_000)
    assert (size.staff, size.providers, size.owners, size.gates) == (7000, 80, 10_000, 12_800)


@pytest.fixture
def small_city(db: None) -> City:
    return make(city(120))


def test_city_is_consistent(small_city: City) -> None:
    with scope(municipality=small_city.municipality):
        assert Client.objects.count() == 120
        assert Door.objects.filter(kind="gate").count() == 96
        assert not CareAssignment.objects.exclude(team__provider=F("provider")).exists()
        assert not Shift.objects.exclude(staff__provider=F("provider")).exists()
        for binding in Binding.objects.select_related("door__property__owner"):
            assert missing_consents(binding.door, at=binding.starts_at) == []
        behind = CareAssignment.objects.values_list("client__door__path__via", "provider").distinct()
        gates = [gate for gate, _provider in behind if gate]
        shared = len(gates) - len(set(gates))
        assert shared, "some gate must be shared by two providers"
        assert Property.objects.count() > Consent.objects.filter(scope="property").count()
        for row in [
            *Client.objects.all(),
            *Door.objects.all(),
            *Consent.objects.all(),
            *StandingRight.objects.all(),
        ]:
            row.full_clean()


def test_papers_of_every_lock_verify(small_city: City) -> None:
    municipality = small_city.municipality
    with scope(municipality=municipality):
        manifest, _document = current_manifest(municipality)
        for binding in Binding.objects.select_related("lock"):
            brought = commission.verify(bytes(binding.commission_document or b""))
            assert brought.bulletin.binding == bytes(binding.binding_id)
            said = lockrecord.verify(bytes(binding.lock_record or b""), manifest)
            stated = LockIdentity(
                bytes(binding.lock.static_public_key),
                bytes(binding.lock.log_public_key),
                bytes(binding.lock.seal_public_key),
            )
            assert said.lock_id == stated.lock_id == bytes(binding.lock.lock_id)
        for position in LogPosition.objects.select_related("lock"):
            last = Passage.objects.filter(lock=position.lock).latest("seq")
            assert receipt.verify(bytes(position.receipt or b""), manifest).hash == bytes(last.entry_hash)
            assert position.acked_seq == last.seq == Passage.objects.filter(lock=position.lock).count()
        assert LockStatus.objects.count() == Binding.objects.count()
        assert build_due(municipality, at=AT) == 0, "no bulletin is due in a city just made"


def test_city_gives_rights_and_phones_get_them(small_city: City) -> None:
    municipality = small_city.municipality
    with scope(municipality=municipality):
        shifts = list(current_shifts(at=AT, until=AT + timedelta(hours=1)))
        decisions = decide_all(shifts, at=AT)
        assert all(decisions[shift].rights for shift in shifts if shift.staff.employed_to is None)
        door = Door.objects.filter(bindings__isnull=False, kind="apartment").first()
        assert door is not None
        assert who_may_open(door, at=AT, until=AT + timedelta(hours=12))
        issued = issue_ahead(municipality=municipality, at=AT)
        assert issued.signed == Token.objects.count() > 0
        assert issue_ahead(municipality=municipality, at=AT).signed == 0
        bearer = Bearer.objects.get(pk=Token.objects.values_list("bearer", flat=True)[0])
        answer = sync(bearer=bearer, known=Cursor(), at=AT)
        assert answer.rights and answer.shift is not None


def test_command_writes_where_nothing_real_is(db: None, capsys: Any, settings: Any) -> None:
    settings.EMBEDDED = settings.LOCAL_ONLY = True
    call_command("generate_city", pilot=True, at="2026-11-23T10:12")
    told = capsys.readouterr()
    assert "patrol" in told.out and "Pilotens kommun" in told.out
    with pytest.raises(CommandError, match="already"):
        call_command("generate_city", pilot=True, yes=True)
    with pytest.raises(CommandError, match="--yes"):
        call_command("generate_city", clients=20)


def test_command_asks_before_it_writes_into_a_real_server(db: None, settings: Any) -> None:
    settings.LOCAL_ONLY = False
    with pytest.raises(CommandError, match="--yes"):
        call_command("generate_city", clients=20)
    assert not Municipality.objects.exists()


def test_a_door_is_judged_alike_alone_and_among_all_others(small_city: City) -> None:
    with scope(municipality=small_city.municipality):
        for door in Door.objects.select_related("property").order_by("pk")[::7]:
            until = AT + timedelta(hours=24)
            duties = duties_behind(door, at=AT, until=until)
            everything = decide_all(duties, at=AT)
            for opener in who_may_open(door, at=AT, until=until):
                whole = everything[opener.duty]
                assert opener.right == whole.right_at(door.pk)
                assert opener.why_not == whole.why_not(door.pk)
