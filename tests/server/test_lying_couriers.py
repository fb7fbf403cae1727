"""Rule 5 with a real lock core, the real server and every kind of courier: all noticed, none hurts."""

from __future__ import annotations

import copy
from datetime import timedelta

import pytest

from protocol import log, seal
from protocol.entries import EntryType
from protocol.keys import SigningKey
from server.locks.models import LogPosition
from server.passages.domain.intake import Result, take_in
from server.passages.models import Deviation, LogGap, Passage, SealedBatch
from server.passages.withheld_queries import withheld
from server.people.models import Phone
from tests.lockagent.bench import SECRETS
from tests.lockagent.crashdisk import seeded
from tests.server.issuer import Issuer, second_phone
from tests.server.reallock import RealLock, mount_real
from tests.server.world import NOW, SHIFT_START

pytestmark = pytest.mark.once


@pytest.fixture
def real(issuer: Issuer) -> RealLock:
    """A real lock on the apartment's door, a minute into Alice's shift."""
    lock = mount_real(issuer, at=NOW)
    lock.bench.advance((SHIFT_START - NOW).total_seconds() + 60)
    return lock


@pytest.fixture
def other_courier(issuer: Issuer) -> Phone:
    return second_phone(issuer, issuer.world.alice, "en-annan-telefon").phone


def hand_in(real: RealLock, *sealed: bytes, by: Phone | None = None) -> list[Result]:
    courier = by or real.issuer.world.phone
    return take_in(documents=sealed, courier=courier, at=real.at)


def batch(real: RealLock, carry: int = 4096) -> bytes:
    [sealed] = real.open(carry=carry).batches
    real.bench.advance(60)
    return sealed


def deviations() -> set[str]:
    return set(Deviation.objects.values_list("kind", flat=True))


def assert_the_server_holds_the_locks_log(real: RealLock) -> None:
    """Passage by passage, as far as the receipt goes; and nothing beside it."""
    stored = Passage.objects.filter(lock=real.binding.lock).order_by("epoch", "seq")
    told = [bytes(row.entry_bytes) for row in stored]
    own = [entry.encode() for entry in real.bench.entries()]
    assert told == own[: len(told)]
    position = LogPosition.objects.filter(lock=real.binding.lock).order_by("epoch").last()
    assert position is not None
    assert position.acked_seq == len(told)


def test_rule_05_two_couriers_with_the_same_entries_store_each_once(
    real: RealLock, other_courier: Phone
) -> None:
    first, second = batch(real), batch(real)
    assert [one.status for one in hand_in(real, second, by=other_courier)] == ["stored"]
    assert [one.status for one in hand_in(real, first)] == ["known"]
    assert_the_server_holds_the_locks_log(real)
    assert (deviations(), LogGap.objects.count()) == (set(), 0)


def test_rule_05_what_a_courier_drops_comes_home_with_the_next(real: RealLock) -> None:
    batch(real)  # thrown away
    [result] = hand_in(real, batch(real))
    assert result.status == "stored"
    assert_the_server_holds_the_locks_log(real)


def test_rule_05_what_comes_in_another_order_waits_for_what_is_missing(real: RealLock) -> None:
    """Small phones: what two of them were offered goes last, so the third carries what comes after it."""
    for _ in range(4):
        real.open(carry=0)
        real.bench.advance(60)
    early, again, late = (batch(real, carry=700) for _ in range(3))
    assert hand_in(real, late) == [Result("held", "waits_for_earlier")]
    assert not Passage.objects.exists()
    assert [one.status for one in hand_in(real, early, again)] == ["stored", "stored"]
    assert set(SealedBatch.objects.values_list("status", flat=True)) == {"stored"}
    assert_the_server_holds_the_locks_log(real)
    assert Passage.objects.count() > 10


def test_rule_05_no_altered_byte_passes_and_each_is_remembered_with_its_courier(real: RealLock) -> None:
    sealed, rng = batch(real), seeded(5)
    altered = []
    for _ in range(40):
        one = bytearray(sealed)
        one[rng.randrange(len(one))] ^= 1 << rng.randrange(8)
        altered.append(bytes(one))
    assert {one.status for one in hand_in(real, *altered)} == {"rejected"}
    remembered = SealedBatch.objects.filter(status="rejected", courier=real.issuer.world.phone)
    assert remembered.count() == len(set(altered))
    assert not Passage.objects.exists()
    assert [one.status for one in hand_in(real, sealed)] == ["stored"]
    assert_the_server_holds_the_locks_log(real)


