"""Rule 11: the resident notices nothing; hands win, and the log does not watch them."""

from __future__ import annotations

import pytest

from lockagent.bolt import Bolt, Order
from protocol.entries import EntryType
from protocol.messages import Command, OutcomeCode
from protocol.settings import DoorKind, LockSettings
from tests.lockagent.bench import Bench, Phone, commissioned
from tests.lockagent.world import HOUR

DAY = 24 * HOUR


def relocking(after: int = 30, kind: DoorKind = DoorKind.APARTMENT) -> Bench:
    return commissioned(settings=LockSettings(kind, relock_after=after))


def hands(bench: Bench) -> list[object]:
    kinds = (EntryType.HAND, EntryType.HAND_COUNT)
    return [(EntryType(one.kind).name, *one.detail) for one in bench.entries() if one.kind in kinds]


def test_rule_11_a_door_found_locked_is_locked_again() -> None:
    bench = relocking()
    Phone().open(bench)
    bench.advance(40)
    assert bench.motor.bolt is Bolt.LOCKED
    relocked = bench.entries()[-1]
    assert relocked.kind == EntryType.RELOCKED
    assert relocked.detail == (3, OutcomeCode.MOVED)


def test_rule_11_a_door_found_open_stays_open() -> None:
    bench = relocking()
    bench.turn_by_hand(Bolt.UNLOCKED)
    assert Phone().open(bench).code is OutcomeCode.ALREADY
    bench.advance(DAY)
    assert bench.motor.bolt is Bolt.UNLOCKED
    assert bench.motor.runs == []


@pytest.mark.parametrize("hand", [Bolt.LOCKED, Bolt.UNLOCKED])
def test_rule_11_knob_or_key_cancels_what_was_planned(hand: Bolt) -> None:
    bench = relocking()
    Phone().open(bench)
    bench.turn_by_hand(hand)
    bench.advance(DAY)
    assert bench.motor.runs == [Order.UNLOCK]
    assert bench.motor.bolt is hand


def test_rule_11_a_hand_on_the_knob_while_relocking_wins() -> None:
    bench = relocking()
    Phone().open(bench)
    bench.advance(29.6)
    assert bench.motor.bolt is Bolt.BETWEEN
    bench.turn_by_hand(Bolt.UNLOCKED)
    bench.advance(DAY)
    assert bench.motor.bolt is Bolt.UNLOCKED
    assert bench.motor.runs == [Order.UNLOCK, Order.LOCK]


def test_rule_11_a_hand_while_the_motor_opens_is_told_to_the_phone() -> None:
    bench, anna = relocking(), Phone()
    attempt = anna.attempt(bench, anna.right(bench)).run()
    bench.advance(0.4)
    bench.turn_by_hand(Bolt.LOCKED)
    assert attempt.run().code is OutcomeCode.BY_HAND
    bench.advance(DAY)
    assert bench.motor.runs == [Order.UNLOCK]


def test_rule_11_a_person_who_locks_ends_the_plan() -> None:
    bench, anna = relocking(), Phone()
    anna.open(bench)
    anna.open(bench, command=Command.LOCK)
    bench.advance(60)
    assert bench.motor.runs == [Order.UNLOCK, Order.LOCK]


def test_rule_11_opening_again_puts_the_relocking_off() -> None:
    bench, anna = relocking(after=30), Phone()
    anna.open(bench)
    bench.advance(20)
    assert anna.open(bench).code is OutcomeCode.ALREADY
    bench.advance(20)
    assert bench.motor.bolt is Bolt.UNLOCKED
    bench.advance(20)
    assert bench.motor.bolt is Bolt.LOCKED


def test_rule_11_a_power_cut_forgets_the_plan() -> None:
    bench = relocking()
    Phone().open(bench)
    bench.power_cut()
    bench.advance(DAY)
    assert bench.motor.bolt is Bolt.UNLOCKED


