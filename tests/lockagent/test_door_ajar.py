"""A door with a sensor in its frame: no bolt is thrown beside it, and nobody is watched by it."""

from __future__ import annotations

import pytest

from lockagent.bolt import Bolt, Order
from lockagent.core.relock import DOOR_SETTLE_SECONDS, DOOR_WAIT_SECONDS
from lockagent.motor.simulated import SimulatedMotor
from protocol.entries import EntryType
from protocol.messages import Command, OutcomeCode
from protocol.reasons import Reason
from protocol.settings import DoorKind, LockSettings
from tests.lockagent.bench import Bench, Phone, commissioned

RELOCK = 30


def door(*, relock: int = RELOCK, kind: DoorKind = DoorKind.APARTMENT) -> Bench:
    """A lock on a shut door whose sensor sees that it is shut."""
    return commissioned(
        settings=LockSettings(kind, relock_after=relock), motor=SimulatedMotor(door_closed=True)
    )


def relocked(bench: Bench) -> list[int]:
    return [entry.detail[1] for entry in bench.entries() if entry.kind == EntryType.RELOCKED]


def test_a_door_that_stands_open_is_not_locked_and_the_phone_is_told() -> None:
    bench, anna = door(relock=0), Phone()
    anna.open(bench)
    bench.swing_door(closed=False)
    attempt = anna.open(bench, command=Command.LOCK)
    assert (attempt.reason, attempt.code) == (Reason.GRANTED, OutcomeCode.AJAR)
    assert bench.motor.runs == [Order.UNLOCK]
    bench.swing_door(closed=True)
    assert anna.open(bench, command=Command.LOCK).code is OutcomeCode.MOVED
    assert bench.motor.bolt is Bolt.LOCKED


def test_a_bolt_thrown_by_hand_beside_its_frame_is_not_called_locked() -> None:
    bench = door()
    bench.swing_door(closed=False)
    assert bench.motor.bolt is Bolt.LOCKED
    assert Phone().open(bench, command=Command.LOCK).code is OutcomeCode.AJAR


def test_a_door_opened_while_the_bolt_goes_out_gets_its_bolt_drawn_back() -> None:
    bench, anna = door(relock=0), Phone()
    anna.open(bench)
    attempt = anna.attempt(bench, anna.right(bench), Command.LOCK).run(0.5)
    bench.swing_door(closed=False)
    assert attempt.run(3.0).code is OutcomeCode.AJAR
    assert bench.motor.bolt is Bolt.UNLOCKED
    assert bench.motor.runs == [Order.UNLOCK, Order.LOCK]


def test_opening_works_the_same_whether_the_door_stands_open_or_not() -> None:
    bench = door()
    bench.swing_door(closed=False)
    assert Phone().open(bench).code is OutcomeCode.MOVED


def test_relocking_waits_until_the_door_has_been_shut_for_a_moment() -> None:
    bench = door()
    Phone().open(bench)
    bench.swing_door(closed=False)
    bench.advance(RELOCK + 100)
    assert bench.motor.runs == [Order.UNLOCK]
    bench.swing_door(closed=True)
    bench.advance(DOOR_SETTLE_SECONDS - 0.1)
    assert bench.motor.runs == [Order.UNLOCK]
    bench.advance(5)
    assert bench.motor.bolt is Bolt.LOCKED
    assert relocked(bench) == [OutcomeCode.MOVED]


def test_a_door_shut_long_before_the_time_is_locked_at_its_time() -> None:
    bench = door()
    Phone().open(bench)
    bench.swing_door(closed=False)
    bench.advance(4)
    bench.swing_door(closed=True)
    bench.advance(RELOCK - 7)
    assert bench.motor.runs == [Order.UNLOCK]
    bench.advance(5)
    assert bench.motor.bolt is Bolt.LOCKED


