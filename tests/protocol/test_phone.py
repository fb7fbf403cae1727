"""The phone's side of an attempt: every turn it may take."""

from dataclasses import replace

import pytest

from protocol import framing, gatt, messages
from protocol.errors import HandshakeFailedError, ProtocolError
from protocol.framing import Kind
from protocol.handshake import m0_hash
from protocol.messages import (
    BulletinOffer,
    BulletinResult,
    Carry,
    Decision,
    DecisionFlag,
    Done,
    FreshTime,
    LogBatch,
    TimeResult,
)
from protocol.phone import Alert, PhoneState, Step
from protocol.reasons import CURABLE_BY_BULLETIN, Reason
from tests.protocol.counterpart import GRANTED, MOVED, NEWS, feed, shaken, stands
from tests.protocol.vectors.opening import REQUEST
from tests.protocol.vectors.world import seed


@pytest.mark.parametrize("capacity", [20, 182, 244, 514])
def test_an_opening(capacity: int) -> None:
    phone, lock = shaken(capacity=capacity)
    assert (stands(phone), lock.request) == (PhoneState.WAIT_M2, REQUEST.encode())
    assert phone.m0_hash == m0_hash(lock.handshake.m0)
    step = feed(phone, lock.say(GRANTED))
    assert (step.said, lock.take(step.send)) == ((GRANTED,), [Carry(4096)])
    assert stands(phone) is PhoneState.WAIT_M3
    assert feed(phone, lock.say(MOVED)).said == (MOVED,)
    batch = LogBatch(seed("batch") * 100)
    assert feed(phone, lock.say(batch)) == Step(said=(batch,))
    assert feed(phone, lock.say(Done(3))) == Step(said=(Done(3),))
    assert (stands(phone), phone.decision, phone.outcome) == (PhoneState.ENDED, GRANTED, MOVED)


def test_rule_10_granted_is_not_open() -> None:
    phone, lock = shaken()
    feed(phone, lock.say(GRANTED))
    assert phone.decision == GRANTED
    assert phone.outcome is None


def test_refused() -> None:
    phone, lock = shaken()
    refusal = Decision(Reason.EXPIRED, 1, 5, 9)
    assert feed(phone, lock.say(refusal)) == Step(said=(refusal,))
    assert stands(phone) is PhoneState.ENDED


def test_an_unknown_reason_is_a_refusal() -> None:
    phone, lock = shaken()
    feed(phone, lock.say(Decision(200, 1, 5, 9)))
    assert (stands(phone), phone.decision and phone.decision.granted) == (PhoneState.ENDED, False)


def test_a_repeated_grant_goes_on_like_a_first() -> None:
    phone, lock = shaken()
    feed(phone, lock.say(replace(GRANTED, flags=DecisionFlag.REPEATED)))
    feed(phone, lock.say(MOVED))
    assert phone.outcome == MOVED


def test_news_is_handed_over_with_a_grant_before_carry() -> None:
    phone, lock = shaken(news=NEWS)
    step = feed(phone, lock.say(replace(GRANTED, bulletin_seq=8)))
    assert lock.take(step.send) == [BulletinOffer(NEWS), Carry(4096)]
    feed(phone, lock.say(BulletinResult(Reason.GRANTED, 9)))
    feed(phone, lock.say(MOVED))
    assert stands(phone) is PhoneState.CARRYING


def test_news_that_is_not_newer_stays() -> None:
    phone, lock = shaken(news=NEWS)
    assert lock.take(feed(phone, lock.say(GRANTED)).send) == [Carry(4096)]


@pytest.mark.parametrize("reason", sorted(CURABLE_BY_BULLETIN))
def test_cured(reason: Reason) -> None:
    phone, lock = shaken(news=NEWS)
    step = feed(phone, lock.say(Decision(reason, 1, 5, 8)))
    assert (stands(phone), lock.take(step.send)) == (PhoneState.CURING, [BulletinOffer(NEWS)])
    feed(phone, lock.say(BulletinResult(Reason.GRANTED, 9)))
    assert stands(phone) is PhoneState.CURING
    assert lock.take(feed(phone, lock.say(GRANTED)).send) == [Carry(4096)]
    assert stands(phone) is PhoneState.WAIT_M3


