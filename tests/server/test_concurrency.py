"""Several callers at the same instant: real threads, real connections, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Http
from django_scopes import scope

from protocol.keys import x25519_public
from server.access.domain.issue import issue_ahead, issue_for_bearer
from server.access.domain.revoke import revoke_phone
from server.access.models import Revocation, Token
from server.locks.domain.bulletins import build_bulletins
from server.locks.models import Binding, BindingGroup, Bulletin, LockStatus, LogPosition
from server.passages.domain.intake import Result, take_in
from server.passages.models import Passage, SealedBatch
from server.people.domain.enrolment import enrol, make_enrolment_code
from server.people.models import Bearer
from server.places.models import Door
from server.problems import Problem
from tests.server.device import Device
from tests.server.issuer import (
    Issuer,
    Phone,
    b64,
    found,
    give_sign_in,
    make_issuer,
    private_key,
    second_phone,
)
from tests.server.world import NOW, make_door, make_staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def issuer(transactional_db: None) -> Iterator[Issuer]:
    """The keyed world, committed, so that other connections see it."""
    municipality = found()
    with scope(municipality=municipality):
        yield make_issuer(municipality)


def at_once(issuer: Issuer, *acts: Callable[[], Any]) -> list[Any]:
    """Run every act in a thread and a scope of its own, all starting together; exceptions are results too."""
    start, results = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        try:
            with scope(municipality=issuer.municipality):
                start.wait(timeout=10)
                results[number] = act()
        except Exception as error:  # whatever it was, the test must see it
            results[number] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


def test_one_code_two_phones(issuer: Issuer) -> None:
    code = make_enrolment_code(staff=issuer.world.alice, at=NOW)[1]

    def take() -> Bearer:
        key = x25519_public(private_key())
        return enrol(code=code, key_type=1, public_key=key, at=NOW, app_version="1.0.0").bearer

    results = at_once(issuer, *[take] * 4)
    refused = [one.code for one in results if isinstance(one, Problem)]
    assert refused == ["code_used"] * 3
    assert Bearer.objects.count() == 2


def commission(issuer: Issuer, door: Door, device: Device, name: str) -> Callable[[], Any]:
    """Return the installer's call over HTTP, to be made in a thread of its own."""
    staff = make_staff(issuer.world.team, f"Installatör {name}")
    give_sign_in(staff, name, role="installer")
    phone = Phone(Http())
    phone.sign_in(name)
    body = {"door_id": door.pk, "lock_identity": b64(device.identity_document()), "lock_name": name}
    return lambda: phone.post("installer/commission", body)


def test_two_installers_with_two_locks_at_one_door(issuer: Issuer) -> None:
    door = make_door(issuer.world.property, "laundry")
    calls = [commission(issuer, door, Device(), name) for name in ("a", "b", "c")]
    answers = [(one.status_code, one.json().get("code")) for one in at_once(issuer, *calls)]
    assert sorted(answers) == [(200, None), *[(409, "door_has_lock")] * 2]
    assert Binding.objects.filter(door=door).count() == 1


def test_two_installers_with_one_new_lock_at_one_door(issuer: Issuer) -> None:
    door, device = make_door(issuer.world.property, "laundry"), Device()
    calls = [commission(issuer, door, device, name) for name in ("a", "b", "c")]
    answers = [(one.status_code, one.json()["binding"]) for one in at_once(issuer, *calls)]
    assert answers == [answers[0]] * 3
    assert answers[0][0] == 200


def test_issuing_from_many_places_gives_each_token_once(issuer: Issuer) -> None:
    bearer = issuer.world.bearer
    results = at_once(
        issuer,
        lambda: issue_ahead(municipality=issuer.municipality, at=NOW),
        lambda: issue_for_bearer(bearer=bearer, at=NOW),
        lambda: issue_for_bearer(bearer=bearer, at=NOW),
        lambda: issue_ahead(municipality=issuer.municipality, at=NOW),
    )
    assert [one for one in results if isinstance(one, Exception)] == []
    assert sum(one.signed for one in results) == Token.objects.count() == 2
    assert BindingGroup.objects.count() == 2


def test_rule_04_bulletin_numbers_never_repeat_or_go_back(issuer: Issuer) -> None:
    binding = issuer.world.gate_binding

    def build(ppm: int) -> int:
        LockStatus.objects.filter(lock=binding.lock).update(clock_ppm=ppm)
        at = NOW + timedelta(seconds=ppm)
        return build_bulletins(issuer.municipality, [binding.pk], at=at)

    results = at_once(issuer, *[lambda ppm=ppm: build(ppm) for ppm in range(1, 6)])
    assert [one for one in results if isinstance(one, Exception)] == []
    rows = list(Bulletin.objects.filter(binding=binding).order_by("seq"))
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    times = [issuer.gate_lock.read_bulletin(bytes(row.document)).time for row in rows]
    assert times == sorted(times)


def test_nothing_is_issued_after_a_revocation(issuer: Issuer) -> None:
    world = issuer.world
    results = at_once(
        issuer,
        lambda: issue_ahead(municipality=issuer.municipality, at=NOW),
        lambda: revoke_phone(phone=world.phone, reason=Revocation.Reason.LOST, at=NOW),
        lambda: issue_for_bearer(bearer=world.bearer, at=NOW),
    )
    assert [one for one in results if isinstance(one, Exception)] == []
    assert not Token.objects.filter(revoked_at=None).exists()


def test_rule_05_two_couriers_hand_in_the_same_batch_at_once(issuer: Issuer) -> None:
    lock, courier = issuer.gate_lock, issuer.world.phone
    for _number in range(20):
        lock.opened(b"unknown!", b"stranger")
    sealed = lock.sealed()
    results = at_once(issuer, *[lambda: take_in(documents=[sealed], courier=courier, at=NOW)] * 4)
    flat = [one[0] if isinstance(one, list) else one for one in results]
    assert sorted(flat, key=lambda one: one.status) == [
        *[Result("known")] * 3,
        Result("stored", "", 41),
    ]
    assert (Passage.objects.count(), SealedBatch.objects.count()) == (41, 1)


def test_rule_05_couriers_with_different_pieces_at_once(issuer: Issuer) -> None:
    other = second_phone(issuer, make_staff(issuer.world.team, "Bert Berg"), "berts-telefon").phone
    for lock in (issuer.gate_lock, issuer.apartment_lock):
        for _number in range(10):
            lock.opened(b"unknown!", b"stranger")
    spans = ((1, 8), (5, 14), (13, 21), (9, 12))
    documents = [
        [lock.sealed(lock.batch(*span)) for lock in (issuer.gate_lock, issuer.apartment_lock)]
        for span in spans
    ]
    documents[1].reverse()
    documents[3].reverse()
    couriers = (issuer.world.phone, other, issuer.world.phone, other)
    results = at_once(
        issuer,
        *[
            lambda piece=piece, courier=courier: take_in(documents=piece, courier=courier, at=NOW)
            for piece, courier in zip(documents, couriers, strict=True)
        ],
    )
    assert [one for one in results if isinstance(one, Exception)] == []
    assert Passage.objects.count() == 42
    assert set(LogPosition.objects.values_list("acked_seq", flat=True)) == {21}
    assert set(SealedBatch.objects.values_list("status", flat=True)) == {"stored"}