def test_rule_11_without_the_setting_nothing_relocks() -> None:
    bench = commissioned()
    Phone().open(bench)
    bench.advance(DAY)
    assert bench.motor.bolt is Bolt.UNLOCKED


def test_rule_11_a_jam_while_relocking_is_logged_and_not_tried_again() -> None:
    bench = relocking()
    Phone().open(bench)
    bench.motor.faults.jammed = True
    bench.advance(DAY)
    assert bench.motor.runs == [Order.UNLOCK, Order.LOCK]
    relocked = next(entry for entry in bench.entries() if entry.kind == EntryType.RELOCKED)
    assert relocked.detail == (3, OutcomeCode.JAM)


def test_rule_11_hands_are_logged_during_a_visit_only() -> None:
    bench, anna = commissioned(), Phone()
    bench.turn_by_hand(Bolt.UNLOCKED)
    bench.turn_by_hand(Bolt.LOCKED)
    assert hands(bench) == []
    anna.open(bench)
    bench.turn_by_hand(Bolt.LOCKED)
    bench.turn_by_hand(Bolt.UNLOCKED)
    assert hands(bench) == [("HAND", 0), ("HAND", 1)]
    anna.open(bench, command=Command.LOCK)
    bench.turn_by_hand(Bolt.UNLOCKED)
    assert hands(bench) == [("HAND", 0), ("HAND", 1)]


def test_rule_11_a_visit_ends_by_itself_after_an_hour() -> None:
    bench = commissioned()
    Phone().open(bench)
    bench.advance(HOUR + 1)
    bench.turn_by_hand(Bolt.LOCKED)
    assert hands(bench) == []


@pytest.mark.parametrize("kind", [DoorKind.GATE, DoorKind.LAUNDRY, DoorKind.COMMON, DoorKind.PRACTICE])
def test_rule_11_hands_are_never_logged_at_gates_and_common_doors(kind: DoorKind) -> None:
    bench = commissioned(settings=LockSettings(kind, count_hand_openings=True))
    Phone().open(bench)
    bench.turn_by_hand(Bolt.UNLOCKED)
    bench.advance(3 * DAY)
    assert hands(bench) == []


def test_rule_11_with_consent_a_day_is_a_number() -> None:
    bench = commissioned(settings=LockSettings(DoorKind.APARTMENT, count_hand_openings=True))
    for _ in range(3):
        bench.turn_by_hand(Bolt.UNLOCKED)
        bench.turn_by_hand(Bolt.LOCKED)
    today = int(bench.wall) // DAY
    bench.advance(2 * DAY)
    assert hands(bench) == [("HAND_COUNT", today, 3)]


def test_rule_11_without_consent_there_is_no_number_either() -> None:
    bench = commissioned()
    bench.turn_by_hand(Bolt.UNLOCKED)
    bench.advance(2 * DAY)
    assert hands(bench) == []


def test_a_gate_gives_a_pulse_and_has_nothing_to_lock() -> None:
    bench, anna = commissioned(settings=LockSettings(DoorKind.GATE, hold_milliseconds=7000)), Phone()
    assert anna.open(bench).code is OutcomeCode.MOVED
    assert bench.motor.runs == [Order.PULSE]
    assert bench.motor.passable(bench.mono)
    bench.advance(8)
    assert not bench.motor.passable(bench.mono)
    assert anna.open(bench, command=Command.LOCK).code is OutcomeCode.ALREADY
    assert bench.motor.runs == [Order.PULSE]


def test_rule_11_a_door_found_half_way_is_not_locked_by_itself() -> None:
    """After a jam nobody knows how the resident left the bolt: not locked, so not to be locked."""
    bench, anna = relocking(), Phone()
    bench.motor.faults.jammed = True
    assert anna.attempt(bench, anna.right(bench)).run(6.0).code is OutcomeCode.JAM
    bench.motor.faults.jammed = False
    assert anna.open(bench).code is OutcomeCode.MOVED
    bench.advance(DAY)
    assert bench.motor.bolt is Bolt.UNLOCKED
