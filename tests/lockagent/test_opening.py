"""One opening, from subscribing to the log on its way home."""

from __future__ import annotations

from lockagent.bolt import Order
from protocol.entries import EntryType, Granted, OutcomeDetail
from protocol.messages import Command, Done, OutcomeCode
from protocol.reasons import Reason
from tests.lockagent.bench import Phone, commissioned


def test_an_opening_is_granted_logged_done_and_told() -> None:
    bench, anna = commissioned(), Phone()
    opening = anna.attempt(bench, anna.right(bench)).run()
    assert opening.reason is Reason.GRANTED
    assert opening.outcome is None
    assert bench.kinds() == ["BOOT", "BOUND", "GRANTED"]
    opening.run(2.0)
    assert opening.code is OutcomeCode.MOVED
    assert bench.motor.runs == [Order.UNLOCK]
    assert opening.ended
    granted, outcome = bench.entries()[-2:]
    assert Granted.parse(granted.detail).phone == anna.fingerprint
    assert opening.decision is not None
    assert opening.outcome is not None
    assert (opening.decision.seq, opening.outcome.seq) == (granted.seq, outcome.seq)
    assert OutcomeDetail.parse(outcome.detail).offered == (1, 4)
    [sealed] = opening.batches
    batch = bench.place.opened(sealed)
    assert batch.entries == tuple(bench.entries())
    assert batch.courier == anna.fingerprint
    assert opening.said[-1] == Done(4)
    assert batch.entries[0].kind == EntryType.BOOT


def test_locking_on_leaving() -> None:
    bench, anna = commissioned(), Phone()
    held = anna.right(bench)
    assert anna.open(bench, held).code is OutcomeCode.MOVED
    assert anna.open(bench, held, command=Command.LOCK).code is OutcomeCode.MOVED
    assert bench.motor.runs == [Order.UNLOCK, Order.LOCK]
    assert anna.open(bench, held, command=Command.LOCK).code is OutcomeCode.ALREADY
