"""A gate's strike on gpiozero's mock pins: released for its time, felt, and never for longer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from lockagent.board import config
from lockagent.board.senses import Board
from lockagent.board.wiring import Wired
from lockagent.bolt import Battery, Bolt, MotorDone, Order, Result, Woken
from lockagent.motor.strike import FEEL_SECONDS, LONGEST_SECONDS
from tests.lockagent.doormodel import TOUCH, Converter, WiredPin, mock_pins

COIL = 22
GATE = f"""
[strike]
coil = {COIL}

[sensors]
touch = {TOUCH}

[adc]
chip = "mcp3008"
select = 8
reference_millivolts = 3300

[battery]
cells = "lithium"
channel = 0
divider = 3

[current]
channel = 1
milliamps_per_volt = 1000
least_milliamps = 100
"""
RELEASED = MotorDone(Order.PULSE, Result.MOVED)


class Gate:
    """A strike whose coil takes 400 mA, and a pack of 5.8 V."""

    def __init__(self, stack: ExitStack) -> None:
        factory = mock_pins()
        stack.callback(factory.reset)
        self.coil = factory.pin(COIL, pin_class=WiredPin)
        self.handle = factory.pin(TOUCH, pin_class=WiredPin)
        self.coil_volts = 0.4
        self.converter = Converter(factory, self._volts)
        wired = Wired(config.parse(GATE), lambda: None)
        stack.callback(wired.close)
        self.board: Board = wired.board

    def _volts(self, channel: int) -> float:
        return 5.8 / 3 if channel == 0 else self.coil_volts * self.coil.state

    @property
    def open(self) -> bool:
        return bool(self.coil.state)


@pytest.fixture
def gate() -> Iterator[Gate]:
    with ExitStack() as stack:
        yield Gate(stack)


def test_a_strike_is_released_for_its_time_and_holds_again_by_itself(gate: Gate) -> None:
    gate.board.order(Order.PULSE, 10.0, hold=5.0)
    assert gate.open
    assert gate.board.poll(10.1) == []
    battery, released = gate.board.poll(10.0 + FEEL_SECONDS)
    assert released == RELEASED
    assert isinstance(battery, Battery)
    assert gate.board.next_event_at() == 10.0 + FEEL_SECONDS + 5.0
    assert gate.board.poll(15.1) == []
    assert gate.open
    assert gate.board.poll(15.2) == []
    assert not gate.open
    assert gate.board.next_event_at() is None
    assert gate.board.bolt is Bolt.LOCKED


def test_rule_10_a_coil_that_takes_no_current_is_told_and_switched_off(gate: Gate) -> None:
    gate.coil_volts = 0.0
    gate.board.order(Order.PULSE, 10.0, hold=5.0)
    assert gate.board.poll(10.2)[-1] == MotorDone(Order.PULSE, Result.TIMEOUT)
    assert not gate.open


def test_a_second_opening_while_it_is_released_holds_it_anew(gate: Gate) -> None:
    gate.board.order(Order.PULSE, 10.0, hold=5.0)
    gate.board.poll(10.2)
    gate.board.order(Order.PULSE, 13.0, hold=5.0)
    assert gate.board.poll(13.2)[-1] == RELEASED
    gate.board.poll(15.5)
    assert gate.open
    gate.board.poll(18.2)
    assert not gate.open


def test_no_coil_is_held_longer_than_a_minute_whatever_is_asked(gate: Gate) -> None:
    gate.board.order(Order.PULSE, 0.0, hold=10_000.0)
    gate.board.poll(1.0)
    gate.board.poll(LONGEST_SECONDS + 1.0)
    assert not gate.open


def test_stop_lets_the_latch_hold_at_once(gate: Gate) -> None:
    gate.board.order(Order.PULSE, 0.0, hold=5.0)
    gate.board.order(Order.STOP, 0.1)
    assert not gate.open
    assert gate.board.poll(9.0) == []


@pytest.mark.parametrize("order", [Order.LOCK, Order.UNLOCK])
def test_rule_10_a_strike_that_is_asked_to_be_a_bolt_says_that_nothing_came_of_it(
    gate: Gate, order: Order
) -> None:
    gate.board.order(order, 0.0)
    assert gate.board.poll(0.0) == [MotorDone(order, Result.TIMEOUT)]
    assert not gate.open


def test_a_hand_on_the_gates_handle_wakes_the_lock_once(gate: Gate) -> None:
    gate.handle.hold(low=True)
    assert gate.board.poll(0.0) == [Woken()]
    assert gate.board.poll(0.1) == []
    gate.handle.hold(low=False)
    assert gate.board.poll(0.2) == []
    gate.handle.hold(low=True)
    assert gate.board.poll(0.3) == [Woken()]
