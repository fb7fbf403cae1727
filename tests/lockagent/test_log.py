"""Rule 5: the log is whole, goes home in pieces, and forgets only what the server has receipted."""

from __future__ import annotations

from lockagent.core.offers import OFFERS_ENOUGH
from protocol import log
from protocol.entries import EntryType, OutcomeDetail
from protocol.log import Batch
from protocol.messages import Command
from protocol.reasons import Reason
from tests.lockagent.bench import SECRETS, Attempt, Bench, Phone, commissioned
from tests.lockagent.world import HOUR


def batch(bench: Bench, attempt: Attempt) -> Batch:
    [sealed] = attempt.batches
    return bench.place.opened(sealed)


def acked(bench: Bench) -> int:
    return bench.core._context.journal.acked


def busy_day(bench: Bench, openings: int, *, carry: int = 0) -> None:
    """Openings by phones that carry nothing home."""
    anna = Phone("anna")
    held = anna.right(bench)
    for _ in range(openings):
        anna.attempt(bench, held, carry=carry).run(2.0)


def receipted(bench: Bench, read: Batch, **how: object) -> bytes:
    told = bench.place.receipt(read, **how)  # type: ignore[arg-type]
    return bench.place.bulletin(time=int(bench.wall), with_receipt=told)


def test_rule_05_every_batch_is_signed_chained_and_continues_the_one_before() -> None:
    bench, anna, bo = commissioned(), Phone("anna"), Phone("bo")
    first = batch(bench, anna.open(bench))
    assert first.h_start == log.genesis(SECRETS.identity.lock_id, 1)
    news = receipted(bench, first)
    bo.open(bench, news=news)
    second = batch(bench, bo.open(bench))
    assert second.first == first.last + 1
    assert second.h_start == first.h_end
    assert second.acked == first.last


def test_rule_05_a_receipt_frees_only_what_it_names_and_survives_a_power_cut() -> None:
    bench, anna = commissioned(), Phone()
    read = batch(bench, anna.open(bench))
    told = receipted(
        bench, read, seq=2, digest=log.chain(read.h_start, (e.encode() for e in read.entries[:2]))
    )
    anna.open(bench, news=told)
    assert acked(bench) == 2
    bench.power_cut()
    assert acked(bench) == 2
    assert bench.entries()[0].seq == 1


def test_rule_05_an_older_receipt_is_ignored() -> None:
    bench, anna = commissioned(), Phone()
    read = batch(bench, anna.open(bench))
    anna.open(bench, news=receipted(bench, read))
    earlier = log.chain(read.h_start, (e.encode() for e in read.entries[:1]))
    anna.open(bench, news=receipted(bench, read, seq=1, digest=earlier))
    assert acked(bench) == read.last
    assert "RECEIPT_ALARM" not in bench.kinds()


def test_rule_05_a_receipt_for_another_history_is_an_alarm_and_frees_nothing() -> None:
    bench, anna = commissioned(), Phone()
    read = batch(bench, anna.open(bench))
    anna.open(bench, news=receipted(bench, read, digest=bytes(32)))
    assert acked(bench) == 0
    assert "RECEIPT_ALARM" in bench.kinds()


def test_rule_05_a_receipt_for_entries_that_do_not_exist_is_an_alarm() -> None:
    bench, anna = commissioned(), Phone()
    read = batch(bench, anna.open(bench))
    anna.open(bench, news=receipted(bench, read, seq=900))
    assert acked(bench) == 0
    assert "RECEIPT_ALARM" in bench.kinds()


def test_rule_05_full_memory_keeps_opening_and_signs_the_gap() -> None:
    bench = commissioned(capacity=32)
    busy_day(bench, 40)
    assert len(bench.motor.runs) >= 1
    anna = Phone("courier")
    read = batch(bench, anna.open(bench))
    # The phone's own GRANTED and OUTCOME entries overwrote two more before the batch was made.
    assert read.gap is not None
    assert read.gap.first == 1
    assert read.first == read.gap.last + 1
    assert read.h_start == read.gap.hash
    assert len(read.entries) == 32
    assert read.last == 2 + 2 * 40 + 2


def test_rule_05_a_gap_survives_a_power_cut() -> None:
    bench = commissioned(capacity=32)
    busy_day(bench, 40)
    before = bench.core._context.journal.gap()
    bench.power_cut()
    after = bench.core._context.journal.gap()
    assert before is not None
    assert after is not None
    assert (after.first, after.last) == (1, before.last + 1)  # the BOOT entry took one more place


def test_a_batch_keeps_to_what_the_phone_takes_and_to_four_kilobytes() -> None:
    bench, anna = commissioned(), Phone("courier")
    busy_day(bench, 80)
    big = anna.open(bench)
    assert 3000 < len(big.batches[0]) <= 4096
    small = anna.attempt(bench, anna.right(bench), carry=700).run(2.0)
    assert 300 < len(small.batches[0]) <= 700
    none = anna.attempt(bench, anna.right(bench), carry=100).run(2.0)
    assert none.batches == []
    assert none.ended


def test_a_phone_that_carries_nothing_is_offered_nothing() -> None:
    bench, anna = commissioned(), Phone()
    none = anna.attempt(bench, anna.right(bench), carry=0).run(2.0)
    assert none.batches == []
    assert none.ended
    assert OutcomeDetail.parse(bench.entries()[-1].detail).offered is None


def test_a_carry_that_comes_long_after_m3_gets_no_log() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench))
    attempt.step()
    frames = attempt.session.receive(bench.inbox[attempt.link].pop(0)).send
    bench.advance(4)
    for frame in frames:
        bench.write(attempt.link, frame)
    assert attempt.run().batches == []
    assert attempt.ended


def test_what_two_couriers_were_offered_waits_for_others() -> None:
    bench = commissioned()
    busy_day(bench, 100)
    firsts = [batch(bench, Phone(f"courier {n}").open(bench)).first for n in range(5)]
    assert firsts[:OFFERS_ENOUGH] == [1, 1]
    assert firsts[2] > firsts[1]
    assert firsts[3] == firsts[2]
    bench.advance(13 * HOUR)
    late = Phone("late")
    assert batch(bench, late.open(bench, late.right(bench))).first == 1


def test_offers_are_remembered_over_a_power_cut() -> None:
    bench = commissioned()
    busy_day(bench, 100)
    for n in range(OFFERS_ENOUGH):
        Phone(f"courier {n}").open(bench)
    bench.power_cut()
    assert batch(bench, Phone("next").open(bench)).first > 1


def test_a_phone_that_lost_the_batch_gets_the_same_again() -> None:
    bench, anna = commissioned(), Phone()
    held, request_id = anna.right(bench), anna.request_id()
    first = anna.attempt(bench, held, request_id=request_id).run()
    first.drop()
    bench.advance(3)
    again = anna.attempt(bench, held, request_id=request_id).run(2.0)
    assert again.reason is Reason.GRANTED
    assert again.ended


def test_rule_05_a_couriers_batch_shows_no_other_phones_noise() -> None:
    """What a courier carries is bytes sealed to the server: nothing of the log shows in them."""
    bench, anna = commissioned(), Phone()
    [sealed] = anna.open(bench).batches
    assert anna.fingerprint not in sealed
    assert SECRETS.identity.lock_id not in sealed


def test_locking_is_logged_like_opening() -> None:
    bench, anna = commissioned(), Phone()
    anna.open(bench)
    anna.open(bench, command=Command.LOCK)
    kinds = [entry.kind for entry in bench.entries()[-4:]]
    assert kinds == [EntryType.GRANTED, EntryType.OUTCOME] * 2
