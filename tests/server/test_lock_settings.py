"""What a door's page says about its lock is what the lock's next bulletin says."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from protocol import bulletin
from protocol.settings import DoorKind, LockSettings
from server.locks.domain.bulletins import build_due
from server.locks.models import Binding, Bulletin
from server.places.models import Door
from tests.server.issuer import Issuer
from tests.server.world import NOW


def told(issuer: Issuer, binding: Binding) -> LockSettings:
    """The settings in the newest bulletin for this door."""
    build_due(issuer.municipality, at=NOW)
    newest = Bulletin.objects.filter(binding=binding).latest("seq")
    return bulletin.parse(bytes(newest.document)).body.settings


def set_up(door: Door, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(door, name, value)
    door.full_clean()
    door.save()


@pytest.mark.once
def test_a_door_whose_page_says_nothing_has_the_municipalitys_habits(issuer: Issuer) -> None:
    assert told(issuer, issuer.world.apartment_binding) == LockSettings(DoorKind.APARTMENT, relock_after=300)
    assert told(issuer, issuer.world.gate_binding) == LockSettings(DoorKind.GATE, hold_milliseconds=5000)


@pytest.mark.once
def test_a_gate_can_be_held_longer_and_a_reserve_kept(issuer: Issuer) -> None:
    set_up(issuer.world.gate, hold_seconds=12)
    set_up(issuer.world.apartment, opens_with_last_energy=False)
    assert told(issuer, issuer.world.gate_binding).hold_milliseconds == 12_000
    assert told(issuer, issuer.world.gate_binding).open_with_last_energy
    assert not told(issuer, issuer.world.apartment_binding).open_with_last_energy


@pytest.mark.once
@pytest.mark.parametrize(("kind", "seconds"), [("apartment", 5), ("gate", 0), ("gate", 61)])
def test_a_hold_time_that_no_lock_could_keep_is_refused(issuer: Issuer, kind: str, seconds: int) -> None:
    door = issuer.world.apartment if kind == "apartment" else issuer.world.gate
    with pytest.raises(ValidationError, match=r".+") as refused:
        set_up(door, hold_seconds=seconds)
    assert set(refused.value.message_dict) == {"hold_seconds"}
