"""The real drivers on gpiozero's mock pins, in front of a bolt that obeys volts and ohms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from lockagent.board import config
from lockagent.board.wiring import Wired
from lockagent.bolt import Battery, Bolt, DoorMoved, HandMoved, MotorDone, Order, Result, Tampered, Tampering
from lockagent.core.events import Gesture
from lockagent.motor.supply import CURVES, Cells, percent
from tests.lockagent import doormodel
from tests.lockagent.doormodel import BOARD, LOCK, STEP, UNLOCK, DoorModel, mock_pins


class Rig:
    """A board, the door it sits on, and time."""

    def __init__(self, factory: MockFactory, text: str = BOARD, **how: Any) -> None:
        self.door = DoorModel(factory, **how)
        self.edges = 0
        self.wired = Wired(config.parse(text), self._edge)
        self.door.step()
        self.board = self.wired.board
        self.events: list[Any] = []
        self._poll_due = False

    def _edge(self) -> None:
        self.edges += 1
        self._poll_due = True

    def order(self, order: Order, hold: float = 0.0) -> None:
        self.board.order(order, self.door.now, hold)

    def run(self, seconds: float) -> list[Any]:
        """Let time pass, looking at the board when it asks to be looked at, and return what came of it."""
        begin = len(self.events)
        for _ in range(round(seconds / STEP)):
            self.door.step()
            due = self.board.next_event_at()
            if self._poll_due or (due is not None and due <= self.door.now):
                self._poll_due = False
                self.events += self.board.poll(self.door.now)
        return self.events[begin:]

    @property
    def driven(self) -> bool:
        return bool(self.door.pins[LOCK].state or self.door.pins[UNLOCK].state)


@pytest.fixture
def rigs() -> Iterator[Callable[..., Rig]]:
    """Makes the one rig of a test."""
    with ExitStack() as stack:
        factory = mock_pins()
        stack.callback(factory.reset)

        def make(text: str = BOARD, **how: Any) -> Rig:
            rig = Rig(factory, text, **how)
            stack.callback(rig.wired.close)
            return rig

        yield make


@pytest.fixture
def rig(rigs: Callable[..., Rig]) -> Rig:
    return rigs()


def done(events: list[Any]) -> list[MotorDone]:
    return [event for event in events if isinstance(event, MotorDone)]


def test_it_opens_and_says_so_when_the_contact_closes(rig: Rig) -> None:
    rig.order(Order.UNLOCK)
    assert rig.run(0.3) == []
    assert rig.board.bolt is Bolt.BETWEEN
    battery, moved = rig.run(2.0)
    assert moved == MotorDone(Order.UNLOCK, Result.MOVED)
    assert isinstance(battery, Battery)
    assert not rig.driven
    assert rig.board.bolt is Bolt.UNLOCKED


def test_it_locks_again_and_what_is_locked_already_is_not_driven(rig: Rig) -> None:
    rig.order(Order.UNLOCK)
    rig.run(2.0)
    rig.order(Order.LOCK)
    assert done(rig.run(2.0)) == [MotorDone(Order.LOCK, Result.MOVED)]
    heat = rig.door.heat
    rig.order(Order.LOCK)
    assert done(rig.run(0.1)) == [MotorDone(Order.LOCK, Result.ALREADY)]
    assert rig.door.heat == heat


def test_rule_10_a_bolt_that_is_held_is_a_jam_felt_long_before_the_time_is_over(rig: Rig) -> None:
    rig.door.blocked_at = 0.5
    rig.order(Order.UNLOCK)
    began = rig.door.now
    events = rig.run(1.6)
    assert done(events) == [MotorDone(Order.UNLOCK, Result.JAM)]
    assert rig.door.now - began < 4.0
    assert not rig.driven


def test_rule_11_a_jammed_bolt_is_let_go_of_and_knob_and_key_turn_it(rig: Rig) -> None:
    rig.door.blocked_at = 0.5
    rig.order(Order.UNLOCK)
    rig.run(2.0)
    assert rig.door.position > 0.55, "driven back from what holds it"
    rig.door.blocked_at, rig.door.hand_to = None, 0.0
    rig.run(1.0)
    rig.door.hand_to = None
    assert HandMoved(Bolt.UNLOCKED) in rig.run(0.2) + rig.events


def test_rule_10_a_motor_that_is_too_weak_to_turn_is_no_jam_and_says_that_the_battery_is_empty(
    rigs: Callable[..., Rig],
) -> None:
    rig = rigs(cells_volts=3.4, cells_ohms=4.0, friction_amps=2.0)
    rig.order(Order.UNLOCK)
    assert rig.run(4.5) == [Battery(0), MotorDone(Order.UNLOCK, Result.TIMEOUT)]
    assert not rig.driven


def test_rule_10_a_motor_that_takes_no_current_is_a_timeout_and_nobody_waits_long_for_it(rig: Rig) -> None:
    rig.door.wire_broken = True
    rig.order(Order.UNLOCK)
    assert done(rig.run(1.0)) == [MotorDone(Order.UNLOCK, Result.TIMEOUT)]
    assert not rig.driven


def test_rule_10_a_bolt_that_no_contact_saw_arrive_is_never_called_moved(rig: Rig) -> None:
    """It stands still against its own end, which cannot be told from something that holds it."""
    rig.door.sensors_dead = True
    rig.order(Order.UNLOCK)
    assert done(rig.run(5.0)) == [MotorDone(Order.UNLOCK, Result.JAM)]
    assert not rig.driven


def test_rule_10_a_slipping_gear_runs_its_time_and_is_a_timeout(rig: Rig) -> None:
    rig.door.volts_at_speed = 400.0
    rig.order(Order.UNLOCK)
    assert done(rig.run(3.9)) == []
    assert done(rig.run(0.3)) == [MotorDone(Order.UNLOCK, Result.TIMEOUT)]
    assert not rig.driven


def test_the_rush_of_current_at_the_start_is_no_jam(rig: Rig) -> None:
    rig.door.blocked_at = 0.999
    rig.order(Order.UNLOCK)
    rig.run(0.12)
    rig.door.blocked_at = None
    assert done(rig.run(2.0)) == [MotorDone(Order.UNLOCK, Result.MOVED)]


def test_rule_11_a_hand_on_the_knob_stops_the_motor_at_once(rig: Rig) -> None:
    rig.order(Order.UNLOCK)
    rig.run(0.4)
    rig.door.hand_to = 1.0
    assert done(rig.run(0.05)) == [MotorDone(Order.UNLOCK, Result.BY_HAND)]
    assert not rig.driven
    rig.run(0.5)
    rig.door.hand_to = None
    rig.run(5.0)
    assert not rig.driven
    assert rig.door.position == 1.0


def test_rule_11_a_bolt_turned_back_is_a_hand_on_a_board_without_a_contact_for_it(
    rigs: Callable[..., Rig],
) -> None:
    rig = rigs(BOARD.replace(f"hand = {doormodel.HAND}\n", ""), hand_feels=False)
    rig.order(Order.UNLOCK)
    rig.run(0.2)
    rig.door.hand_to = 1.0
    assert done(rig.run(1.0)) == [MotorDone(Order.UNLOCK, Result.BY_HAND)]
    assert not rig.driven


def test_rule_11_knob_and_key_are_seen_while_the_motor_rests(rig: Rig) -> None:
    rig.door.hand_to = 0.0
    rig.run(0.5)
    rig.door.hand_to = None
    rig.run(0.2)
    assert rig.events == [HandMoved(Bolt.UNLOCKED)]
    rig.door.hand_to = 1.0
    rig.run(0.5)
    rig.door.hand_to = None
    rig.run(0.2)
    assert rig.events == [HandMoved(Bolt.UNLOCKED), HandMoved(Bolt.LOCKED)]


def test_the_door_is_seen_once_it_has_stopped_swinging(rig: Rig) -> None:
    assert rig.board.door_closed
    for _ in range(6):
        rig.door.door_shut = not rig.door.door_shut
        rig.run(0.02)
    assert rig.events == []
    rig.door.door_shut = False
    assert rig.run(0.2) == [DoorMoved(False)]
    assert rig.board.door_closed is False
    rig.door.door_shut = True
    assert rig.run(0.2) == [DoorMoved(True)]


def test_a_cover_that_is_taken_off_and_put_back_is_told(rig: Rig) -> None:
    rig.door.cover_on = False
    assert rig.run(0.2) == [Tampered(Tampering.COVER_OPENED)]
    rig.door.cover_on = True
    assert rig.run(0.2) == [Tampered(Tampering.COVER_CLOSED)]


def test_a_button_counts_when_it_is_held_and_once(rig: Rig) -> None:
    rig.door.button_down = True
    rig.run(4.9)
    rig.door.button_down = False
    rig.run(1.0)
    assert rig.events == [], "let go of too early"
    rig.door.button_down = True
    rig.run(12.0)
    assert rig.events == [Gesture()]


def test_at_rest_nothing_is_looked_at(rig: Rig) -> None:
    assert rig.run(10.0) == []
    assert rig.board.next_event_at() is None


def test_stop_lets_go_and_says_nothing(rig: Rig) -> None:
    rig.order(Order.UNLOCK)
    rig.run(0.3)
    rig.order(Order.STOP)
    assert not rig.driven
    assert done(rig.run(5.0)) == []


def test_a_new_order_turns_the_motor_round_and_is_the_only_one_answered(rig: Rig) -> None:
    rig.order(Order.UNLOCK)
    rig.run(0.4)
    rig.order(Order.LOCK)
    assert done(rig.run(2.0)) == [MotorDone(Order.LOCK, Result.MOVED)]


def test_both_legs_of_the_bridge_are_never_high_together(rig: Rig) -> None:
    for order in (Order.UNLOCK, Order.LOCK, Order.UNLOCK, Order.LOCK):
        rig.order(order)
        for _ in range(100):
            rig.run(STEP)
            assert not (rig.door.pins[LOCK].state and rig.door.pins[UNLOCK].state)


def test_a_board_that_is_closed_lets_every_pin_go(rigs: Callable[..., Rig]) -> None:
    rig = rigs()
    rig.order(Order.UNLOCK)
    rig.run(0.2)
    rig.wired.close()
    assert rig.door.pins[LOCK].function == rig.door.pins[UNLOCK].function == "input"


@pytest.mark.parametrize(
    ("volts", "at_least", "at_most"), [(6.4, 90, 100), (5.4, 60, 80), (4.7, 15, 35), (4.0, 0, 5)]
)
def test_the_battery_is_read_while_the_motor_turns(
    rigs: Callable[..., Rig], volts: float, at_least: int, at_most: int
) -> None:
    rig = rigs(cells_volts=volts)
    rig.order(Order.UNLOCK)
    (battery,) = [event for event in rig.run(4.5) if isinstance(event, Battery)]
    assert battery.percent is not None
    assert at_least <= battery.percent <= at_most
    assert rig.board.battery == battery.percent
    assert battery.percent <= percent(volts * 1000, Cells.ALKALINE), "lower than at rest"


@pytest.mark.parametrize("cells", list(Cells))
def test_a_curve_only_falls_and_ends_at_nothing(cells: Cells) -> None:
    read = [percent(millivolts, cells) for millivolts in range(3000, 7000, 10)]
    assert read == sorted(read)
    assert (read[0], read[-1]) == (0, 100)
    assert [percent(volts, cells) for volts, _ in CURVES[cells]] == [share for _, share in CURVES[cells]]


def test_a_board_without_meters_still_opens_and_calls_a_jam_a_timeout(rigs: Callable[..., Rig]) -> None:
    rig = rigs(BOARD.split("[adc]")[0])
    assert rig.board.battery is None
    rig.order(Order.UNLOCK)
    assert rig.run(2.0) == [MotorDone(Order.UNLOCK, Result.MOVED)]
    rig.door.blocked_at = 0.5
    rig.order(Order.LOCK)
    assert done(rig.run(4.5)) == [MotorDone(Order.LOCK, Result.TIMEOUT)]