def test_not_cured_the_second_time() -> None:
    phone, lock = shaken(news=NEWS)
    lock.take(feed(phone, lock.say(Decision(Reason.NEED_UPDATE, 1, 5, 8))).send)
    feed(phone, lock.say(BulletinResult(Reason.GRANTED, 9)))
    assert feed(phone, lock.say(Decision(Reason.NEED_UPDATE, 1, 6, 8))).send == ()
    assert stands(phone) is PhoneState.ENDED


def test_medicine_refused() -> None:
    phone, lock = shaken(news=NEWS)
    lock.take(feed(phone, lock.say(Decision(Reason.KEY_UNKNOWN, 1, 5, 8))).send)
    feed(phone, lock.say(BulletinResult(Reason.BULLETIN_INVALID, 8)))
    assert stands(phone) is PhoneState.ENDED


def test_rule_04_a_refused_phone_stays_until_its_news_is_taken() -> None:
    phone, lock = shaken(news=NEWS)
    step = feed(phone, lock.say(Decision(Reason.REVOKED, 1, 5, 8)))
    assert (stands(phone), lock.take(step.send)) == (PhoneState.HANDING_OVER, [BulletinOffer(NEWS)])
    feed(phone, lock.say(BulletinResult(Reason.GRANTED, 9)))
    assert stands(phone) is PhoneState.ENDED


def test_a_second_m0_makes_the_same_request_anew() -> None:
    phone, lock = shaken()
    lock.speak()
    lock.take(feed(phone, lock.m0).send)
    assert lock.request == REQUEST.encode()
    assert phone.m0_hash == m0_hash(lock.handshake.m0)
    feed(phone, lock.say(GRANTED))
    assert phone.decision == GRANTED


def test_a_lock_may_not_start_over_for_ever() -> None:
    phone, lock = shaken()
    for _ in range(gatt.MAX_M0_PER_LINK - 1):
        lock.speak()
        lock.take(feed(phone, lock.m0).send)
    lock.speak()
    with pytest.raises(HandshakeFailedError):
        feed(phone, lock.m0)
    assert stands(phone) is PhoneState.ENDED


def test_an_alert_changes_nothing() -> None:
    phone, lock = shaken()
    frames = framing.fragment(Kind.ALERT, messages.encode_alert(Reason.HANDSHAKE_FAILED), 244)
    assert feed(phone, frames).said == (Alert(Reason.HANDSHAKE_FAILED),)
    assert stands(phone) is PhoneState.WAIT_M2
    feed(phone, lock.say(GRANTED))
    assert stands(phone) is PhoneState.WAIT_M3


def test_fresh_time_is_offered_after_the_decision_and_answered() -> None:
    phone, lock = shaken()
    with pytest.raises(ProtocolError):
        phone.offer_time(b"statement")
    refusal = Decision(Reason.TIME_UNCERTAIN, 1, 5, 9, DecisionFlag.TIME_UNCERTAIN)
    feed(phone, lock.say(refusal))
    assert lock.take(phone.offer_time(b"statement")) == [FreshTime(b"statement")]
    assert feed(phone, lock.say(TimeResult(Reason.GRANTED))).said == (TimeResult(Reason.GRANTED),)


def test_more_log_than_offered_to_carry_ends_it() -> None:
    phone, lock = shaken(carry_bytes=1000)
    assert lock.take(feed(phone, lock.say(GRANTED)).send) == [Carry(1000)]
    feed(phone, lock.say(MOVED))
    feed(phone, lock.say(LogBatch(bytes(600))))
    with pytest.raises(ProtocolError, match="more log"):
        feed(phone, lock.say(LogBatch(bytes(600))))
    assert stands(phone) is PhoneState.ENDED
