"""A lock that lost its log and was moved before anybody fetched the new one: what happened where."""

from __future__ import annotations

import pytest

from protocol.entries import EntryType
from protocol.reasons import Reason
from server.locks.models import Binding, Bulletin
from server.passages.models import Passage
from tests.server.device import Device
from tests.server.issuer import Issuer, Phone, mount
from tests.server.world import HOUR, LONG_AGO, NOW, make_door

STRANGER = b"x" * 8


@pytest.fixture
def lock(issuer: Issuer, phone: Phone) -> Device:
    """The gate's lock, its log fetched and then lost; the next epoch's first entry is from the gate."""
    lock = issuer.gate_lock
    assert status(phone, lock) == "stored"
    lock.lose_log()
    lock.bulletin_seq = 57
    lock.refused(Reason.EXPIRED, STRANGER)
    return lock


def status(phone: Phone, lock: Device) -> str:
    found: str = phone.hand_in(lock.sealed()).json()["results"][0]["status"]
    return found


def where(kind: str) -> list[int | None]:
    return list(Passage.objects.filter(kind=kind).order_by("epoch", "seq").values_list("binding", flat=True))


def move(issuer: Issuer, lock: Device) -> Binding:
    return mount(make_door(issuer.world.property, "laundry"), lock, at=NOW)


def test_an_entry_from_before_the_move_stands_at_the_door_of_then(
    issuer: Issuer, phone: Phone, lock: Device
) -> None:
    moved = move(issuer, lock)
    lock.refused(Reason.EXPIRED, STRANGER)
    assert status(phone, lock) == "stored"
    assert where("refused") == [issuer.world.gate_binding.pk, moved.pk]


def test_a_number_from_the_door_of_then_marks_nothing_known_at_the_new_one(
    issuer: Issuer, phone: Phone, lock: Device
) -> None:
    first = lock.batch()
    moved = move(issuer, lock)
    assert phone.hand_in(lock.sealed(first)).json()["results"][0]["status"] == "stored"
    assert not Bulletin.objects.filter(binding=moved, known_at__isnull=False).exists()


def test_a_clock_from_before_any_binding_means_the_door_of_now(issuer: Issuer, phone: Phone) -> None:
    lock = issuer.gate_lock
    lock.lose_log()
    lock.clock = int((LONG_AGO - HOUR).timestamp())
    lock.add(EntryType.BOOT, (lock.boot, 0))
    assert status(phone, lock) == "stored"
    assert where("boot") == [issuer.world.gate_binding.pk]
