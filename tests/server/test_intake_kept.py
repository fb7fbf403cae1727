"""Rule 5 where memory was full: what the lock kept of what it overwrote comes home inside the signed gap."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from protocol.entries import EntryType
from protocol.fields import MAX_COUNTER
from protocol.log import Gap, Kept
from protocol.proof import judge
from server.passages.domain.completeness import examine
from server.passages.domain.intake import Result, take_in
from server.passages.domain.proving import prove
from server.passages.models import Deviation, LogGap, Passage
from tests.server.device import Device
from tests.server.issuer import Issuer
from tests.server.world import HOUR, NOW

pytestmark = pytest.mark.once


@pytest.fixture
def lock(issuer: Issuer) -> Device:
    """The apartment lock: 1 bound, 2 and 3 an opening, 4 tampering, 5 to 8 openings, 9 and 10 the newest."""
    device = issuer.apartment_lock
    device.clock = int(NOW.timestamp())
    device.opened(b"unknown!", b"stranger")
    device.add(EntryType.TAMPER, (1, 1))
    for _number in range(3):
        device.opened(b"unknown!", b"stranger")
    return device


def hand_in(issuer: Issuer, lock: Device, *kept: int) -> Result:
    sealed = lock.sealed(lock.batch(9, 10, gap=lock.gap(1, 8, *kept)))
    (result,) = take_in(documents=[sealed], courier=issuer.world.phone, at=NOW + HOUR)
    return result


def numbers() -> list[int]:
    return list(Passage.objects.order_by("seq").values_list("seq", flat=True))


def test_rule_05_kept_entries_are_passages_and_the_rest_is_a_signed_gap(issuer: Issuer, lock: Device) -> None:
    assert hand_in(issuer, lock, 1, 4) == Result("stored", "", 4)
    assert numbers() == [1, 4, 9, 10]
    gaps = LogGap.objects.order_by("first_seq").values_list("first_seq", "last_seq", "signed")
    assert list(gaps) == [(2, 3, True), (5, 8, True)]
    kinds = set(Deviation.objects.values_list("kind", flat=True))
    assert kinds == {"tamper", "log_gap"}
    tampered = Passage.objects.get(seq=4)
    assert (tampered.kind, tampered.detail) == ("tamper", {"what": 1, "times": 1})
    assert bytes(tampered.entry_hash) == lock.hash_after(4)


def test_rule_05_late_couriers_fill_the_rest_and_nothing_is_stored_twice(
    issuer: Issuer, lock: Device
) -> None:
    hand_in(issuer, lock, 1, 4)
    late = [lock.sealed(lock.batch(*span)) for span in ((1, 5), (6, 8))]
    results = take_in(documents=late, courier=issuer.world.phone, at=NOW + 2 * HOUR)
    assert [one.new_passages for one in results] == [3, 3]
    assert numbers() == list(range(1, 11))
    assert not LogGap.objects.filter(closed_at=None).exists()


def test_rule_05_a_kept_entry_of_another_history_is_an_alarm(issuer: Issuer, lock: Device) -> None:
    take_in(documents=[lock.sealed(lock.batch(1, 4))], courier=issuer.world.phone, at=NOW)
    other = Kept(lock.hash_after(3), replace(lock.entries[3], detail=(1, 99)))
    lying = lock.batch(9, 10, gap=replace(lock.gap(1, 8), kept=(other,)))
    (result,) = take_in(documents=[lock.sealed(lying)], courier=issuer.world.phone, at=NOW + HOUR)
    assert result == Result("rejected", "history_forked")


def test_rule_05_the_proof_of_completeness_names_the_gap_and_shows_what_was_kept(
    issuer: Issuer, lock: Device
) -> None:
    hand_in(issuer, lock, 1, 4)
    begin = datetime.fromtimestamp(lock.entries[0].time, UTC)
    door = issuer.world.apartment
    examined = examine(door=door, start=begin - timedelta(days=1), end=NOW + HOUR, at=NOW + HOUR)
    verdict = judge(prove(examined, actor=None))
    assert verdict.findings == []
    [stretch] = verdict.stretches
    assert {1, 4, 9, 10} <= stretch.signed
    assert stretch.entries[4].kind == EntryType.TAMPER
    assert [(one.first, one.last) for one in stretch.claim.missing] == [(2, 3), (5, 8)]


def test_a_lock_that_claims_to_have_lost_everything_costs_the_server_no_more(issuer: Issuer) -> None:
    """A stolen lock signs what it likes: numbers up to the highest there is, twice in one upload."""
    lock, last = issuer.apartment_lock, MAX_COUNTER - 9
    lost = Gap(1, last, b"\x07" * 32)
    entry = replace(lock.entries[0], seq=last + 1)
    body = lock.batch(gap=lost, first=last + 1, h_start=lost.hash, entries=(entry,))
    tracemalloc.start()
    results = take_in(
        documents=[lock.sealed(body), lock.sealed(replace(body, now=body.now + 1))],
        courier=issuer.world.phone,
        at=NOW + HOUR,
    )
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [one.status for one in results] == ["stored", "known"]
    assert peak < 20_000_000
    assert Deviation.objects.filter(kind="log_gap").exists()
