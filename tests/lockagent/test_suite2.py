"""Suite 2 at the lock: the same judgement for a key in hardware, and no way from one suite into the other."""

from dataclasses import replace

import pytest

from lockagent.bolt import Order
from lockagent.core.events import FrameIn, Subscribed
from lockagent.core.greetings import CHANGE_SECONDS
from protocol import framing, gatt, messages
from protocol.entries import EntryType, Refused
from protocol.framing import Kind
from protocol.handshake import PhoneHandshake
from protocol.keys import HolderKey
from protocol.messages import Command, OutcomeCode, Request
from protocol.phone import Alert, PhoneState
from protocol.phonekeys import P256Key
from protocol.reasons import Reason
from protocol.suites import SUITE_1, SUITE_2, Suite
from simulation.backend import PhoneRadio
from simulation.radio import Ether
from simulation.virtualtime import virtual_time
from tests.lockagent.air import LiveLock, Talk, connected, phone_session
from tests.lockagent.bench import SECRETS, Attempt, Bench, Phone, commissioned


def hardware(name: str = "anna") -> Phone:
    return Phone(name, SUITE_2)


class Thief:
    """Holds another phone's token and public key, and a key of its own to sign with."""

    def __init__(self, victim: HolderKey) -> None:
        self.holder = victim
        self._own = P256Key(b"t" * 32)

    def sign(self, message: bytes) -> bytes:
        return self._own.sign(message)


def test_a_key_in_hardware_opens_locks_and_carries() -> None:
    bench, anna = commissioned(), hardware()
    opened = anna.open(bench)
    assert (opened.reason, opened.code) == (Reason.GRANTED, OutcomeCode.MOVED)
    assert opened.batches
    assert opened.ended
    locked = anna.attempt(bench, anna.right(bench), Command.LOCK).run(2.0)
    assert locked.code is OutcomeCode.MOVED
    granted = [one for one in bench.entries() if one.kind == EntryType.GRANTED]
    assert [one.detail[2] for one in granted] == [anna.fingerprint] * 2


def test_rule_10_a_lost_answer_is_repeated_in_suite_2_and_acts_once() -> None:
    bench, anna = commissioned(), hardware()
    held, request_id = anna.right(bench), anna.request_id()
    first = anna.attempt(bench, held, request_id=request_id)
    for _ in range(2):
        first.step()
    first.drop()
    bench.advance(3.0)
    again = anna.attempt(bench, held, request_id=request_id).run(2.0)
    assert again.decision is not None and again.decision.flags & messages.DecisionFlag.REPEATED
    assert again.code is OutcomeCode.MOVED
    assert bench.motor.runs == [Order.UNLOCK]


@pytest.mark.parametrize(("bound", "used"), [(SUITE_1, SUITE_2), (SUITE_2, SUITE_1)])
def test_rule_01_a_token_for_one_type_of_key_is_nothing_with_the_other(bound: Suite, used: Suite) -> None:
    """The same person, the same private bytes even: the token was bound to a key of another type."""
    bench, asks = commissioned(), Phone("anna", used)
    tried = asks.open(bench, Phone("anna", bound).right(bench))
    assert tried.reason is Reason.TOKEN_INVALID
    assert bench.motor.runs == []


def test_rule_01_another_phones_token_is_refused_in_suite_2() -> None:
    bench, anna, mallory = commissioned(), hardware(), hardware("mallory")
    assert mallory.open(bench, anna.right(bench)).reason is Reason.TOKEN_INVALID
    assert bench.motor.runs == []


def test_rule_01_a_public_key_and_its_token_without_the_private_key_are_worth_nothing() -> None:
    """And nothing of it is ever listed in the victim's name."""
    bench, anna = commissioned(), hardware()
    tried = anna.attempt(bench, anna.right(bench))
    tried.session.key = Thief(anna.key.holder)
    tried.run()
    assert tried.decision is None
    assert {one.reason for one in tried.said if isinstance(one, Alert)} == {Reason.HANDSHAKE_FAILED}
    assert bench.motor.runs == []
    bench.advance(3700)
    kinds = bench.kinds()
    assert "REFUSED" not in kinds and "GRANTED" not in kinds
    assert "FAILURES" in kinds
    assert not any(anna.fingerprint in one.detail for one in bench.entries())


def test_refusals_in_suite_2_are_exact_and_name_the_phone() -> None:
    bench, anna = commissioned(), hardware()
    held = anna.right(bench, hours=1)
    bench.advance(4000)
    assert anna.open(bench, held).reason is Reason.EXPIRED
    refused = Refused.parse(next(one for one in bench.entries() if one.kind == EntryType.REFUSED).detail)
    assert (refused.reason, refused.phone) == (Reason.EXPIRED, anna.fingerprint)


