"""Taking logs in: exactly once, in any order, with every interference noticed."""

from __future__ import annotations

from typing import Any

import pytest

from protocol import receipt
from server.access.domain.issue import issue_ahead
from server.locks.models import Bulletin, LogPosition
from server.passages.domain.intake import Result, take_in
from server.passages.models import Deviation, Passage, SealedBatch
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
