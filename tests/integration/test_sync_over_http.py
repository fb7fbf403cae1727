"""The phone's engine against the real server: enrolment, both logins, sync, logs, and every no on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone

from mobile.engine import answers
from mobile.engine import content as codec
from mobile.engine.errors import ServerError, SignInError
from mobile.engine.state import LoginState, Stage
from protocol import bulletin, token
from server.access.domain.cursor import MAX_LENGTH, Cursor, decode
from server.access.domain.revoke import revoke_phone
from server.access.models import Revocation, Token
from server.passages.models import Passage
from server.people.models import Bearer, Phone
from server.tenancy.domain.keyring import root_set
from server.tenancy.models import ROUTINE_LENGTH, Municipality
from tests.integration.serverworld import PIN, PhoneAtServer
from tests.server.issuer import Issuer, code_now, enrolment_code, give_sign_in
from tests.server.world import make_staff


@pytest.fixture
def at_work(alice: PhoneAtServer, issuer: Issuer) -> PhoneAtServer:
    """Alice enrolled, signed in and synced."""
    alice.enrol(issuer.world.alice)
    alice.sign_in()
    alice.do(alice.engine.sync())
    return alice


def test_enrolment_makes_the_key_on_the_phone_and_pins_the_roots(
    alice: PhoneAtServer, issuer: Issuer
) -> None:
    identity = alice.do(alice.engine.server_identity(alice.url))
    assert identity.municipality == issuer.municipality.name
    alice.do(alice.engine.enrol(alice.url, enrolment_code(issuer.world.alice, timezone.now()), PIN))
    state = alice.engine.state
    assert (state.stage, state.staff_name, state.username) == (Stage.UNLOCKED, "Alice Andersson", "alice")
    bearer = Bearer.objects.order_by("pk").last()
    content = alice.engine._keyring.content
    assert bearer is not None
    assert content.identity.bearer_id == str(bearer.pk)
    assert content.identity.private_key not in bytes(bearer.public_key)
    assert identity.root_fingerprint == root_set(issuer.municipality).fingerprint.hex()


def test_a_code_is_good_once_and_not_for_long(alice: PhoneAtServer, issuer: Issuer) -> None:
    code = enrolment_code(issuer.world.alice, timezone.now())
    alice.do(alice.engine.enrol(alice.url, code, PIN))
    with pytest.raises(ServerError) as used:
        alice.do(alice.engine.enrol(alice.url, code, PIN))
    assert used.value.code == "code_used"
    with pytest.raises(ServerError) as unknown:
        alice.do(alice.engine.enrol(alice.url, "AAAA-BBBB-CCCC", PIN))
    assert unknown.value.code == "code_unknown"
    late = enrolment_code(issuer.world.alice, timezone.now() - timedelta(minutes=16))
    with pytest.raises(ServerError) as expired:
        alice.do(alice.engine.enrol(alice.url, late, PIN))
    assert expired.value.code == "code_expired"
    assert alice.engine.state.staff_name == "Alice Andersson", "the vault that was open still is"


def test_the_second_login_takes_password_and_code(alice: PhoneAtServer, issuer: Issuer) -> None:
    alice.enrol(issuer.world.alice)
    with pytest.raises(SignInError) as wrong:
        alice.do(alice.engine.sign_in("alice", "fel"))
    assert wrong.value.code == "bad_credentials"
    with pytest.raises(SignInError) as early:
        alice.do(alice.engine.sync())
    assert early.value.code == "session_expired"
    alice.do(alice.engine.sign_in("alice", "ett-riktigt-långt-lösenord"))
    assert alice.engine.state.login is LoginState.NEEDS_CODE
    with pytest.raises(SignInError) as wrong_code:
        alice.do(alice.engine.second_factor("000000"))
    assert wrong_code.value.code == "wrong_second_factor"
    alice.do(alice.engine.second_factor(code_now()))
    assert alice.engine.state.login is LoginState.SIGNED_IN


def test_an_account_without_a_second_factor_is_told_so(alice: PhoneAtServer, issuer: Issuer) -> None:
    Authenticator.objects.all().delete()
    alice.enrol(issuer.world.alice)
    with pytest.raises(SignInError) as refused:
        alice.do(alice.engine.sign_in("alice", "ett-riktigt-långt-lösenord"))
    assert refused.value.code == "second_factor_required"
    assert alice.engine.state.login is LoginState.SIGNED_OUT


def test_first_sync_brings_verified_rights_and_the_next_one_only_what_changed(
    at_work: PhoneAtServer, issuer: Issuer
) -> None:
    content = at_work.engine._keyring.content
    world = issuer.world
    assert set(content.doors) == {str(world.gate.pk), str(world.apartment.pk)}
    assert {right.binding for right in content.rights.values()} == {
        bytes(world.gate_binding.binding_id),
        bytes(world.apartment_binding.binding_id),
    }
    for right in content.rights.values():
        assert token.parse(right.token).claims.binding == right.binding
        assert bulletin.parse(content.locks[right.binding].bulletin).body.binding == right.binding
    assert at_work.engine.state.sync.online
    assert abs(at_work.engine.state.sync.clock_off_seconds) <= 1
    again = at_work.do(at_work.engine.sync())
    assert (again.new_rights, again.removed_rights) == (0, 0)
    assert at_work.engine._keyring.content.rights == content.rights


def test_what_was_fetched_is_there_after_the_app_was_closed(at_work: PhoneAtServer) -> None:
    before = at_work.engine._keyring.content
    at_work.do(at_work.engine.lock_app())
    at_work.do(at_work.engine.unlock(PIN))
    assert at_work.engine._keyring.content == before
    assert at_work.engine.state.login is LoginState.SIGNED_IN


def test_rule_04_a_revoked_phone_forgets_its_rights_at_its_next_contact(
    at_work: PhoneAtServer, issuer: Issuer
) -> None:
    phone = Phone.objects.order_by("pk").last()
    assert phone is not None
    revoke_phone(phone=phone, reason=Revocation.Reason.LOST, at=timezone.now())
    with pytest.raises(ServerError) as revoked:
        at_work.do(at_work.engine.sync())
    assert revoked.value.code == "phone_revoked"
    assert at_work.engine._keyring.content.rights == {}
    assert at_work.engine.state.doors == {}
    assert at_work.engine.state.sync.stale_reason == "phone_revoked"


def test_rule_04_a_right_that_ends_leaves_the_phone(at_work: PhoneAtServer, issuer: Issuer) -> None:
    held = len(at_work.engine._keyring.content.rights)
    issuer.world.assignment.ends_at = timezone.now() - timedelta(minutes=1)
    issuer.world.assignment.save()
    result = at_work.do(at_work.engine.sync())
    left = at_work.engine._keyring.content
    assert result.removed_rights >= 1
    assert len(left.rights) < held
    assert set(left.locks) == {right.binding for right in left.rights.values()}


def test_signing_out_forgets_the_work_and_ends_the_session(at_work: PhoneAtServer) -> None:
    session = at_work.engine._keyring.content.session
    at_work.do(at_work.engine.sign_out())
    state = at_work.engine.state
    assert (state.login, dict(state.doors), state.visits) == (LoginState.SIGNED_OUT, {}, ())
    with pytest.raises(SignInError):
        at_work.do(at_work.engine.sync())
    assert _session_is_dead(at_work, session)


def _session_is_dead(phone: PhoneAtServer, session: str) -> bool:
    identity = phone.engine._keyring.content.identity
    call = phone.engine._http.call(
        "POST",
        f"{phone.url}/api/v1/sync",
        body={"cursor": None, "app_version": "1.0.0"},
        device_token=identity.device_token,
        session=session,
    )
    with pytest.raises(ServerError) as refused:
        phone.do(call)
    return refused.value.code == "session_missing"


def test_a_colleagues_account_on_alices_phone_gets_nothing(alice: PhoneAtServer, issuer: Issuer) -> None:
    give_sign_in(make_staff(issuer.world.team, "Bo Berg"), "bo")
    alice.enrol(issuer.world.alice)
    alice.sign_in("bo")
    with pytest.raises(ServerError) as refused:
        alice.do(alice.engine.sync())
    assert refused.value.code == "bearer_unknown"
    assert alice.engine._keyring.content.rights == {}


def test_a_cursor_the_server_does_not_know_begins_anew(at_work: PhoneAtServer) -> None:
    before = at_work.engine._keyring.content.rights
    at_work.do(at_work.engine._keyring.change(lambda content: replace(content, cursor="nonsense")))
    at_work.do(at_work.engine.sync())
    assert set(at_work.engine._keyring.content.rights) == set(before)


def test_whatever_cursor_the_server_makes_the_phone_takes_keeps_and_sends_back(
    at_work: PhoneAtServer,
) -> None:
    """The server's own, of a night patrol with 4 000 rights in a city whose rows have long numbers."""
    many = range(1_000_000, 1_004_000)
    night = Cursor(7, frozenset(many), dict.fromkeys(many, 900), dict.fromkeys(many, b"digest"), b"digest")
    text = night.encode(1_000_000)
    assert len(text) < MAX_LENGTH == answers.MAX_CURSOR
    spare = {"server_time": 1_790_000_000, "cursor": text}
    assert answers.sync_answer(spare).cursor == text
    content = replace(at_work.engine._keyring.content, cursor=text)
    assert codec.decode(codec.encode(content)).cursor == text
    assert decode(text, 1_000_000) == night


