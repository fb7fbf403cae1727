"""Phones whose key lives in hardware: when a municipality takes such keys, and at which locks they count."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine
from django.test import Client as Http

from protocol import lockrecord, token
from protocol.keys import HolderKey, KeyType
from protocol.manifest import Role
from protocol.phonekeys import P256Key
from server.access.decision import decide
from server.access.domain.issue import issue_for_bearer
from server.access.models import Token
from server.access.queries import shifts_with_people
from server.access.reasons import WhyNot
from server.locks.models import Lock
from server.people.domain.enrolment import make_enrolment_code
from server.people.models import Bearer
from server.places.models import Door
from tests.server.device import Device
from tests.server.issuer import Issuer, b64, mount
from tests.server.issuer import Phone as HttpPhone
from tests.server.world import NOW, make_door

KEY = P256Key(b"in the phone's security chip....")

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def _info(client: Http) -> Any:
    return client.get("/api/v1/info").json()["key_types"]


def _enrol(client: Http, issuer: Issuer) -> Any:
    code = make_enrolment_code(staff=issuer.world.alice)[1]
    sent = {"code": code, "bearer_key": b64(KEY.holder.public), "key_type": 2}
    return HttpPhone(client, "").post("enrol", sent | {"app_version": "1.0.0", "phone_model": "Pixel 9"})


def _old_lock(binding: Any) -> None:
    """A lock that was made before suite 2."""
    Lock.unscoped.filter(pk=binding.lock_id).update(suites=1)


def _with_hardware_key(issuer: Issuer) -> Bearer:
    bearer = issuer.world.bearer
    bearer.key_type, bearer.public_key = 2, KEY.holder.public
    bearer.fingerprint = KEY.holder.fingerprint
    bearer.save()
    return bearer


def test_a_key_in_hardware_is_enrolled_and_gets_tokens_of_its_own_type(issuer: Issuer, client: Http) -> None:
    assert _info(client) == [1, 2]
    answer = _enrol(client, issuer)
    assert answer.status_code == 200, answer.content
    bearer = Bearer.objects.get(pk=answer.json()["bearer_id"])
    assert (bearer.key_type, bytes(bearer.public_key)) == (2, KEY.holder.public)
    assert bytes(bearer.fingerprint) == KEY.holder.fingerprint
    issue_for_bearer(bearer=bearer, at=NOW)
    issued = Token.objects.filter(bearer=bearer)
    assert issued.count() == 2
    for one in issued:
        parsed = token.parse(bytes(one.document))
        key = issuer.manifest.verify_key(Role.TOKEN, parsed.kid)
        assert key is not None
        parsed.verify(key, HolderKey(KeyType.P256, KEY.holder.public))


def test_one_lock_that_knows_no_such_keys_and_none_is_enrolled(issuer: Issuer, client: Http) -> None:
    """Whoever enrols must be able to open every door; what is settled here is never settled at a door."""
    _old_lock(issuer.world.gate_binding)
    assert _info(client) == [1]
    answer = _enrol(client, issuer)
    assert (answer.status_code, answer.json()["code"]) == (400, "key_unusable")
    Lock.unscoped.filter(pk=issuer.world.gate_binding.lock_id).update(state=Lock.State.RETIRED)
    assert _info(client) == [1, 2]


def test_no_token_for_a_lock_that_cannot_read_the_key(issuer: Issuer) -> None:
    """An older lock mounted since the phone was enrolled: its door is refused and named, others stay."""
    bearer, world = _with_hardware_key(issuer), issuer.world
    _old_lock(world.gate_binding)
    decision = decide(duty=shifts_with_people([world.shift.pk]).get(), bearer=bearer, at=NOW)
    assert [right.binding for right in decision.rights] == [world.apartment_binding]
    assert decision.why_not(world.gate.pk) is WhyNot.KEY_NOT_FOR_LOCK
    assert decision.why_not(world.apartment.pk) is None
    issue_for_bearer(bearer=bearer, at=NOW)
    assert {one.binding for one in Token.objects.filter(bearer=bearer)} == {world.apartment_binding}


def test_software_keys_open_every_lock(issuer: Issuer) -> None:
    world = issuer.world
    _old_lock(world.gate_binding)
    decision = decide(duty=shifts_with_people([world.shift.pk]).get(), bearer=world.bearer, at=NOW)
    assert {right.binding for right in decision.rights} == {world.gate_binding, world.apartment_binding}


@pytest.mark.parametrize("offered", [1, 3])
def test_a_lock_record_says_what_the_lock_said_of_itself(issuer: Issuer, offered: int) -> None:
    door = make_door(issuer.world.gate.property, Door.Kind.GATE, address="Bivägen 7")
    binding = mount(door, Device(suites=offered))
    assert binding.lock.suites == offered
    assert lockrecord.verify(bytes(binding.lock_record), issuer.manifest).suites == offered
