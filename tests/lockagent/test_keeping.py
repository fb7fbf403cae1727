"""Rule 5 for what is done to the lock itself: nothing at the door can wash it out of the log."""

from __future__ import annotations

from lockagent.bolt import Tampered, Tampering
from lockagent.core.keeping import QUOTAS
from lockagent.core.tampering import LISTED_PER_HOUR
from lockagent.storage.port import StorageProblem
from lockagent.storage.slot import SLOT_SIZE
from protocol import log
from protocol.entries import EntryType
from protocol.log import Batch
from protocol.reasons import Reason
from tests.lockagent.bench import Bench, Phone, commissioned
from tests.lockagent.crashdisk import CrashDisk
from tests.lockagent.world import HOUR

FLOOD = 40
"""Openings that nobody's receipt follows, in a ring of 32 entries."""


def flooded(**how: object) -> Bench:
    """The cover was opened, and since then the ring has gone round more than twice."""
    bench = commissioned(capacity=32, **how)
    bench.feed(Tampered(Tampering.COVER_OPENED))
    flood(bench, FLOOD)
    return bench


def flood(bench: Bench, openings: int) -> None:
    anna = Phone(f"anna {bench.wall}")  # another phone each time: its requests are new ones
    held = anna.right(bench)
    for _ in range(openings):
        anna.attempt(bench, held, carry=0).run(2.0)


def carried(bench: Bench, courier: str, carry: int = 4096) -> Batch:
    phone = Phone(courier)
    [sealed] = phone.attempt(bench, phone.right(bench), carry=carry).run(2.0).batches
    return bench.place.opened(sealed)


def kept(batch: Batch) -> list[int]:
    return [one.entry.kind for one in batch.gap.kept] if batch.gap is not None else []


def receipt(bench: Bench, batch: Batch) -> None:
    """The server's answer, as far as it can know: to the end of the batch, or of what came before it."""
    told = bench.place.receipt(batch)
    news = bench.place.bulletin(time=int(bench.wall), with_receipt=told)
    bo = Phone(f"bo {bench.wall}")
    assert bo.attempt(bench, bo.right(bench), news=news, carry=0).run(2.0).reason is Reason.GRANTED


def test_rule_05_what_was_done_to_the_lock_survives_a_flood() -> None:
    batch = carried(flooded(), "courier")
    assert kept(batch) == [EntryType.BOOT, EntryType.BOUND, EntryType.TAMPER]
    assert batch.gap is not None
    assert batch.gap.kept[0].hash_before == log.genesis(batch.lock_id, 1)
    assert batch.gap.lost() == [(4, batch.gap.last)]


def test_rule_05_it_survives_power_cuts_and_is_freed_by_a_receipt_only() -> None:
    bench = flooded()
    before = carried(bench, "first")
    bench.power_cut()
    again = carried(bench, "second")
    assert again.gap is not None
    assert before.gap is not None
    assert again.gap.kept[:3] == before.gap.kept
    receipt(bench, again)
    assert carried(bench, "third").gap is None


def test_rule_05_one_kind_cannot_wash_out_another() -> None:
    bench = flooded()
    for _ in range(30):
        bench.power_cut(1.0)
    flood(bench, FLOOD)
    kinds = kept(carried(bench, "courier"))
    assert kinds.count(EntryType.BOOT) == QUOTAS[EntryType.BOOT]
    assert EntryType.TAMPER in kinds
    assert EntryType.BOUND in kinds


def test_rule_05_a_courier_with_little_room_brings_it_home_piece_by_piece() -> None:
    """A gap that is too long for a phone ends before the first entry it has no room for: that comes next."""
    bench = flooded()
    for _ in range(4):
        for _ in range(3):
            bench.feed(Tampered(Tampering.COVER_CLOSED))
        bench.advance(HOUR)
    flood(bench, FLOOD)
    told: list[int] = []
    for number in range(30):
        batch = carried(bench, f"courier {number}", carry=700)
        told += [one.entry.seq for one in batch.gap.kept] if batch.gap is not None else []
        told += [entry.seq for entry in batch.entries]
        receipt(bench, batch)
        if batch.gap is None:
            break
    assert batch.gap is None
    assert told == sorted(set(told))
    tampered = told[2 : 2 + QUOTAS[EntryType.TAMPER]]
    assert (told[:2], tampered) == ([1, 2], list(range(tampered[0], tampered[0] + 8)))


def test_a_torn_place_is_no_loss_while_the_ring_still_holds_the_entry() -> None:
    for at in range(1, 8):
        bench = commissioned(capacity=32)
        bench.feed(Tampered(Tampering.COVER_OPENED))
        flood(bench, 14)
        bench.disk.cut_at = bench.disk.steps + at
        try:
            flood(bench, 2)
        except Exception as cut:
            assert "power cut" in str(cut)
        bench.power_cut()
        flood(bench, FLOOD)
        assert EntryType.STORE_CORRUPT not in {entry.kind for entry in bench.entries()}
        assert kept(carried(bench, "courier"))[:3] == [EntryType.BOOT, EntryType.BOUND, EntryType.TAMPER]


def test_a_damaged_place_is_reported_and_the_log_goes_on() -> None:
    bench = flooded()
    blob = bytearray(bench.disk.durable["kept"])
    [at] = [n for n in range(0, len(blob), SLOT_SIZE) if b"\x0f\xf6\x82\x01\x01" in blob[n : n + SLOT_SIZE]]
    blob[at + 70] ^= 1
    bench.disk.durable["kept"] = bytes(blob)
    bench.power_cut()
    batch = carried(bench, "courier")
    assert batch.epoch == 1
    assert kept(batch)[:2] == [EntryType.BOOT, EntryType.BOUND]
    said = [entry.detail for entry in batch.entries if entry.kind == EntryType.STORE_CORRUPT]
    assert said == [(3,)]


def test_a_missing_file_is_reported_and_made_anew() -> None:
    bench = commissioned(capacity=32)
    flood(bench, FLOOD)
    del bench.disk.durable["kept"]
    bench.power_cut()
    assert bench.entries()[-2].detail == (3,)
    flood(bench, FLOOD)
    assert EntryType.STORE_CORRUPT in kept(carried(bench, "courier"))


def test_tampering_is_listed_a_few_times_an_hour_and_then_counted() -> None:
    bench = commissioned()
    for _ in range(50):
        bench.feed(Tampered(Tampering.COVER_OPENED))
        bench.feed(Tampered(Tampering.COVER_CLOSED))
        bench.advance(10)
    bench.advance(2 * HOUR)
    said = [entry.detail for entry in bench.entries() if entry.kind == EntryType.TAMPER]
    assert said[:LISTED_PER_HOUR] == [(1, 1), (2, 1)] * 3
    assert said[LISTED_PER_HOUR:] == [(1, 47), (2, 47)]


def test_tampering_that_the_disk_refuses_is_not_forgotten() -> None:
    bench = commissioned()
    bench.disk.fail = lambda operation, name: StorageProblem.IO if name == "log" else None
    bench.feed(Tampered(Tampering.COVER_OPENED))
    bench.disk.fail = CrashDisk().fail
    bench.advance(2 * HOUR)
    assert [entry.detail for entry in bench.entries() if entry.kind == EntryType.TAMPER] == [(1, 1)]
