"""Taking logs in: exactly once, in any order, with every interference noticed."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import log, receipt, seal
from protocol.entries import EntryType
from protocol.keys import SigningKey
from protocol.log import Gap
from protocol.messages import OutcomeCode
from protocol.reasons import Reason
from server.access.domain.issue import issue_ahead
from server.keys.queries import unissued_openings
from server.locks.models import Bulletin, LockStatus, LogPosition
from server.passages.domain.intake import Result, take_in
from server.passages.labels import describe
from server.passages.models import Deviation, LogGap, Passage, SealedBatch
from tests.server.device import Device
from tests.server.issuer import Issuer
from tests.server.world import HOUR, NOW


@pytest.fixture
def lock(issuer: Issuer) -> Device:
    """The apartment lock after two openings by Alice: entries 1 (bound) to 5."""
    issue_ahead(municipality=issuer.municipality, at=NOW)
    device = issuer.apartment_lock
    token = issuer.token_at(issuer.world.apartment_binding)
    for _number in range(2):
        device.opened(token.token_id, bytes(issuer.world.bearer.fingerprint), at=int(NOW.timestamp()))
    return device


def hand_in(issuer: Issuer, *documents: bytes, at: Any = NOW + HOUR) -> list[Result]:
    return take_in(documents=documents, courier=issuer.world.phone, at=at)


def position(issuer: Issuer) -> LogPosition:
    found: LogPosition = LogPosition.objects.get(lock=issuer.world.apartment_binding.lock)
    return found


def numbers() -> list[int]:
    return list(Passage.objects.order_by("epoch", "seq").values_list("seq", flat=True))


def deviations() -> set[str]:
    return set(Deviation.objects.values_list("kind", flat=True))


def test_a_batch_becomes_passages_with_who_where_and_when(issuer: Issuer, lock: Device) -> None:
    assert hand_in(issuer, lock.sealed()) == [Result("stored", "", 5)]
    granted = Passage.objects.get(seq=2)
    world = issuer.world
    assert (granted.kind, granted.reason, granted.detail["command"]) == ("granted", "", "open")
    assert (granted.bearer, granted.provider) == (world.bearer, world.provider)
    assert granted.binding == world.apartment_binding
    assert granted.token == issuer.token_at(world.apartment_binding)
    assert (int(granted.happened_at.timestamp()), granted.known_at) == (lock.entries[1].time, NOW + HOUR)
    outcome = Passage.objects.get(seq=3)
    assert (outcome.kind, outcome.reason, outcome.bearer) == ("outcome", "moved", world.bearer)
    assert bytes(outcome.entry_hash) == lock.hash_after(3)
    assert SealedBatch.objects.get().document == b""


def test_a_receipt_covers_the_verified_prefix_and_rides_in_the_next_bulletin(
    issuer: Issuer, lock: Device
) -> None:
    hand_in(issuer, lock.sealed())
    given = receipt.verify(bytes(position(issuer).receipt or b""), issuer.manifest)
    assert (given.lock_id, given.epoch, given.seq, given.hash) == (lock.lock_id, 1, 5, lock.hash_after(5))
    newest = Bulletin.objects.filter(binding=issuer.world.apartment_binding).latest("seq")
    assert lock.read_bulletin(bytes(newest.document)).receipt == bytes(position(issuer).receipt or b"")


def test_rule_05_twice_is_harmless(issuer: Issuer, lock: Device) -> None:
    sealed, other_courier = lock.sealed(), lock.sealed()
    assert hand_in(issuer, sealed, sealed) == [Result("stored", "", 5), Result("known")]
    assert hand_in(issuer, sealed) == [Result("known")]
    assert hand_in(issuer, other_courier) == [Result("known")]
    assert numbers() == [1, 2, 3, 4, 5]


def test_rule_05_any_order(issuer: Issuer, lock: Device) -> None:
    early, middle, late = (lock.sealed(lock.batch(*span)) for span in ((1, 2), (3, 4), (5, 5)))
    assert hand_in(issuer, late) == [Result("held", "waits_for_earlier")]
    assert (numbers(), position(issuer).acked_seq) == ([], 0)
    assert hand_in(issuer, early) == [Result("stored", "", 2)]
    assert position(issuer).acked_seq == 2
    assert hand_in(issuer, middle) == [Result("stored", "", 2)]
    assert (numbers(), position(issuer).acked_seq) == ([1, 2, 3, 4, 5], 5)
    assert position(issuer).acked_hash == lock.hash_after(5)
    assert set(SealedBatch.objects.values_list("status", flat=True)) == {"stored"}
    assert hand_in(issuer, late) == [Result("known")]


def test_rule_05_overlapping_batches_store_each_entry_once(issuer: Issuer, lock: Device) -> None:
    assert hand_in(issuer, lock.sealed(lock.batch(1, 3))) == [Result("stored", "", 3)]
    assert hand_in(issuer, lock.sealed(lock.batch(2, 5))) == [Result("stored", "", 2)]
    assert numbers() == [1, 2, 3, 4, 5]


class TestRule05NothingIsInventedChangedOrHidden:
    """What a courier may try, and what the server says to it."""

    def test_rule_05_an_altered_batch_is_rejected(self, issuer: Issuer, lock: Device) -> None:
        altered = bytearray(lock.sealed())
        altered[-1] ^= 1
        assert hand_in(issuer, bytes(altered)) == [Result("rejected", "seal_broken")]
        row = SealedBatch.objects.get()
        assert (row.status, row.code, row.courier) == ("rejected", "seal_broken", issuer.world.phone)
        assert hand_in(issuer, bytes(altered)) == [Result("rejected", "seal_broken")]

    def test_rule_05_an_invented_batch_is_rejected_and_raises_an_alarm(
        self, issuer: Issuer, lock: Device
    ) -> None:
        forged = log.sign(lock.batch(), SigningKey.from_seed(lock.lock_id, b"f" * 32))
        sealed = seal.seal_log(forged, issuer.manifest.sealing_key)
        assert hand_in(issuer, sealed) == [Result("rejected", "signature_invalid")]
        assert (numbers(), deviations()) == ([], {"tamper"})

    def test_rule_05_a_lock_nobody_knows_is_rejected(self, issuer: Issuer) -> None:
        stranger = Device(manifest=issuer.manifest)
        stranger.add(EntryType.BOOT, (1, 1))
        assert hand_in(issuer, stranger.sealed()) == [Result("rejected", "lock_unknown")]

    def test_rule_05_a_neighbours_lock_is_unknown_here(self, issuer: Issuer, other_issuer: Issuer) -> None:
        assert hand_in(issuer, other_issuer.gate_lock.sealed()) == [Result("rejected", "seal_broken")]

    @pytest.mark.parametrize("junk", [b"\x00", b"junk" * 200, b"\x83\x01\x42\x00\x04\x41\x00", b"\x9f"])
    def test_rule_05_junk_is_rejected(self, issuer: Issuer, junk: bytes) -> None:
        assert hand_in(issuer, junk)[0].status == "rejected"

    def test_noise_does_not_fill_the_server(
        self, issuer: Issuer, lock: Device, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("server.passages.domain.intake.MAX_REFUSED_A_DAY", 3)
        for number in range(5):
            assert hand_in(issuer, b"junk" + bytes([number]))[0].status == "rejected"
        assert SealedBatch.objects.filter(status="rejected").count() == 3
        assert hand_in(issuer, lock.sealed())[0].status == "stored"

    def test_rule_05_a_dropped_batch_is_waited_for(self, issuer: Issuer, lock: Device) -> None:
        hand_in(issuer, lock.sealed(lock.batch(1, 2)))
        assert hand_in(issuer, lock.sealed(lock.batch(5, 5)))[0].status == "held"
        assert position(issuer).acked_seq == 2

    def test_rule_05_two_histories_are_an_alarm(self, issuer: Issuer, lock: Device) -> None:
        """A lock that was cloned or rolled back signs a second history; the first one stands."""
        hand_in(issuer, lock.sealed())
        lock.entries = lock.entries[:3]
        lock.add(EntryType.LOW_BATTERY, (9,))
        lock.add(EntryType.LOW_BATTERY, (8,))
        lock.add(EntryType.LOW_BATTERY, (7,))
        assert hand_in(issuer, lock.sealed()) == [Result("rejected", "history_forked")]
        assert hand_in(issuer, lock.sealed(lock.batch(1, 4))) == [Result("rejected", "history_forked")]
        assert hand_in(issuer, lock.sealed(lock.batch(6, 6))) == [Result("rejected", "history_forked")]
        assert (numbers(), deviations()) == ([1, 2, 3, 4, 5], {"log_forked"})
        assert all(row.document for row in SealedBatch.objects.filter(status="rejected"))

    def test_rule_05_an_overwritten_range_is_a_signed_gap(self, issuer: Issuer, lock: Device) -> None:
        late = lock.sealed(lock.batch(1, 3))
        with_gap = lock.sealed(lock.batch(4, 5, gap=lock.gap(1, 3)))
        assert hand_in(issuer, with_gap) == [Result("stored", "", 2)]
        gap = LogGap.objects.get()
        assert (gap.first_seq, gap.last_seq, gap.signed, gap.closed_at) == (1, 3, True, None)
        assert deviations() == {"log_gap"}
        assert position(issuer).acked_seq == 5
        # A courier with the overwritten entries turns up after all.
        assert hand_in(issuer, late, at=NOW + 2 * HOUR) == [Result("stored", "", 3)]
        assert LogGap.objects.get().closed_at == NOW + 2 * HOUR
        assert numbers() == [1, 2, 3, 4, 5]

    def test_rule_05_a_gap_that_contradicts_what_is_known_is_an_alarm(
        self, issuer: Issuer, lock: Device
    ) -> None:
        hand_in(issuer, lock.sealed(lock.batch(1, 3)))
        lying = lock.batch(4, 5, gap=Gap(1, 2, b"\0" * 32))
        assert hand_in(issuer, lock.sealed(lying)) == [Result("rejected", "history_forked")]

    def test_rule_05_a_server_that_lost_its_rows_shows_the_gap(self, issuer: Issuer, lock: Device) -> None:
        lock.acked = 3
        assert hand_in(issuer, lock.sealed(lock.batch(4, 5))) == [Result("stored", "", 2)]
        gap = LogGap.objects.get()
        assert (gap.first_seq, gap.last_seq, gap.signed) == (1, 3, False)

    def test_rule_05_a_lost_store_starts_a_new_epoch_and_is_shown(self, issuer: Issuer, lock: Device) -> None:
        hand_in(issuer, lock.sealed())
        lock.lose_log()
        lock.add(EntryType.BOOT, (2, 0))
        assert hand_in(issuer, lock.sealed()) == [Result("stored", "", 1)]
        assert deviations() == {"new_epoch"}
        assert Passage.objects.count() == 6
        newest = Bulletin.objects.filter(binding=issuer.world.apartment_binding).latest("seq")
        carried = lock.read_bulletin(bytes(newest.document)).receipt
        assert carried is not None
        assert receipt.verify(carried, issuer.manifest).epoch == 2

    def test_holding_is_bounded(self, issuer: Issuer, lock: Device, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("server.passages.domain.intake.MAX_HELD_BATCHES", 2)
        for _number in range(4):
            lock.add(EntryType.BOOT, (1, 1))
        ahead = [lock.sealed(lock.batch(seq, seq)) for seq in (3, 5, 7)]
        assert [one.status for one in hand_in(issuer, *ahead)] == ["held", "held", "rejected"]
        assert SealedBatch.objects.filter(status="held").count() == 2
        # What was not held is taken once there is room for it.
        hand_in(issuer, lock.sealed(lock.batch(1, 6)))
        assert hand_in(issuer, ahead[2]) == [Result("stored", "", 1)]


class TestWhatPassagesTell:
    def test_refused_strangers_are_named_by_their_phone_not_by_the_token_they_show(
        self, issuer: Issuer, lock: Device
    ) -> None:
        token = issuer.token_at(issuer.world.apartment_binding)
        lock.refused(Reason.TOKEN_INVALID, b"stranger", bytes(token.token_id))
        hand_in(issuer, lock.sealed())
        refused = Passage.objects.get(kind="refused")
        assert (refused.reason, refused.bearer, refused.token) == ("token_invalid", None, token)

    def test_unknown_tokens_are_stored_all_the_same(self, issuer: Issuer, lock: Device) -> None:
        lock.opened(b"unknown!", b"stranger")
        assert hand_in(issuer, lock.sealed()) == [Result("stored", "", 7)]
        granted = Passage.objects.get(seq=6)
        assert (bytes(granted.cti or b""), granted.token, granted.bearer) == (b"unknown!", None, None)
        assert granted.binding == issuer.world.apartment_binding

    def test_a_later_versions_entry_is_stored(self, issuer: Issuer, lock: Device) -> None:
        lock.add(77, (1, b"\x01", "x", None, [1]))
        hand_in(issuer, lock.sealed())
        assert Passage.objects.get(seq=6).kind == "type_77"

    def test_uncertain_time_is_marked_until_the_clock_is_set(self, issuer: Issuer, lock: Device) -> None:
        lock.add(EntryType.BOOT, (2, 0))
        lock.add(EntryType.LOW_BATTERY, (12,))
        lock.add(EntryType.CLOCK, (1, 2))
        lock.add(EntryType.BOOT, (3, 1))
        hand_in(issuer, lock.sealed())
        marked = Passage.objects.filter(time_uncertain=True).order_by("seq")
        assert list(marked.values_list("kind", flat=True)) == ["boot", "low_battery"]
        status = LockStatus.objects.get(lock=issuer.world.apartment_binding.lock)
        assert (status.battery_percent, status.clock_uncertain, status.boot) == (12, False, 1)
        assert deviations() == {"low_battery"}

    def test_an_early_battery_warning_is_told_and_is_nobodys_work_yet(
        self, issuer: Issuer, lock: Device
    ) -> None:
        lock.add(EntryType.LOW_BATTERY, (35,))
        hand_in(issuer, lock.sealed())
        early = Passage.objects.get(kind="low_battery")
        assert describe(early.kind, early.reason) == "Lågt batteri – förvarning"
        assert deviations() == set()
        lock.add(EntryType.LOW_BATTERY, (20,))
        hand_in(issuer, lock.sealed())
        assert deviations() == {"low_battery"}

    def test_a_door_that_stood_open_is_told_as_such_and_nobody_is_watched_for_it(
        self, issuer: Issuer, lock: Device
    ) -> None:
        """A plan to lock again that came to nothing is the lock's own failure to tell, not a deviation."""
        token = issuer.token_at(issuer.world.apartment_binding)
        lock.opened(token.token_id, b"stranger", outcome=OutcomeCode.AJAR)
        lock.add(EntryType.RELOCKED, (lock.entries[-2].seq, int(OutcomeCode.AJAR)))
        hand_in(issuer, lock.sealed())
        told = Passage.objects.filter(reason="ajar").order_by("seq")
        assert [describe(one.kind, one.reason) for one in told] == [
            "Dörren står öppen",
            "Låste sig inte själv – dörren står öppen",
        ]
        assert deviations() == set()

    def test_jams_are_deviations_one_by_one(self, issuer: Issuer, lock: Device) -> None:
        token = issuer.token_at(issuer.world.apartment_binding)
        for _number in range(2):
            lock.opened(token.token_id, b"stranger", outcome=OutcomeCode.JAM)
        hand_in(issuer, lock.sealed())
        jams = Deviation.objects.filter(kind="jam")
        assert [jam.door for jam in jams] == [issuer.world.apartment] * 2

    def test_an_outcome_that_comes_later_finds_its_granted_entry(self, issuer: Issuer, lock: Device) -> None:
        hand_in(issuer, lock.sealed(lock.batch(1, 2)))
        hand_in(issuer, lock.sealed(lock.batch(3, 3)))
        assert Passage.objects.get(seq=3).provider == issuer.world.provider

    def test_the_lock_tells_which_bulletin_it_knows(self, issuer: Issuer, lock: Device) -> None:
        hand_in(issuer, lock.sealed())
        known = Bulletin.objects.filter(binding=issuer.world.apartment_binding, known_at__isnull=False)
        assert list(known.values_list("seq", flat=True)) == [1]

    def test_a_bound_entry_confirms_the_commissioning(self, issuer: Issuer, lock: Device) -> None:
        issuer.world.apartment_binding.commissioned_at = None
        issuer.world.apartment_binding.save()
        hand_in(issuer, lock.sealed())
        issuer.world.apartment_binding.refresh_from_db()
        assert issuer.world.apartment_binding.commissioned_at == NOW + HOUR

    def test_a_clock_gone_wild_is_stored_as_the_lock_said_it(self, issuer: Issuer, lock: Device) -> None:
        lock.clock = 2**32 - 2
        lock.add(EntryType.LOW_BATTERY, (5,))
        assert hand_in(issuer, lock.sealed()) == [Result("stored", "", 6)]
        assert Passage.objects.get(seq=6).happened_at.year == 2106


def test_rule_05_a_copied_token_id_makes_nobody_else_the_opener(issuer: Issuer, lock: Device) -> None:
    """Whoever has the token key can give a token of their own any id, one of Alice's too."""
    hand_in(issuer, lock.sealed())
    stranger, token = b"stranger", issuer.token_at(issuer.world.apartment_binding)
    lock.opened(token.token_id, stranger, at=int(NOW.timestamp()))
    hand_in(issuer, lock.sealed(lock.batch(first=6)))
    forged = Passage.objects.get(seq=6)
    assert (forged.token, forged.bearer, forged.provider) == (None, None, None)
    assert Passage.objects.get(seq=7).bearer is None, "nor what came of it"
    assert unissued_openings(issuer.municipality.pk, since=NOW - HOUR) == [forged]
