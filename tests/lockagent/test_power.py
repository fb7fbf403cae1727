"""Rule 6 for the whole lock: power goes at every write and flush of a day, and nothing is half done."""

from __future__ import annotations

import contextlib

from lockagent.bolt import Bolt, Order
from lockagent.storage.port import StorageProblem
from lockagent.storage.slots import SLOT_SIZE, SLOTS
from protocol.entries import EntryType, Granted, OutcomeDetail
from protocol.messages import Command, OutcomeCode
from protocol.reasons import Reason
from tests.lockagent.bench import Attempt, Bench, Phone, commissioned
from tests.lockagent.crashdisk import CrashDisk, PowerCutError, seeded


class Story:
    """Two phones, refusals, a bulletin with a receipt; remembers everything the lock said."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.attempts: list[Attempt] = []
        self.requests: list[tuple[Phone, Command, bytes]] = []
        self.results: list[int] = []

    def tell(self) -> None:
        bench, anna, bo = self.bench, Phone("anna"), Phone("bo")
        held = anna.right(bench)
        first = self._begin(anna, Command.OPEN).run(2.0)
        read = bench.place.opened(first.batches[0])
        news = bench.place.bulletin(
            time=int(bench.wall), revoked=(held.claims.token_id,), with_receipt=bench.place.receipt(read)
        )
        self._begin(bo, Command.OPEN, news=news).run(2.0)
        self.results.append(2)
        self._begin(anna, Command.OPEN).run(2.0)
        self._begin(bo, Command.LOCK).run(2.0)
        self._begin(bo, Command.OPEN).run(2.0)
        bench.motor.turn_by_hand(Bolt.LOCKED, bench.mono)
        bench.poll()
        self._begin(bo, Command.OPEN).run(2.0)

    def _begin(self, phone: Phone, command: Command, *, news: bytes | None = None) -> Attempt:
        request_id = phone.request_id()
        self.requests.append((phone, command, request_id))
        held = phone.right(self.bench)
        self.attempts.append(phone.attempt(self.bench, held, command, request_id=request_id, news=news))
        return self.attempts[-1]


def assert_nothing_half_done(bench: Bench, story: Story) -> None:
    """After the reboot: what was said is in the log, what was done was logged first, revocations stand."""
    entries = {entry.seq: entry for entry in bench.entries()}
    assert list(entries) == list(range(1, len(entries) + 1))
    for attempt in story.attempts:
        if attempt.decision is not None:
            logged = entries[attempt.decision.seq]
            granted = attempt.decision.reason == Reason.GRANTED
            assert logged.kind == (EntryType.GRANTED if granted else EntryType.REFUSED)
        if attempt.outcome is not None:
            assert OutcomeDetail.parse(entries[attempt.outcome.seq].detail).outcome == attempt.outcome.code
    granted_seqs = [seq for seq, entry in entries.items() if entry.kind == EntryType.GRANTED]
    outcomes = [OutcomeDetail.parse(e.detail) for e in entries.values() if e.kind == EntryType.OUTCOME]
    assert sorted(one.granted_seq for one in outcomes) == granted_seqs
    assert bench.core.binding is not None
    if story.results:
        assert bench.core.binding.bulletin.seq >= 2


def motor_runs(bench: Bench) -> list[Order]:
    return bench.motor.runs


def test_rule_06_power_cut_at_every_step_of_a_days_work() -> None:
    whole = commissioned()
    start = whole.disk.steps
    Story(whole).tell()
    length = whole.disk.steps - start
    assert length > 40
    for at in range(1, length + 1):
        for fate in range(3):
            bench = commissioned(rng=seeded(at * 100 + fate), capacity=64)
            story = Story(bench)
            bench.disk.cut_at = bench.disk.steps + at
            with contextlib.suppress(PowerCutError):
                story.tell()
            before = list(motor_runs(bench))
            bench.power_cut()
            assert_nothing_half_done(bench, story)
            assert_acts_once(bench, story, before)


def assert_acts_once(bench: Bench, story: Story, before: list[Order]) -> None:
    """Requests the log holds as granted are answered, not acted on again; no run without its entry."""
    granted = [Granted.parse(e.detail) for e in bench.entries() if e.kind == EntryType.GRANTED]
    assert len(before) <= len(granted)
    known = {(one.phone, one.command, one.request_id) for one in granted}
    for phone, command, request_id in story.requests:
        if (phone.fingerprint, command, request_id) not in known or phone.name == "anna":
            continue  # anna's token is revoked half-way through the story
        again = phone.attempt(bench, phone.right(bench), command, request_id=request_id).run(2.0)
        assert again.reason is Reason.GRANTED
    assert motor_runs(bench) == []


def failing(operation: str, name: str, problem: StorageProblem) -> CrashDisk:
    disk = CrashDisk()
    disk.fail = lambda done, where: problem if (done, where) == (operation, name) else None
    return disk


def test_a_full_disk_is_a_lock_fault_and_nothing_moves() -> None:
    for operation in ("write", "sync"):
        for problem in StorageProblem:
            bench, anna = commissioned(), Phone()
            bench.disk.fail = failing(operation, "log", problem).fail
            attempt = anna.open(bench)
            assert attempt.reason is Reason.LOCK_FAULT
            assert bench.motor.runs == []
            bench.disk.fail = CrashDisk().fail
            assert anna.open(bench).code is OutcomeCode.MOVED
            assert bench.kinds()[-2:] == ["GRANTED", "OUTCOME"]


def test_a_refusal_that_cannot_be_logged_is_a_lock_fault_too() -> None:
    bench, anna = commissioned(), Phone()
    bench.disk.fail = failing("sync", "log", StorageProblem.IO).fail
    assert anna.open(bench, anna.right(bench, binding=b"binding0")).reason is Reason.LOCK_FAULT


def test_rule_10_an_outcome_the_disk_refuses_is_still_told_truly_and_logged_later() -> None:
    bench, anna = commissioned(), Phone()
    attempt = anna.attempt(bench, anna.right(bench)).run()
    bench.disk.fail = failing("sync", "log", StorageProblem.IO).fail
    assert attempt.run(2.0).code is OutcomeCode.MOVED
    bench.disk.fail = CrashDisk().fail
    anna.open(bench, command=Command.LOCK)
    assert bench.kinds()[-4:] == ["GRANTED", "OUTCOME", "GRANTED", "OUTCOME"]


def test_a_full_disk_never_opens_a_door_by_itself() -> None:
    bench = commissioned()
    bench.disk.fail = lambda operation, name: StorageProblem.FULL if operation in ("write", "sync") else None
    bench.advance(3 * 86_400)
    bench.power_cut()
    assert bench.motor.runs == []


def corrupt(bench: Bench, name: str, at: int) -> None:
    blob = bytearray(bench.disk.durable[name])
    blob[at] ^= 0xFF
    bench.disk.durable[name] = bytes(blob)


def test_rule_05_a_corrupt_log_begins_a_visible_new_epoch_and_the_lock_goes_on() -> None:
    bench, anna = commissioned(), Phone()
    held, request_id = anna.right(bench), anna.request_id()
    anna.attempt(bench, held, request_id=request_id).run(2.0)
    corrupt(bench, "log", 1 * 256 + 70)
    bench.power_cut()
    first = bench.entries()[0]
    assert (first.kind, first.detail) == (EntryType.STORE_CORRUPT, (2,))
    for _ in range(3):
        again = anna.attempt(bench, held, request_id=request_id).run(2.0)
        assert again.outcome is not None
        assert bench.motor.runs == []
        bench.power_cut()
    fresh = anna.open(bench)
    assert fresh.decision is not None
    assert (fresh.reason, fresh.decision.epoch) == (Reason.GRANTED, 2)
    batch = bench.place.opened(fresh.batches[0])
    assert (batch.epoch, batch.first) == (2, 1)


def test_a_lost_state_record_leaves_a_lock_that_opens_for_nobody() -> None:
    bench, anna = commissioned(), Phone()
    anna.open(bench)
    adverts = len(bench.adverts)
    for slot in range(SLOTS):
        corrupt(bench, "state", slot * SLOT_SIZE + 20)
    bench.power_cut()
    assert bench.core.binding is None
    assert len(bench.adverts) == adverts
    assert bench.entries()[0].detail == (1,)
    link = bench.link_up()
    assert link in bench.ended
    assert bench.commission(bench.place.commission(time=int(bench.wall))) is Reason.GRANTED
    assert anna.open(bench).reason is Reason.GRANTED


def test_any_single_corrupt_byte_of_the_store_opens_nothing() -> None:
    original = commissioned(capacity=64)
    Phone().open(original)
    rng = seeded(11)
    for _ in range(150):
        bench = commissioned(capacity=64)
        bench.disk.durable = dict(original.disk.durable)
        name = rng.choice(["log", "state", "kept"])
        near = rng.randrange(SLOTS) * SLOT_SIZE if name == "state" else 0
        corrupt(bench, name, near + rng.randrange(2048))
        bench.power_cut()
        bench.advance(60)
        assert bench.motor.runs == []


def test_a_phone_that_heard_of_a_fault_does_not_stay_for_ever() -> None:
    bench = commissioned()
    bench.disk.fail = failing("sync", "log", StorageProblem.IO).fail
    attempt, began = Phone().open(bench), bench.wall
    assert attempt.reason is Reason.LOCK_FAULT
    while attempt.link not in bench.ended:
        assert bench.wall < began + 60
        bench.advance(10.0)
        for frame in attempt.session.offer_time(b"\0"):
            bench.write(attempt.link, frame)