def test_rule_05_an_invented_batch_is_an_alarm(real: RealLock) -> None:
    """A courier knows lock id and sealing key; it signs with a key of its own."""
    forged = log.Batch(
        SECRETS.identity.lock_id, 1, 1, 9, real.now(), b"courier8", 0, 1,
        log.genesis(SECRETS.identity.lock_id, 1), None, tuple(real.bench.entries()),
    )  # fmt: skip
    signed = log.sign(forged, SigningKey.from_seed(SECRETS.identity.lock_id, b"m" * 32))
    sealed = seal.seal_log(signed, real.held.manifest.sealing_key)
    assert hand_in(real, sealed) == [Result("rejected", "signature_invalid")]
    assert deviations() == {"tamper"}
    assert not Passage.objects.exists()


def test_rule_05_replays_are_known_now_and_after_the_receipt(real: RealLock) -> None:
    sealed = batch(real)
    hand_in(real, sealed)
    later = batch(real)  # brings the receipt to the lock
    assert real.bench.core._context.journal.acked > 0
    hand_in(real, later)
    assert [one.status for one in hand_in(real, sealed, later, sealed)] == ["known"] * 3
    assert_the_server_holds_the_locks_log(real)


def test_rule_05_batches_of_several_locks_do_not_mix(real: RealLock) -> None:
    """Handed in together, spliced into one another, or one for the other: each log is its own lock's."""
    gate = real.issuer.gate_lock
    gate.add(EntryType.HAND_COUNT, (1, 1))
    mine, theirs = batch(real), gate.sealed()
    half = min(len(mine), len(theirs)) // 2
    spliced = [mine[:half] + theirs[half:], theirs[:half] + mine[half:]]
    assert [one.status for one in hand_in(real, theirs, *spliced, mine)] == [
        "stored",
        "rejected",
        "rejected",
        "stored",
    ]
    assert_the_server_holds_the_locks_log(real)
    assert Passage.objects.filter(lock=real.issuer.world.gate_binding.lock).count() == len(gate.entries)


def test_rule_05_an_old_epochs_batch_after_the_new_one_is_kept_in_its_own(real: RealLock) -> None:
    old = batch(real)
    entries = [entry.encode() for entry in real.bench.entries()]
    blob = bytearray(real.bench.disk.durable["log"])
    blob[2 * 256 + 70] ^= 1
    real.bench.disk.durable["log"] = bytes(blob)
    real.bench.power_cut()
    new = batch(real)
    assert [one.status for one in hand_in(real, new, old)] == ["stored", "stored"]
    rows = Passage.objects.filter(lock=real.binding.lock)
    assert [bytes(row.entry_bytes) for row in rows.filter(epoch=1).order_by("seq")] == entries
    assert rows.filter(epoch=2).order_by("seq").first().kind == "store_corrupt"  # type: ignore[union-attr]
    assert {"dead_lock"} <= deviations()


def test_rule_05_a_lock_whose_disk_was_put_back_is_found_out(real: RealLock) -> None:
    """Whoever copies a lock's whole disk and puts it back later makes it write a second history."""
    copied = copy.deepcopy(real.bench.disk.durable)
    hand_in(real, batch(real))
    real.bench.disk.durable = copied
    real.bench.power_cut()
    result = hand_in(real, batch(real))[0]
    assert result == Result("rejected", "history_forked")
    assert deviations() == {"log_forked"}


def test_rule_05_a_courier_that_drops_everything_is_named(real: RealLock, other_courier: Phone) -> None:
    """Alice's phone carries and never hands in; another one brings what she was offered, and when."""
    batches = [batch(real) for _ in range(4)]
    hand_in(real, *batches, by=other_courier)
    assert withheld(real.binding.lock, at=real.at) == []  # the day is not over
    (found,) = withheld(real.binding.lock, at=real.at + timedelta(days=2))
    assert (found.bearer, found.times) == (real.issuer.world.bearer, 4)
    hand_in(real, batch(real))
    assert withheld(real.binding.lock, at=real.at + timedelta(days=2)) == []
