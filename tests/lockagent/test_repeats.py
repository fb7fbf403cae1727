"""Rule 10: lost answers, repeated requests, and that nothing is ever done twice."""

from __future__ import annotations

import pytest

from lockagent.bolt import Bolt, Order
from lockagent.core.requests import REMEMBERED, KnownRequest, KnownRequests, RequestKey
from protocol.entries import EntryType, OutcomeDetail
from protocol.messages import Command, DecisionFlag, OutcomeCode
from protocol.reasons import Reason
from tests.lockagent.bench import Attempt, Bench, Phone, commissioned


def assert_repeated(attempt: Attempt, code: OutcomeCode) -> None:
    assert attempt.reason is Reason.GRANTED
    assert attempt.decision is not None
    assert attempt.decision.flags & DecisionFlag.REPEATED
    assert attempt.code is code


@pytest.mark.parametrize("cut", ["after m1", "after m2", "after m3"])
@pytest.mark.parametrize("wait", [0.0, 0.5, 5.0])
def test_rule_10_a_link_lost_anywhere_and_the_request_repeated_acts_once(cut: str, wait: float) -> None:
    bench, anna = commissioned(), Phone()
    held, request_id = anna.right(bench), anna.request_id()
    first = anna.attempt(bench, held, request_id=request_id)
    first.step()
    if cut == "after m2":
        first.run()
    elif cut == "after m3":
        first.run(2.0)
    first.drop()
    bench.advance(wait)
    again = anna.attempt(bench, held, request_id=request_id).run(2.0)
    assert_repeated(again, OutcomeCode.MOVED)
    assert bench.motor.runs == [Order.UNLOCK]
    assert bench.kinds().count("GRANTED") == 1
    assert bench.kinds().count("OUTCOME") == 1


def test_rule_10_a_repeated_request_gets_the_recorded_outcome_after_a_reboot() -> None:
    bench, anna = commissioned(), Phone()
    held, request_id = anna.right(bench), anna.request_id()
    anna.attempt(bench, held, request_id=request_id).run(2.0)
    bench.power_cut()
    assert_repeated(anna.attempt(bench, held, request_id=request_id).run(2.0), OutcomeCode.MOVED)
    assert bench.motor.runs == []


def test_rule_10_a_power_cut_before_the_outcome_leaves_it_unknown_and_is_never_made_good() -> None:
    bench, anna = commissioned(), Phone()
    held, request_id = anna.right(bench), anna.request_id()
    anna.attempt(bench, held, request_id=request_id).run()
    bench.power_cut()
    outcome = bench.entries()[-1]
    assert OutcomeDetail.parse(outcome.detail).outcome == OutcomeCode.UNKNOWN
    assert_repeated(anna.attempt(bench, held, request_id=request_id).run(2.0), OutcomeCode.UNKNOWN)
    assert bench.motor.runs == []
    bench.power_cut()
    assert bench.kinds().count("OUTCOME") == 1


def test_rule_10_jam_and_timeout_are_told_apart_and_repeated_as_they_were() -> None:
    for fault, code in (("jammed", OutcomeCode.JAM), ("motor_dead", OutcomeCode.TIMEOUT)):
        bench, anna = commissioned(), Phone()
        setattr(bench.motor.faults, fault, True)
        held, request_id = anna.right(bench), anna.request_id()
        first = anna.attempt(bench, held, request_id=request_id).run(6.0)
        assert first.code is code
        setattr(bench.motor.faults, fault, False)
        assert_repeated(anna.attempt(bench, held, request_id=request_id).run(6.0), code)
        assert anna.attempt(bench, held).run(6.0).code is OutcomeCode.MOVED
        assert bench.motor.runs == [Order.UNLOCK, Order.UNLOCK]


def test_rule_10_a_driver_that_never_answers_is_a_timeout() -> None:
    bench, anna = commissioned(), Phone()
    bench.motor._limit = 1e9
    bench.motor.faults.motor_dead = True
    assert anna.attempt(bench, anna.right(bench)).run(20.0).code is OutcomeCode.TIMEOUT


def test_the_same_id_with_another_command_or_phone_is_another_request() -> None:
    bench, anna, bo = commissioned(), Phone("anna"), Phone("bo")
    request_id = anna.request_id()
    anna.attempt(bench, anna.right(bench), request_id=request_id).run(2.0)
    anna.attempt(bench, anna.right(bench), Command.LOCK, request_id=request_id).run(2.0)
    bo.attempt(bench, bo.right(bench), request_id=request_id).run(2.0)
    assert bench.motor.runs == [Order.UNLOCK, Order.LOCK, Order.UNLOCK]


def opened_and_locked(bench: Bench, anna: Phone, times: int) -> None:
    held = anna.right(bench)
    for _ in range(times):
        anna.open(bench, held)
        anna.open(bench, held, command=Command.LOCK)


def test_rule_10_the_last_256_requests_are_known_even_after_a_reboot() -> None:
    bench, anna = commissioned(), Phone()
    held, request_id = anna.right(bench), anna.request_id()
    anna.attempt(bench, held, request_id=request_id).run(2.0)
    opened_and_locked(bench, anna, 127)
    bench.power_cut()
    assert_repeated(anna.attempt(bench, held, request_id=request_id).run(2.0), OutcomeCode.MOVED)


def test_a_repeated_request_is_judged_like_any_other_before_it_is_answered() -> None:
    bench, anna = commissioned(), Phone()
    held, request_id = anna.right(bench, hours=1), anna.request_id()
    anna.attempt(bench, held, request_id=request_id).run(2.0)
    bench.advance(3600 + 600)
    assert anna.attempt(bench, held, request_id=request_id).run(2.0).reason is Reason.EXPIRED


def test_rule_10_m3_says_what_the_log_says() -> None:
    bench, anna = commissioned(), Phone()
    bench.motor.turn_by_hand(Bolt.UNLOCKED, bench.mono)
    bench.poll()
    attempt = anna.open(bench)
    assert attempt.code is OutcomeCode.ALREADY
    last = bench.entries()[-1]
    assert last.kind == EntryType.OUTCOME
    assert OutcomeDetail.parse(last.detail).outcome == OutcomeCode.ALREADY


def test_rule_10_a_forgotten_request_of_an_earlier_epoch_takes_no_other_along() -> None:
    """After damage the numbers begin anew: the one forgotten and the one just granted may bear the same."""
    known = KnownRequests()

    def opening(name: str, seq: int, epoch: int) -> RequestKey:
        key = RequestKey(b"phone123", Command.OPEN, name.encode().ljust(8))
        known.granted(key, KnownRequest(seq, b"token123", epoch))
        known.outcome(seq + 1, OutcomeDetail(seq, OutcomeCode.MOVED))
        return key

    for number in range(REMEMBERED):
        opening(f"old {number}", 3 + 2 * number, 1)
    known.forget_numbers()
    found = known.find(opening("new", 3, 2))
    assert found is not None
    assert found.outcome is OutcomeCode.MOVED
