"""Openings with a key that was revoked already: rightly opened offline, or a fault of the lock."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from server.access.domain.issue import issue_ahead
from server.access.domain.revoke import revoke_provider, revoke_token
from server.access.models import Token
from server.locks.models import Bulletin
from server.passages.domain.intake import take_in
from server.passages.domain.meanwhile import classify_recent, classify_tokens
from server.passages.models import Deviation, Passage
from tests.server.issuer import Issuer
from tests.server.world import HOUR, NOW

MINUTE = timedelta(minutes=1)


@pytest.fixture
def token(issuer: Issuer) -> Token:
    issue_ahead(municipality=issuer.municipality, at=NOW)
    return issuer.token_at(issuer.world.apartment_binding)


def opened(issuer: Issuer, token: Token, at: datetime, *, flags: int = 0) -> None:
    issuer.apartment_lock.opened(
        token.token_id, bytes(issuer.world.bearer.fingerprint), at=int(at.timestamp()), flags=flags
    )


def hand_in(issuer: Issuer, at: datetime = NOW + 3 * HOUR) -> None:
    take_in(documents=[issuer.apartment_lock.sealed()], courier=issuer.world.phone, at=at)


def lock_learns(issuer: Issuer) -> None:
    """A phone brings the newest bulletin."""
    newest = Bulletin.objects.filter(binding=issuer.world.apartment_binding).latest("seq")
    issuer.apartment_lock.read_bulletin(bytes(newest.document))


def classes() -> list[bool]:
    rows = Passage.objects.filter(kind="granted").order_by("seq")
    return list(rows.values_list("opened_before_known_revocation", flat=True))


def faults() -> list[Deviation]:
    return list(Deviation.objects.filter(kind=Deviation.Kind.OPENED_REVOKED))


def test_an_opening_after_the_revocation_by_a_lock_that_could_not_know(issuer: Issuer, token: Token) -> None:
    opened(issuer, token, NOW + HOUR)
    revoke_token(token=token, reason="lost", at=NOW + HOUR + MINUTE)
    opened(issuer, token, NOW + 2 * HOUR)
    hand_in(issuer)
    assert classes() == [False, True], "what happened before the revocation is an ordinary opening"
    assert faults() == []


def test_a_lock_that_knew_and_opened_is_at_fault(issuer: Issuer, token: Token) -> None:
    revoke_token(token=token, reason="lost", at=NOW + HOUR)
    lock_learns(issuer)
    opened(issuer, token, NOW + 2 * HOUR)
    hand_in(issuer)
    assert classes() == [False]
    (fault,) = faults()
    assert (fault.door, fault.provider) == (issuer.world.apartment, issuer.world.provider)
    assert fault.passage == Passage.objects.get(kind="granted")


def test_a_provider_that_ended_is_known_by_one_line_of_the_bulletin(issuer: Issuer, token: Token) -> None:
    revoke_provider(provider=issuer.world.provider, reason="assignment_ended", at=NOW + HOUR)
    lock_learns(issuer)
    issuer.apartment_lock.opened(
        token.token_id,
        bytes(issuer.world.bearer.fingerprint),
        grp=token.grp,
        at=int((NOW + 2 * HOUR).timestamp()),
    )
    hand_in(issuer)
    assert (classes(), len(faults())) == ([False], 1)


def test_a_newer_bulletin_that_says_nothing_of_it_is_no_knowledge(issuer: Issuer, token: Token) -> None:
    lock_learns(issuer)
    revoke_token(token=token, reason="lost", at=NOW + HOUR)
    opened(issuer, token, NOW + 2 * HOUR)
    hand_in(issuer)
    assert (classes(), faults()) == ([True], [])


def test_a_revocation_that_takes_effect_before_what_is_known_already(issuer: Issuer, token: Token) -> None:
    opened(issuer, token, NOW + 2 * HOUR)
    hand_in(issuer)
    assert classes() == [False]
    Token.objects.filter(pk=token.pk).update(revoked_at=NOW + HOUR)
    assert classify_tokens([token.pk], at=NOW + 3 * HOUR) == 1
    assert classify_tokens([token.pk], at=NOW + 3 * HOUR) == 0
    assert classes() == [True]


def test_a_revocation_and_an_upload_that_passed_each_other_are_found_by_the_sweep(
    issuer: Issuer, token: Token
) -> None:
    opened(issuer, token, NOW + 2 * HOUR)
    hand_in(issuer)
    Token.objects.filter(pk=token.pk).update(revoked_at=NOW + HOUR)
    assert classify_recent(at=NOW + 3 * HOUR + 5 * MINUTE) == 1
    assert classify_recent(at=NOW + 9 * HOUR) == 0


def test_an_uncertain_clock_gives_a_lower_bound(issuer: Issuer, token: Token) -> None:
    opened(issuer, token, NOW + HOUR, flags=1)
    revoke_token(token=token, reason="lost", at=NOW + HOUR + MINUTE)
    opened(issuer, token, NOW + 2 * HOUR, flags=1)
    hand_in(issuer)
    assert classes() == [False, True], "not before a time after the revocation is after it"
    assert set(Passage.objects.filter(kind="granted").values_list("time_uncertain", flat=True)) == {True}


def test_a_fault_is_reported_once(issuer: Issuer, token: Token) -> None:
    revoke_token(token=token, reason="lost", at=NOW + HOUR)
    lock_learns(issuer)
    opened(issuer, token, NOW + 2 * HOUR)
    hand_in(issuer)
    classify_recent(at=NOW + 3 * HOUR + MINUTE)
    classify_tokens([token.pk], at=NOW + 3 * HOUR + MINUTE)
    assert len(faults()) == 1


def test_denials_are_never_of_the_class(issuer: Issuer, token: Token) -> None:
    from protocol.reasons import Reason

    revoke_token(token=token, reason="lost", at=NOW + HOUR)
    lock_learns(issuer)
    issuer.apartment_lock.clock = int((NOW + 2 * HOUR).timestamp())
    issuer.apartment_lock.refused(Reason.REVOKED, bytes(issuer.world.bearer.fingerprint), token.token_id)
    hand_in(issuer)
    assert not Passage.objects.filter(opened_before_known_revocation=True).exists()
    assert faults() == []