def test_the_longest_routine_that_may_be_written_reaches_the_phone(
    at_work: PhoneAtServer, issuer: Issuer
) -> None:
    """And a longer one, of a time before there was a limit, keeps no phone from its keys."""
    field = Municipality._meta.get_field("deviation_routine_sv")
    assert field.max_length == ROUTINE_LENGTH == answers.MAX_TEXT
    for written in ("Ring jouren.\r\n" * 300)[:ROUTINE_LENGTH], "Ö" * (ROUTINE_LENGTH + 1):
        Municipality.objects.filter(pk=issuer.municipality.pk).update(
            deviation_routine_sv=written, deviation_routine_en=written
        )
        at_work.do(at_work.engine.sync())
        assert at_work.engine.state.support.routine_sv == written[:ROUTINE_LENGTH]
        assert at_work.engine.state.sync.stale_reason == ""


def test_logs_are_taken_once_and_by_any_phone(at_work: PhoneAtServer, issuer: Issuer) -> None:
    bearer = Bearer.objects.order_by("pk").last()
    right = Token.objects.filter(binding=issuer.world.apartment_binding, bearer=bearer).last()
    assert bearer is not None and right is not None
    lock = issuer.apartment_lock
    lock.opened(phone=bytes(bearer.fingerprint), token_id=bytes(right.token_id))
    sealed = lock.sealed()
    for _ in range(2):
        assert at_work.do(at_work.engine._courier.keep(sealed))
        assert at_work.do(at_work.engine.sync()).logs_handed_in == 1
    assert at_work.engine.state.sync.waiting_logs == 0
    assert Passage.objects.filter(kind="granted").count() == 1


def test_a_server_that_is_away_leaves_everything_as_it_was(
    at_work: PhoneAtServer,
) -> None:
    before = at_work.engine._keyring.content
    identity = replace(before.identity, server_url="http://localhost:9")
    at_work.do(at_work.engine._keyring.change(lambda content: replace(content, identity=identity)))
    with pytest.raises(ServerError) as away:
        at_work.do(at_work.engine.sync())
    assert away.value.code == "server_unreachable"
    assert at_work.engine._keyring.content.rights == before.rights
    assert at_work.engine.state.sync.stale_reason == "server_unreachable"
    assert not at_work.engine.state.sync.online
