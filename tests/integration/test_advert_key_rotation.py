"""A door's advert key changes: phones have the next one before the lock does, and nobody loses the door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django_scopes import scope

from protocol.reasons import Reason
from server.locks.domain.bulletins import build_due
from server.locks.domain.rotation import BEGUN_AT_ONCE, begin, rotate_due, under_way
from server.locks.models import Binding, Bulletin
from server.locks.tasks import rotate_advert_keys
from server.tenancy.domain import keyring
from server.tenancy.models import Municipality
from tests.integration.keysworld import Handset, Street, StreetDoor, founded, street

pytestmark = [pytest.mark.django_db, pytest.mark.once]
AGE = timedelta(days=90)


@pytest.fixture
def there(db: None) -> Iterator[Street]:
    keyring.forget()
    with scope(municipality=founded()):
        yield street()


def work(there: Street) -> int:
    """The server's sweeps."""
    steps = rotate_due(there.municipality, at=there.clock.at)
    build_due(there.municipality, at=there.clock.at)
    return steps


def adv_keys_of(phone: Handset, door: StreetDoor) -> tuple[bytes, ...]:
    return phone.content.locks[bytes(door.binding.binding_id)].adv_keys


def key_in(door: StreetDoor) -> bytes:
    assert door.core.binding is not None
    return door.core.binding.adv_keys[0]


def test_rule_08_the_key_changes_on_schedule_and_phones_that_were_away_find_the_door(there: Street) -> None:
    there.anna.sync()
    there.bo.sync()
    first = key_in(there.gate)
    there.clock.go_on(AGE)
    there.plan()
    there.bo.sync()
    assert len(adv_keys_of(there.bo, there.gate)) == 1
    there.clock.go_on(timedelta(hours=1))
    assert work(there) == 2, "both doors begin"
    there.anna.sync()
    assert len(adv_keys_of(there.anna, there.gate)) == 2
    there.clock.go_on(timedelta(hours=1))
    assert work(there) == 0, "Bo's phone has a live token and does not know the next key"
    assert there.anna.open(there.gate).reason is Reason.GRANTED
    assert key_in(there.gate) == first
    assert there.bo.open(there.gate).reason is Reason.GRANTED

    there.next_day()
    there.bo.sync()
    old, following = adv_keys_of(there.bo, there.gate)
    assert old == first
    assert work(there) == 2, "released: whoever has a live token has the next key"
    there.clock.go_on(timedelta(hours=2))  # Bo is out of coverage all the while, without the bulletin
    there.anna.sync()
    assert there.anna.open(there.gate).reason is Reason.GRANTED
    assert key_in(there.gate) == following != first

    found = there.bo.finds(there.gate)
    assert found is not None and found[1] == following, "he never heard of the change, and finds the door"
    assert there.bo.open(there.gate).reason is Reason.GRANTED
    found = there.bo.finds(there.apartment)
    assert found is not None and found[1] != following
    there.apartment.now()
    assert there.bo.open(there.apartment).reason is Reason.GRANTED, "this lock has not heard of it yet"

    there.anna.open(there.gate)
    there.anna.hand_in()
    assert work(there) == 1, "settled at the gate, once its log has told"
    there.next_day()
    there.anna.sync()
    assert adv_keys_of(there.anna, there.gate) == (following,)
    assert len(adv_keys_of(there.anna, there.apartment)) == 2


def test_who_left_before_cannot_recognise_the_lock_any_more(there: Street) -> None:
    there.bo.sync()
    there.bo.bearer.revoked_at = there.clock.at
    there.bo.bearer.save()
    there.clock.go_on(AGE)
    there.plan()
    work(there)
    there.clock.go_on(timedelta(hours=1))
    work(there)
    there.anna.sync()
    there.anna.open(there.gate)
    there.gate.advance(3600)
    assert there.bo.finds(there.gate) is None
    assert there.anna.finds(there.gate) is not None


def test_the_key_is_in_every_bulletin_until_the_lock_has_it(there: Street) -> None:
    begin(there.municipality, [there.gate.binding.pk], at=there.clock.at)
    there.clock.go_on(timedelta(hours=1))
    work(there)
    assert under_way(there.municipality) == (0, 1)
    for _ in range(2):
        there.next_day()
        build_due(there.municipality, at=there.clock.at)
    brought = Bulletin.objects.filter(binding=there.gate.binding, seq__gt=1)
    assert [row.brings_adv_key for row in brought.order_by("seq")] == [True] * brought.count()
    assert brought.count() == 3
    there.anna.sync()
    before = key_in(there.gate)
    assert there.anna.open(there.gate).reason is Reason.GRANTED
    assert key_in(there.gate) != before
    there.gate.power_cut()
    there.anna.open(there.gate)
    there.anna.hand_in()
    assert work(there) == 1
    assert not Bulletin.objects.filter(binding=there.gate.binding).latest("seq").brings_adv_key
    assert under_way(there.municipality) == (0, 0)


def test_a_door_that_is_being_commissioned_is_left_alone(there: Street) -> None:
    Binding.objects.filter(pk=there.gate.binding.pk).update(commissioned_at=None)
    there.clock.go_on(AGE)
    assert rotate_due(there.municipality, at=there.clock.at) == 1
    assert BEGUN_AT_ONCE >= 1


def test_the_municipality_says_how_long(there: Street) -> None:
    Municipality.objects.update(advert_key_days=7)
    there.municipality.refresh_from_db()
    there.clock.go_on(timedelta(days=6))
    assert rotate_due(there.municipality, at=there.clock.at) == 0
    there.clock.go_on(timedelta(days=1))
    assert rotate_due(there.municipality, at=there.clock.at) == 2


def test_the_command_begins_at_once_and_the_task_goes_on(
    there: Street, capsys: pytest.CaptureFixture[str]
) -> None:
    with time_machine.travel(there.clock.at, tick=False):
        call_command("rotate_advert_keys", "testköping", "--lock", "Lås 1")
        assert "begun 1" in capsys.readouterr().out
        with pytest.raises(CommandError):
            call_command("rotate_advert_keys", "testköping", "--lock", "Lås 9")
    with time_machine.travel(there.clock.at + timedelta(hours=1), tick=False):
        assert rotate_advert_keys() == 1
        call_command("rotate_advert_keys", "testköping", "--all")
        assert "1 with phones only, 1 on their way" in capsys.readouterr().out
