"""The simulated motor tells the truth and never wins over a hand."""

from __future__ import annotations

import pytest

from lockagent.bolt import Bolt, HandMoved, MotorDone, Order, Result
from lockagent.motor.simulated import SimulatedMotor


def test_moved_is_said_only_after_the_travel() -> None:
    motor = SimulatedMotor(travel_seconds=1.0)
    motor.order(Order.UNLOCK, 10.0)
    assert motor.poll(10.9) == []
    assert motor.bolt is Bolt.BETWEEN
    assert motor.next_event_at() == 11.0
    assert motor.poll(11.0) == [MotorDone(Order.UNLOCK, Result.MOVED)]
    assert motor.bolt is Bolt.UNLOCKED
    assert motor.poll(12.0) == []


def test_an_open_bolt_is_already_open_and_the_motor_rests() -> None:
    motor = SimulatedMotor(bolt=Bolt.UNLOCKED)
    motor.order(Order.UNLOCK, 0.0)
    assert motor.poll(0.0) == [MotorDone(Order.UNLOCK, Result.ALREADY)]
    assert motor.runs == []


@pytest.mark.parametrize(
    ("fault", "after", "result", "bolt"),
    [
        ("jammed", 0.6, Result.JAM, Bolt.LOCKED),
        ("motor_dead", 4.0, Result.TIMEOUT, Bolt.LOCKED),
        ("sensor_dead", 4.0, Result.TIMEOUT, Bolt.UNLOCKED),
    ],
)
def test_rule_10_faults_are_told_apart(fault: str, after: float, result: Result, bolt: Bolt) -> None:
    motor = SimulatedMotor()
    setattr(motor.faults, fault, True)
    motor.order(Order.UNLOCK, 0.0)
    assert motor.poll(after - 0.01) == []
    assert motor.poll(after) == [MotorDone(Order.UNLOCK, result)]
    assert motor.bolt is bolt


def test_rule_11_a_hand_wins_over_a_running_motor() -> None:
    motor = SimulatedMotor(bolt=Bolt.UNLOCKED)
    motor.order(Order.LOCK, 0.0)
    motor.turn_by_hand(Bolt.UNLOCKED, 0.3)
    assert motor.poll(0.3) == [MotorDone(Order.LOCK, Result.BY_HAND), HandMoved(Bolt.UNLOCKED)]
    assert motor.poll(60.0) == []
    assert motor.bolt is Bolt.UNLOCKED


def test_rule_11_a_hand_wins_over_a_jam_and_a_dead_motor() -> None:
    motor = SimulatedMotor()
    motor.faults.jammed = motor.faults.motor_dead = True
    motor.turn_by_hand(Bolt.UNLOCKED, 0.0)
    assert motor.bolt is Bolt.UNLOCKED


def test_a_strike_pulse_leaves_the_bolt_where_it_was() -> None:
    motor = SimulatedMotor()
    motor.order(Order.PULSE, 0.0, hold=5.0)
    assert not motor.passable(0.0)
    assert motor.poll(1.2) == [MotorDone(Order.PULSE, Result.MOVED)]
    assert motor.bolt is Bolt.LOCKED
    assert motor.runs == [Order.PULSE]
    assert motor.passable(6.1)
    assert not motor.passable(6.3)


def test_stop_ends_a_run_without_an_event() -> None:
    motor = SimulatedMotor()
    motor.order(Order.UNLOCK, 0.0)
    motor.order(Order.STOP, 0.5)
    assert motor.poll(9.0) == []
    assert motor.bolt is Bolt.LOCKED
