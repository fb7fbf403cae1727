"""Leaving a phone: the key is given back by the person who holds it, and nobody else's is touched."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from server.access.models import Revocation, Token
from server.audit.models import AuditEntry
from server.people.models import Bearer
from tests.server.issuer import Issuer, Phone
from tests.server.world import NOW


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def test_whoever_leaves_gives_the_key_and_its_rights_back(issuer: Issuer, phone: Phone) -> None:
    phone.sign_in()
    assert phone.sync().json()["rights"]
    answer = phone.post("leave", {})
    assert (answer.status_code, answer.json()) == (200, {"at": int(NOW.timestamp())})
    bearer = Bearer.unscoped.get(staff=issuer.world.alice)
    assert bearer.revoked_at == NOW
    assert not Token.unscoped.filter(bearer=bearer, revoked_at=None).exists()
    revocation = Revocation.unscoped.get()
    assert (revocation.bearer, revocation.by) == (bearer, issuer.world.alice.user)
    assert phone.sync().json()["code"] in {"bearer_unknown", "bearer_revoked"}


def test_a_phone_alone_or_a_half_signed_in_person_gives_nothing_back(issuer: Issuer, phone: Phone) -> None:
    assert phone.post("leave", {}).json()["code"] == "session_missing"
    assert not Revocation.unscoped.exists()


def test_leaving_stands_in_the_audit_trail(issuer: Issuer, phone: Phone) -> None:
    phone.sign_in()
    phone.post("leave", {})
    assert AuditEntry.unscoped.filter(action="access.revoked", actor=issuer.world.alice.user).count() == 1