def test_a_door_opened_while_relocking_is_waited_for_again() -> None:
    bench = door()
    Phone().open(bench)
    bench.advance(RELOCK - 0.3)
    assert bench.motor.bolt is Bolt.BETWEEN
    bench.swing_door(closed=False)
    bench.advance(10)
    assert (bench.motor.bolt, relocked(bench)) == (Bolt.UNLOCKED, [])
    bench.swing_door(closed=True)
    bench.advance(10)
    assert (bench.motor.bolt, relocked(bench)) == (Bolt.LOCKED, [OutcomeCode.MOVED])


def test_rule_11_a_door_left_open_long_is_left_as_it_is_and_that_is_logged() -> None:
    """Who shuts it in the evening, on the way out without a key, does not expect a bolt."""
    bench = door()
    Phone().open(bench)
    bench.swing_door(closed=False)
    bench.advance(RELOCK + DOOR_WAIT_SECONDS + 1)
    assert relocked(bench) == [OutcomeCode.AJAR]
    bench.swing_door(closed=True)
    bench.advance(24 * 3600)
    assert bench.motor.bolt is Bolt.UNLOCKED
    assert bench.motor.runs == [Order.UNLOCK]


def test_rule_11_a_hand_ends_the_waiting_too() -> None:
    bench = door()
    Phone().open(bench)
    bench.swing_door(closed=False)
    bench.advance(RELOCK + 10)
    bench.turn_by_hand(Bolt.UNLOCKED)
    bench.swing_door(closed=True)
    bench.advance(24 * 3600)
    assert bench.motor.bolt is Bolt.UNLOCKED


def test_rule_11_a_door_that_stood_open_was_not_found_locked() -> None:
    bench = door()
    bench.swing_door(closed=False)
    Phone().open(bench)
    bench.swing_door(closed=True)
    bench.advance(24 * 3600)
    assert bench.motor.runs == [Order.UNLOCK]


def test_an_unanswered_lock_command_leaves_the_plan_standing() -> None:
    bench, anna = door(), Phone()
    anna.open(bench)
    bench.swing_door(closed=False)
    assert anna.open(bench, command=Command.LOCK).code is OutcomeCode.AJAR
    bench.swing_door(closed=True)
    bench.advance(RELOCK)
    assert bench.motor.bolt is Bolt.LOCKED


@pytest.mark.parametrize("visit", [False, True])
def test_rule_11_the_door_is_never_logged_for_being_opened(visit: bool) -> None:
    bench = door(relock=0)
    if visit:
        Phone().open(bench)
    before = bench.kinds()
    for _ in range(20):
        bench.swing_door(closed=False)
        bench.swing_door(closed=True)
    bench.advance(2 * 24 * 3600)
    assert bench.kinds() == before


def test_a_lock_that_boots_beside_an_open_door_knows_it() -> None:
    bench = door()
    bench.swing_door(closed=False)
    bench.power_cut()
    assert Phone().open(bench, command=Command.LOCK).code is OutcomeCode.AJAR


def test_without_a_sensor_nothing_is_ajar() -> None:
    bench, anna = commissioned(), Phone()
    anna.open(bench)
    assert anna.open(bench, command=Command.LOCK).code is OutcomeCode.MOVED


def test_a_strike_falls_back_whether_the_gate_stands_open_or_not() -> None:
    bench = door(kind=DoorKind.GATE)
    bench.swing_door(closed=False)
    assert Phone().open(bench, command=Command.LOCK).code is OutcomeCode.ALREADY


def test_a_relock_that_the_driver_never_answers_is_given_up_and_the_motor_stopped() -> None:
    bench, anna = door(), Phone()
    anna.open(bench)
    bench.motor.faults.driver_silent = True
    bench.advance(RELOCK + 20)
    assert relocked(bench) == [OutcomeCode.TIMEOUT]
    bench.motor.faults.driver_silent = False
    assert anna.open(bench).code is OutcomeCode.ALREADY
