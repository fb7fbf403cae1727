"""Rule 7: the clock moves forward by signed statements only, and knows when it does not know."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockagent.core.clock import Anchor, Clock, RtcReading
from protocol.entries import EntryType, Granted
from protocol.messages import DecisionFlag, OutcomeCode, TimeResult
from protocol.reasons import Reason
from tests.lockagent.bench import Attempt, Bench, Phone, commissioned
from tests.lockagent.world import HOUR, T0

DAY = 24 * HOUR


def clock_time(bench: Bench) -> int:
    return bench.core._context.clock.now(bench.mono)


def certain(bench: Bench) -> bool:
    return bench.core._context.clock.certain


def lose_battery(bench: Bench, days: float) -> None:
    """The RTC lost its power: it counts from somewhere else now, and says so."""
    bench.rtc_lost = True
    bench.rtc_offset = -bench.wall
    bench.power_cut(days * DAY)
    bench.rtc_lost = False


def bring_time(bench: Bench, attempt: Attempt, time: int) -> list[object]:
    assert attempt.session.m0_hash is not None
    statement = bench.place.fresh_time(attempt.session.m0_hash, time)
    for frame in attempt.session.offer_time(statement):
        bench.write(attempt.link, frame)
    attempt.run()
    return [one for one in attempt.said if isinstance(one, TimeResult)]


def test_rule_07_time_goes_on_through_power_cuts() -> None:
    bench = commissioned()
    bench.advance(1000)
    bench.power_cut(500)
    assert abs(clock_time(bench) - bench.wall) <= 2
    assert certain(bench)


def test_rule_07_a_slow_clock_learns_from_the_issue_time_of_a_verified_token() -> None:
    bench, anna = commissioned(), Phone()
    ahead = int(bench.wall) + 2 * HOUR
    assert anna.open(bench, anna.right(bench, now=ahead)).reason is Reason.GRANTED
    assert clock_time(bench) >= ahead


def test_rule_07_a_clock_at_the_end_of_its_numbers_stands_still_and_the_lock_goes_on() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench)
    anna.attempt(bench, held, news=bench.place.bulletin(time=2**32 - 1)).run(20)
    bench.advance(4000)
    assert clock_time(bench) == 2**32 - 1
    bench.power_cut()
    late = anna.right(bench, now=2**32 - 2 * HOUR, hours=1.95)
    assert anna.open(bench, late).code is OutcomeCode.ALREADY


def test_rule_07_a_token_moves_the_clock_at_most_a_day() -> None:
    bench, anna = commissioned(), Phone()
    before = clock_time(bench)
    anna.open(bench, anna.right(bench, now=before + 40 * DAY))
    assert before + DAY <= clock_time(bench) <= before + DAY + 5


def test_rule_07_an_unverified_token_moves_nothing() -> None:
    bench, anna, mallory = commissioned(), Phone("anna"), Phone("mallory")
    before = clock_time(bench)
    mallory.open(bench, anna.right(bench, now=before + 5 * HOUR))
    assert clock_time(bench) <= before + 5


def test_rule_07_a_learned_time_is_remembered_over_a_power_cut() -> None:
    bench, anna = commissioned(), Phone()
    ahead = int(bench.wall) + 2 * HOUR
    anna.open(bench, anna.right(bench, now=ahead))
    bench.advance(70)
    bench.power_cut()
    assert clock_time(bench) >= ahead
    assert certain(bench)


def test_rule_07_the_hourly_save_bounds_what_a_lost_battery_can_take_back() -> None:
    bench = commissioned()
    bench.advance(10 * DAY)
    lose_battery(bench, 1)
    assert not certain(bench)
    assert T0 + 10 * DAY - HOUR <= clock_time(bench) <= bench.wall


def test_rule_07_staff_who_synced_before_the_battery_change_are_not_shut_out() -> None:
    bench, anna = commissioned(), Phone()
    bench.advance(6 * HOUR)
    held = anna.right(bench)
    lose_battery(bench, 0.2)
    attempt = anna.open(bench, held)
    assert attempt.code is OutcomeCode.MOVED
    assert attempt.decision is not None
    assert attempt.decision.flags & DecisionFlag.TIME_UNCERTAIN
    granted = next(entry for entry in bench.entries() if entry.kind == EntryType.GRANTED)
    assert Granted.parse(granted.detail).flags == 1


def test_rule_07_what_an_uncertain_lock_accepts_is_bounded_per_token() -> None:
    bench, anna = commissioned(), Phone()
    held, other = anna.right(bench), anna.right(bench, token_id=b"another!")
    lose_battery(bench, 0.01)
    reasons = [anna.open(bench, held).reason for _ in range(20)]
    assert reasons == [Reason.GRANTED] * 16 + [Reason.TIME_UNCERTAIN] * 4
    assert anna.open(bench, other).reason is Reason.GRANTED
    bench.power_cut()
    assert anna.open(bench, held).reason is Reason.TIME_UNCERTAIN


def test_rule_07_an_expired_token_stays_expired_when_the_bound_is_past_it() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench, hours=1)
    bench.advance(6 * HOUR)
    lose_battery(bench, 1)
    assert anna.open(bench, held).reason is Reason.EXPIRED


def test_rule_07_fresh_time_ends_the_uncertainty_and_is_logged() -> None:
    bench, anna = commissioned(), Phone()
    lose_battery(bench, 20)
    attempt = anna.open(bench)
    assert bring_time(bench, attempt, int(bench.wall)) == [TimeResult(Reason.GRANTED)]
    assert certain(bench)
    assert clock_time(bench) == int(bench.wall)
    assert bench.kinds()[-1] == "CLOCK"
    bench.power_cut(60)
    assert certain(bench)
    assert abs(clock_time(bench) - bench.wall) <= 2


def test_rule_07_fresh_time_may_step_back_an_hour_and_no_more() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.open(bench)
    now = clock_time(bench)
    assert bring_time(bench, attempt, now - HOUR - 10) == [TimeResult(Reason.TIME_JUMP_REFUSED)]
    assert bring_time(bench, attempt, now - HOUR + 10)[-1:] == [TimeResult(Reason.GRANTED)]
    assert clock_time(bench) <= now - HOUR + 12
    bench.power_cut(10)
    assert certain(bench)
    assert clock_time(bench) <= now - HOUR + 40


def test_rule_07_a_statement_for_another_session_is_refused() -> None:
    bench, anna = commissioned(), Phone()
    old = anna.open(bench)
    assert old.session.m0_hash is not None
    statement = bench.place.fresh_time(old.session.m0_hash, int(bench.wall) + 40 * DAY)
    new = anna.open(bench)
    for frame in new.session.offer_time(statement):
        bench.write(new.link, frame)
    new.run()
    assert new.said[-1] == TimeResult(Reason.TIME_NOT_FOR_SESSION)
    assert abs(clock_time(bench) - bench.wall) <= 2


def test_rule_07_a_statement_nobody_signed_is_refused() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.open(bench)
    assert attempt.session.m0_hash is not None
    forged = bench.place.fresh_time(attempt.session.m0_hash, T0, key=bench.place.issuer.receipt_key)
    for frame in attempt.session.offer_time(forged):
        bench.write(attempt.link, frame)
    assert attempt.run().said[-1] == TimeResult(Reason.TIME_INVALID)


def test_rule_07_an_rtc_that_runs_backwards_is_not_believed() -> None:
    bench = commissioned()
    bench.advance(DAY)
    before = clock_time(bench)
    bench.rtc_offset -= 5 * DAY
    bench.power_cut()
    assert not certain(bench)
    assert clock_time(bench) >= before - HOUR


def test_the_correction_of_the_crystal_is_applied() -> None:
    clock = Clock(Anchor(T0, 0, T0, certain=True), RtcReading(0), 0.0)
    clock.correct(100, 0.0)
    assert clock.now(10 * DAY) == T0 + 10 * DAY + 86
    clock.correct(0, 10 * DAY)
    assert clock.now(11 * DAY) == T0 + 11 * DAY + 86


@settings(max_examples=300)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("learn"), st.integers(-5 * DAY, 5 * DAY)),
            st.tuples(st.just("news"), st.integers(-5 * DAY, 5 * DAY)),
            st.tuples(st.just("pass"), st.integers(0, DAY)),
            st.tuples(st.just("correct"), st.integers(-1000, 1000)),
        ),
        max_size=40,
    ),
    st.booleans(),
)
def test_rule_07_no_order_of_statements_moves_the_clock_back(
    story: list[tuple[str, int]], sure: bool
) -> None:
    clock = Clock(Anchor(T0, 50, T0, certain=sure), RtcReading(60), 5.0)
    mono, newest = 5.0, clock.now(5.0)
    for what, value in story:
        if what == "pass":
            mono += value
        elif what == "learn":
            clock.learn_issue(newest + value, mono)
        elif what == "news":
            clock.learn(newest + value, mono)
        else:
            clock.correct(value, mono)
        assert clock.now(mono) >= newest
        newest = clock.now(mono)
        anchor = clock.saved(mono)
        again = Clock(anchor, RtcReading(int(55 + mono)), 0.0)
        assert again.now(0.0) >= newest - 1


@pytest.mark.parametrize("lost", [True, False])
def test_a_blank_lock_does_not_know_the_time(lost: bool) -> None:
    clock = Clock(Anchor(0, 0, 0, certain=False), RtcReading(T0, lost), 0.0)
    assert not clock.certain
    assert clock.now(0.0) == 0