def test_rule_04_a_bulletin_cures_in_suite_2() -> None:
    """The proof belongs to the handshake: the same m1 is judged again, and nobody is asked to sign anew."""
    bench, anna = commissioned(), hardware()
    bench.advance(2 * 24 * 3600)
    news = bench.place.bulletin(time=int(bench.wall))
    cured = anna.open(bench, news=news)
    assert (cured.reason, cured.code) == (Reason.GRANTED, OutcomeCode.MOVED)


def _m1(bench: Bench, phone: Phone, m0: bytes, suite: Suite) -> bytes:
    """A good m1 for an m0 of that suite."""
    made = PhoneHandshake(
        key=replace(phone, suite=suite).key,
        lock_static=SECRETS.identity.static_public,
        adv_key=bench.place.adv_key,
        binding=bench.place.binding,
        ephemeral=bench.rng.randbytes(32),
    )
    request = Request(Command.OPEN, phone.request_id(), replace(phone, suite=suite).right(bench).encoded)
    return made.answer(m0, request.encode())[0]


def _m0(bench: Bench, link: int) -> bytes:
    frames, bench.inbox[link] = bench.inbox[link], []
    (message,) = [one for one in map(framing.Reassembler(512).feed, frames) if one is not None]
    assert message.kind is Kind.M0
    return message.body


@pytest.mark.parametrize(("chosen", "other"), [(SUITE_1, SUITE_2), (SUITE_2, SUITE_1)])
def test_what_is_written_to_the_other_suites_characteristic_is_passed_over(
    chosen: Suite, other: Suite
) -> None:
    bench, anna = commissioned(), Phone()
    link = bench.link_up(suite=chosen)
    m1 = _m1(bench, anna, _m0(bench, link), chosen)
    for frame in framing.fragment(Kind.M1, m1, 244):
        bench.feed(FrameIn(link, frame, other))
    assert bench.inbox[link] == []
    for frame in framing.fragment(Kind.M1, m1, 244):
        bench.feed(FrameIn(link, frame, chosen))
    bench.advance(2.0)
    assert len(bench.motor.runs) == 1


@pytest.mark.parametrize(("chosen", "other"), [(SUITE_1, SUITE_2), (SUITE_2, SUITE_1)])
def test_the_first_subscription_on_a_link_chooses(chosen: Suite, other: Suite) -> None:
    bench = commissioned()
    link = bench.link_up(suite=chosen)
    heard = list(bench.inbox[link])
    bench.feed(Subscribed(link, 244, other))
    assert bench.inbox[link] == heard
    m1 = _m1(bench, Phone(), _m0(bench, link), chosen)
    for frame in framing.fragment(Kind.M1, m1, 244):
        bench.feed(FrameIn(link, frame, chosen))
    bench.advance(2.0)
    assert len(bench.motor.runs) == 1


@pytest.mark.parametrize(("chosen", "other"), [(SUITE_1, SUITE_2), (SUITE_2, SUITE_1)])
def test_one_suites_m0_cannot_be_read_in_the_other(chosen: Suite, other: Suite) -> None:
    """Whoever relays a lock's m0 between the two characteristics gets no m1 for it."""
    bench, anna = commissioned(), Phone("anna", other)
    attempt = Attempt(bench, anna.attempt(bench, anna.right(bench)).session, bench.link_up(suite=chosen))
    attempt.run()
    assert attempt.error is not None
    assert attempt.decision is None


def test_strangers_of_both_suites_share_places_and_delay_nobody() -> None:
    bench, anna = commissioned(), hardware()
    for number in range(6):
        bench.link_up(suite=(SUITE_1, SUITE_2)[number % 2])
    bench.advance(gatt.STRANGER_SECONDS)
    assert anna.open(bench).code is OutcomeCode.MOVED


def test_an_untried_m0_of_one_suite_is_never_said_in_the_other() -> None:
    bench = commissioned()
    bench.advance(CHANGE_SECONDS + 0.1)
    first = bench.link_up(suite=SUITE_2)
    said = _m0(bench, first)
    bench.link_down(first)
    other, same = bench.link_up(suite=SUITE_1), bench.link_up(suite=SUITE_2)
    assert _m0(bench, other) != said
    assert _m0(bench, same) == said


@virtual_time
async def test_both_suites_over_the_radio_side_by_side() -> None:
    ether = Ether(seed=21)
    lock = await LiveLock(ether).start()
    for name, suite in (("anna", SUITE_2), ("bo", SUITE_1), ("cia", SUITE_2)):
        phone = Phone(name, suite)
        async with connected(PhoneRadio(ether, name), lock.place) as client:
            talk = await Talk(client, phone_session(lock.place, phone, mtu=247)).run()
        assert talk.session.state is PhoneState.ENDED
        assert talk.session.outcome is not None
        assert talk.session.outcome.code in (OutcomeCode.MOVED, OutcomeCode.ALREADY)
