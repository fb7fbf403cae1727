"""A pool phone against the real server: two people, two vaults, one phone, and one of them leaves."""

from __future__ import annotations

import pytest

from mobile.engine.errors import WrongPinError
from mobile.engine.state import LoginState, Stage
from server.access.models import Token
from server.people.domain.enrolment import make_enrolment_code
from server.people.models import Bearer, Phone, StaffMember
from tests.integration.serverworld import PIN, PhoneAtServer
from tests.server.issuer import Issuer, give_sign_in
from tests.server.world import make_staff

BERTS_PIN = "602914"


def _enrol(phone: PhoneAtServer, staff: StaffMember, pin: str) -> str:
    code = make_enrolment_code(staff=staff, for_pool_phone=True)[1]
    phone.do(phone.engine.enrol(phone.url, code, pin))
    return phone.engine.state.active_bearer


@pytest.fixture
def bert(issuer: Issuer) -> StaffMember:
    staff = make_staff(issuer.world.team, "Bert Berg")
    give_sign_in(staff, "bert")
    return staff


def test_a_pool_phone_changes_hands_with_no_administrator_and_nothing_of_the_first_remains(
    alice: PhoneAtServer, issuer: Issuer, bert: StaffMember
) -> None:
    engine = alice.engine
    first = _enrol(alice, issuer.world.alice, PIN)
    alice.sign_in()
    alice.do(engine.sync())
    rights = set(engine._keyring.content.rights)
    assert rights

    second = _enrol(alice, bert, BERTS_PIN)
    alice.sign_in("bert")
    alice.do(engine.sync())
    assert engine.state.staff_name == bert.name
    assert rights.isdisjoint(engine._keyring.content.rights), "nobody carries another person's rights"
    phone = Phone.objects.order_by("pk").last()
    assert phone is not None
    assert Bearer.objects.filter(phone=phone, revoked_at=None).count() == 2, "one phone, two keys"

    alice.do(engine.lock_app())
    alice.do(engine.select_bearer(first))
    with pytest.raises(WrongPinError):
        alice.do(engine.unlock(BERTS_PIN))
    alice.do(engine.unlock(PIN))
    assert engine.state.login is LoginState.SIGNED_IN, "handing over signs nobody out"
    assert set(engine._keyring.content.rights) == rights

    alice.do(engine.remove_bearer(first))
    assert engine.state.stage is Stage.LOCKED
    assert [card.id for card in engine.state.bearers] == [second]
    gone, stays = Bearer.objects.get(staff=issuer.world.alice, phone=phone), Bearer.objects.get(staff=bert)
    assert gone.revoked_at is not None
    assert not Token.objects.filter(bearer=gone, revoked_at=None).exists()
    assert stays.revoked_at is None
    files = [path for path in alice.folder.rglob("*") if path.is_file()]
    assert not any(first in path.name or first.encode() in path.read_bytes() for path in files)
    alice.do(engine.unlock(BERTS_PIN))
    alice.do(engine.sync())
    assert engine.state.staff_name == bert.name


def test_who_left_comes_back_with_a_new_code(alice: PhoneAtServer, issuer: Issuer) -> None:
    first = _enrol(alice, issuer.world.alice, PIN)
    alice.sign_in()
    alice.do(alice.engine.remove_bearer(first))
    assert alice.engine.state.stage is Stage.NOT_ENROLLED
    _enrol(alice, issuer.world.alice, BERTS_PIN)
    alice.sign_in()
    alice.do(alice.engine.sync())
    assert alice.engine._keyring.content.rights
