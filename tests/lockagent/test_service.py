"""The installer's command: a service session, in which nothing moves."""

from __future__ import annotations

import pytest

from lockagent.bolt import Bolt
from protocol.entries import EntryType, Granted, OutcomeDetail
from protocol.messages import Command, DecisionFlag, OutcomeCode
from protocol.reasons import Reason
from protocol.settings import DoorKind, LockSettings
from protocol.token import Scope
from tests.lockagent.bench import Attempt, Bench, Phone, commissioned

SETTINGS = LockSettings(DoorKind.APARTMENT, relock_after=60)


@pytest.fixture
def bench() -> Bench:
    return commissioned(settings=SETTINGS)


def serve(bench: Bench, phone: Phone, **how: object) -> Attempt:
    held = phone.right(bench, scope=Scope.SERVICE)
    return phone.attempt(bench, held, Command.SERVICE, **how).run()  # type: ignore[arg-type]


def test_service_is_granted_logged_and_moves_nothing(bench: Bench) -> None:
    attempt = serve(bench, Phone("ivar"))
    assert (attempt.reason, attempt.code) == (Reason.GRANTED, OutcomeCode.NOTHING_TO_MOVE)
    assert bench.motor.runs == []
    granted, outcome = bench.entries()[-2:]
    assert Granted.parse(granted.detail).command == Command.SERVICE
    assert OutcomeDetail.parse(outcome.detail).outcome == OutcomeCode.NOTHING_TO_MOVE
    assert bench.motor.bolt is Bolt.LOCKED


@pytest.mark.parametrize(
    ("scope", "command"),
    [
        (Scope.OPEN | Scope.LOCK, Command.SERVICE),
        (Scope.SERVICE, Command.OPEN),
        (Scope.SERVICE, Command.LOCK),
    ],
)
def test_rule_01_a_right_to_serve_is_none_to_open_and_the_other_way_round(
    bench: Bench, scope: Scope, command: Command
) -> None:
    phone = Phone("ivar")
    attempt = phone.attempt(bench, phone.right(bench, scope=scope), command).run(2.0)
    assert attempt.reason is Reason.NOT_PERMITTED
    assert bench.motor.runs == []


def test_rule_11_service_neither_cancels_nor_makes_a_plan_to_relock(bench: Bench) -> None:
    Phone("anna").open(bench)
    assert bench.motor.bolt is Bolt.UNLOCKED
    serve(bench, Phone("ivar"))
    bench.advance(65.0)
    assert bench.motor.bolt is Bolt.LOCKED
    assert bench.kinds()[-1] == "RELOCKED"


def test_rule_11_service_begins_no_visit(bench: Bench) -> None:
    serve(bench, Phone("ivar"))
    bench.turn_by_hand(Bolt.UNLOCKED)
    assert EntryType.HAND not in [entry.kind for entry in bench.entries()]


def test_asked_again_it_is_repeated_and_served_again(bench: Bench) -> None:
    phone = Phone("ivar")
    request_id = phone.request_id()
    serve(bench, phone, request_id=request_id).drop()
    again = serve(bench, phone, request_id=request_id)
    assert again.decision is not None
    assert again.decision.flags == DecisionFlag.REPEATED
    assert again.code is OutcomeCode.NOTHING_TO_MOVE


def test_a_service_session_outlives_the_last_word_and_only_the_newest_does(bench: Bench) -> None:
    first = serve(bench, Phone("ivar"))
    for _ in range(5):
        bench.advance(20.0)
        _say_something(bench, first)
    assert first.link not in bench.ended
    second = serve(bench, Phone("iris"))
    bench.advance(1.0)
    assert first.link in bench.ended  # its own last word was long ago, and it is no longer the newest
    bench.advance(29.5)
    assert second.link in bench.ended  # silence


def test_a_service_session_has_an_end_however_much_the_phone_talks(bench: Bench) -> None:
    session = serve(bench, Phone("ivar"))
    for _ in range(44):
        bench.advance(20.0)
        _say_something(bench, session)
    assert session.link not in bench.ended
    bench.advance(20.5)
    assert session.link in bench.ended


def _say_something(bench: Bench, attempt: Attempt) -> None:
    """Anything that the lock answers and that changes nothing."""
    for frame in attempt.session.offer_time(b"\0"):
        bench.write(attempt.link, frame)
    attempt.run()
