"""A back-up is restored: the server has gone back in time, and no lock and no phone has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command
from django_scopes import scope

from protocol.reasons import Reason
from server.access.models import Token
from server.keys.domain.proposing import propose
from server.locks.domain.bulletins import build_due
from server.locks.models import Bulletin
from server.tenancy.domain import keyring
from server.tenancy.models import Manifest, Municipality, RoleKey
from tests.integration.keysworld import FIRST_ROOTS, Street, founded, sign_and_publish, street

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def there(db: None) -> Iterator[Street]:
    keyring.forget()
    with scope(municipality=founded()):
        yield street()


def go_back(there: Street) -> None:
    """What a restore does to what this test looks at: tokens and bulletins made since are gone."""
    Token.objects.filter(bearer=there.bo.bearer).delete()
    Bulletin.objects.filter(seq__gt=1).delete()


def test_rule_04_no_number_comes_twice_and_what_the_server_forgot_opens_nothing(there: Street) -> None:
    there.bo.sync()
    for _ in range(3):
        there.clock.go_on(timedelta(hours=13))
        build_due(there.municipality, at=there.clock.at)
    there.plan()
    there.anna.sync()
    there.bo.sync()
    assert there.anna.open(there.gate).reason is Reason.GRANTED
    seen = there.gate.core.binding
    assert seen is not None
    go_back(there)
    with time_machine.travel(there.clock.at, tick=False):
        call_command("keys", "testköping", "restored")
    assert min(row.seq for row in Bulletin.objects.filter(seq__gt=1)) > seen.bulletin.seq
    there.clock.go_on(timedelta(minutes=1))
    there.anna.sync()
    assert there.anna.open(there.gate).reason is Reason.GRANTED
    assert there.bo.open(there.gate).reason is Reason.PROVIDER_ENDED, "nobody could revoke his token"
    there.bo.forget_cursor()
    there.bo.sync()
    assert there.bo.open(there.gate).reason is Reason.GRANTED


def test_a_manifest_that_was_lost_is_left_behind(there: Street) -> None:
    there.anna.sync()
    lost = propose(municipality=there.municipality, renew=["token"], at=there.clock.at)
    sign_and_publish(lost, FIRST_ROOTS[:2], there.clock.at)
    there.next_day()
    there.anna.sync()
    assert there.anna.open(there.gate).reason is Reason.GRANTED
    assert there.gate.manifest_version == 2

    RoleKey.objects.filter(superseded_at=None, role="token").delete()
    RoleKey.objects.filter(role="token").update(superseded_at=None, erased_at=None)
    Manifest.objects.filter(version=2).delete()
    Bulletin.objects.filter(seq__gt=1).delete()
    Municipality.objects.update(tokens_not_before=None)
    draft = propose(municipality=there.municipality, renew=["token"], skip=10, at=there.clock.at)
    sign_and_publish(draft, FIRST_ROOTS[1:], there.clock.at)
    with time_machine.travel(there.clock.at, tick=False):
        call_command("keys", "testköping", "restored")
    there.next_day()
    there.anna.sync()
    assert there.anna.open(there.gate).reason is Reason.GRANTED
    assert there.gate.manifest_version == 12
