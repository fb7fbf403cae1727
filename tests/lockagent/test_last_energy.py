"""A battery at its end: opened with it where that is configured, refused truly where it is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lockagent.bolt import Bolt, Order
from lockagent.core.context import RESERVE_PERCENT
from protocol.entries import EntryType
from protocol.messages import Command, OutcomeCode
from protocol.reasons import Reason
from protocol.settings import DoorKind, LockSettings
from tests.lockagent.bench import Bench, Phone, commissioned
from tests.lockagent.world import APARTMENT

KEEPS = replace(APARTMENT, open_with_last_energy=False)


def drained(settings: LockSettings, percent: int = RESERVE_PERCENT) -> Bench:
    bench = commissioned(settings=settings)
    bench.drain(percent)
    return bench


def test_it_opens_with_the_last_energy_and_says_how_little_there_is() -> None:
    bench = drained(APARTMENT, 0)
    attempt = Phone().open(bench)
    assert attempt.outcome is not None
    assert (attempt.code, attempt.outcome.battery) == (OutcomeCode.MOVED, 0)


def test_a_lock_that_keeps_its_reserve_refuses_with_the_reason_and_logs_it() -> None:
    bench = drained(KEEPS)
    attempt = Phone().open(bench)
    assert attempt.reason is Reason.BATTERY_EMPTY
    assert bench.motor.runs == []
    refused = bench.entries()[-1]
    assert (refused.kind, refused.detail[0]) == (EntryType.REFUSED, Reason.BATTERY_EMPTY)


def test_the_reserve_is_there_for_locking() -> None:
    bench, anna = commissioned(settings=KEEPS), Phone()
    anna.open(bench)
    bench.drain(RESERVE_PERCENT)
    assert anna.open(bench, command=Command.LOCK).code is OutcomeCode.MOVED
    assert bench.motor.runs == [Order.UNLOCK, Order.LOCK]


def test_relocking_uses_the_reserve_too() -> None:
    bench = commissioned(settings=replace(KEEPS, relock_after=30))
    Phone().open(bench)
    bench.drain(1)
    bench.advance(60)
    assert bench.motor.bolt is Bolt.LOCKED


def test_above_the_reserve_and_on_mains_it_opens() -> None:
    assert Phone().open(drained(KEEPS, RESERVE_PERCENT + 1)).code is OutcomeCode.MOVED
    assert Phone().open(commissioned(settings=KEEPS)).code is OutcomeCode.MOVED


def test_a_repeated_request_is_answered_whatever_the_battery_holds() -> None:
    bench, anna = commissioned(settings=KEEPS), Phone()
    request_id = anna.request_id()
    assert anna.open(bench, request_id=request_id).code is OutcomeCode.MOVED
    bench.drain(0)
    assert anna.open(bench, request_id=request_id).code is OutcomeCode.MOVED
    assert bench.motor.runs == [Order.UNLOCK]


def test_a_bulletin_that_changes_the_setting_is_lived_by_at_once() -> None:
    bench, anna = drained(KEEPS), Phone()
    news = bench.place.bulletin(time=int(bench.wall), settings=APARTMENT)
    assert anna.open(bench, news=news).reason is Reason.BATTERY_EMPTY
    assert anna.open(bench).code is OutcomeCode.MOVED


@pytest.mark.parametrize("bolt", [Bolt.UNLOCKED, Bolt.LOCKED])
def test_rule_11_knob_and_key_need_no_battery(bolt: Bolt) -> None:
    bench = drained(KEEPS, 0)
    bench.turn_by_hand(bolt)
    assert bench.motor.bolt is bolt


def test_a_strike_with_an_empty_battery_keeps_to_the_same_rule() -> None:
    gate = LockSettings(DoorKind.GATE, open_with_last_energy=False)
    assert Phone().open(drained(gate)).reason is Reason.BATTERY_EMPTY
    assert Phone().open(drained(replace(gate, open_with_last_energy=True))).code is OutcomeCode.MOVED
