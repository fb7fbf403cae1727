"""The bulletin sweep looks at what changed only, and misses nothing that a look at everything would find."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.access.domain.issue import issue_ahead
from server.access.domain.revoke import revoke_phone, revoke_provider, revoke_staff, revoke_token
from server.access.models import Token
from server.locks.domain.bulletins import build_due
from server.locks.domain.news import LEAST_STRETCH, build_news, build_next_stretch, build_noted
from server.locks.models import Bulletin, BulletinDue
from server.passages.domain.intake import take_in
from tests.server.device import Device
from tests.server.issuer import Issuer, mount
from tests.server.world import NOW, make_client, make_door

MINUTE = timedelta(minutes=1)
Change = Callable[[Issuer, datetime], object]


def _save(row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def _log(issuer: Issuer, at: datetime) -> None:
    device, phone = issuer.apartment_lock, issuer.world.bearer.phone
    device.opened(b"12345678", bytes(issuer.world.bearer.fingerprint), at=int(at.timestamp()))
    take_in(documents=[device.sealed(device.batch(device.acked + 1))], courier=phone, at=at)


def _revoke_a_token(issuer: Issuer, at: datetime) -> None:
    token = Token.objects.filter(revoked_at=None, replaced_at=None).order_by("pk").first()
    if token is not None:
        revoke_token(token=token, reason="other", at=at)


def _cancel(issuer: Issuer, at: datetime) -> None:
    _save(issuer.world.shift, cancelled_at=at)
    issue_ahead(municipality=issuer.municipality, at=at)


CHANGES: dict[str, Change] = {
    "issue": lambda issuer, at: issue_ahead(municipality=issuer.municipality, at=at),
    "cancel the shift": _cancel,
    "revoke a key": _revoke_a_token,
    "revoke the phone": lambda issuer, at: revoke_phone(phone=issuer.world.phone, reason="lost", at=at),
    "revoke the person": lambda issuer, at: revoke_staff(staff=issuer.world.alice, reason="misuse", at=at),
    "end the provider": lambda issuer, at: revoke_provider(
        provider=issuer.world.provider, reason="other", at=at
    ),
    "log": _log,
    "relock later": lambda issuer, at: _save(issuer.world.apartment, relock_seconds=60 + at.minute),
    "hold the gate longer": lambda issuer, at: _save(issuer.world.gate, hold_seconds=1 + at.minute),
    "keep the battery's reserve": lambda issuer, at: _save(
        issuer.world.apartment, opens_with_last_energy=at.minute % 2 == 0
    ),
    "make it a laundry": lambda issuer, at: _save(issuer.world.gate, kind="laundry"),
    "make it a gate": lambda issuer, at: _save(issuer.world.gate, kind="gate"),
    "let hands be counted": lambda issuer, at: _save(issuer.world.client_consent, count_hand_openings=True),
    "let hands not be counted": lambda issuer, at: _save(
        issuer.world.client_consent, count_hand_openings=False
    ),
}


def test_rule_11_somebody_who_moves_in_without_agreeing_ends_the_counting_at_once(issuer: Issuer) -> None:
    municipality, world = issuer.municipality, issuer.world
    _save(world.client_consent, count_hand_openings=True)
    build_due(municipality, at=NOW)
    build_noted(municipality, at=NOW)
    make_client(world.apartment, world.team, "4799")
    assert build_noted(municipality, at=NOW + MINUTE) == 1
    assert build_due(municipality, at=NOW + MINUTE) == 0


@given(changes=st.lists(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=7))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_changed_was_noted(issuer: Issuer, changes: list[str]) -> None:
    municipality = issuer.municipality
    with transaction.atomic():
        at = NOW
        build_due(municipality, at=at)
        for change in changes:
            at += MINUTE
            CHANGES[change](issuer, at)
            build_noted(municipality, at=at)
            assert build_due(municipality, at=at) == 0, f"{change} was not noted"
            assert not BulletinDue.objects.exists()
        transaction.set_rollback(True)


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_note_is_written_with_the_change_or_nothing_changed(issuer: Issuer, change: str) -> None:
    """What a process leaves behind that dies right after the change: the note alone must suffice."""
    municipality, at = issuer.municipality, NOW + MINUTE
    issue_ahead(municipality=municipality, at=NOW)
    build_due(municipality, at=NOW)
    BulletinDue.objects.all().delete()
    before = Bulletin.objects.count()
    CHANGES[change](issuer, at)
    made_at_once = Bulletin.objects.filter(created_at__gte=at)
    told = {bulletin.binding_id for bulletin in made_at_once}
    noted = set(BulletinDue.objects.values_list("binding_id", flat=True))
    assert told <= noted, "built at once but not noted: lost if the process had died in between"
    build_noted(municipality, at=at)
    assert build_due(municipality, at=at) == 0
    assert Bulletin.objects.count() >= before


def test_sweep_comes_round_to_every_lock(issuer: Issuer) -> None:
    world = issuer.world
    for number in range(LEAST_STRETCH + 5):
        door = make_door(world.property, "apartment", address=f"Ringvägen {number}", number=str(number))
        make_client(door, world.team, f"9{number:03}")
        mount(door, Device(), at=NOW)
    BulletinDue.objects.all().delete()
    cache.clear()
    later = NOW + timedelta(hours=13)
    first = build_next_stretch(issuer.municipality, at=later)
    assert first == LEAST_STRETCH
    assert build_news(issuer.municipality, at=later) > 0
    assert build_due(issuer.municipality, at=later) == 0
    assert build_news(issuer.municipality, at=later) == 0
