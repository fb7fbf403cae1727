"""Rule 7 between lock and server: how a crystal is measured and corrected, and what couriers can do to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.locks.models import LockStatus
from server.passages.domain.drift import CRYSTAL_PPM, WEEK, Point, correction
from server.passages.domain.intake import take_in
from server.passages.models import LockClock
from tests.server.device import Device
from tests.server.issuer import Issuer
from tests.server.reallock import mount_real
from tests.server.world import NOW, make_shift

pytestmark = pytest.mark.once


def line(ppm: float, *delays: int) -> list[Point]:
    """A crystal that runs slow by so much, one point a week, each brought after a delay."""
    return [
        Point(week * WEEK, round(1_790_000_000 + week * WEEK * ppm / 1_000_000) + delay)
        for week, delay in enumerate(delays)
    ]


@pytest.mark.parametrize("ppm", [-100, -12, 0, 35, 100])
def test_rule_07_the_drift_is_found_through_couriers_who_take_their_time(ppm: int) -> None:
    measured = correction(line(ppm, 3, 40, 8, 15, 61, 2, 30, 9, 25, 4))
    assert measured is not None
    assert abs(measured - ppm) <= 10


def test_rule_07_too_little_is_no_measurement() -> None:
    assert correction(line(50, *[0] * 7)) is None
    assert correction(line(50, 0, 40_000, 3, 9000, 77_000, 500, 60_000, 20)) is None


def test_rule_07_couriers_who_delay_ever_more_are_not_taken_for_a_crystal() -> None:
    delays = [int(week * WEEK * 0.0008) for week in range(12)]
    assert correction(line(0, *delays)) is None
    believed = correction(line(0, *[int(week * WEEK * 0.00015) for week in range(12)]))
    assert believed is not None
    assert believed <= CRYSTAL_PPM


@pytest.fixture
def lock(issuer: Issuer) -> Device:
    return issuer.apartment_lock


def brought(issuer: Issuer, lock: Device, *, ran: int, delay: int, boot: int = 1) -> LockStatus:
    """One batch of one new entry, made when the lock had run so long, handed in so much later."""
    lock.add(77, ())
    lock.ran, lock.boot = ran, boot
    at = NOW + timedelta(seconds=ran + delay)
    take_in(documents=[lock.sealed()], courier=issuer.world.phone, at=at)
    return LockStatus.objects.get(lock=issuer.world.apartment_binding.lock)


def test_rule_07_of_each_week_the_quickest_courier_counts_and_a_new_boot_begins_anew(
    issuer: Issuer, lock: Device
) -> None:
    brought(issuer, lock, ran=100, delay=900)
    brought(issuer, lock, ran=5000, delay=7)
    brought(issuer, lock, ran=9000, delay=5000)
    start = int(NOW.timestamp())
    assert LockClock.objects.get(lock=issuer.world.apartment_binding.lock).weeks == {"0": [5000, start + 7]}
    brought(issuer, lock, ran=50, delay=20, boot=2)
    clock = LockClock.objects.get(lock=issuer.world.apartment_binding.lock)
    assert (clock.boot, clock.weeks) == (2, {"0": [50, start + 20]})
    brought(issuer, lock, ran=WEEK, delay=0, boot=1)
    clock.refresh_from_db()
    assert list(clock.weeks) == ["0"]


def test_rule_07_a_real_locks_crystal_is_measured_and_corrected(issuer: Issuer) -> None:
    """It counts 100 too many in a million: nothing but this holds back a clock that runs ahead."""
    real = mount_real(issuer, at=NOW, crystal=1.0001)
    for week in range(9):
        start = real.at + timedelta(minutes=10)
        make_shift(issuer.world.alice, issuer.world.team, starts_at=start, ends_at=start + timedelta(hours=4))
        real.bench.advance(1200)
        batches = real.open().batches
        real.bench.advance(5 + 7 * (week % 3))
        take_in(documents=batches, courier=issuer.world.phone, at=real.at)
        real.bench.advance(WEEK - 1200)
    make_shift(issuer.world.alice, issuer.world.team, starts_at=real.at, ends_at=real.at + timedelta(hours=4))
    real.open()
    status = LockStatus.objects.get(lock=real.binding.lock)
    assert status.clock_ppm is not None
    assert abs(status.clock_ppm + 100) <= 10
    assert real.held.bulletin.settings.clock_ppm == status.clock_ppm
    ahead = real.now() - real.bench.wall
    assert 400 < ahead < 560  # what eight weeks had added before it was known
    real.bench.advance(2 * WEEK)
    assert abs(real.now() - real.bench.wall - ahead) <= 2 * WEEK * 10 / 1_000_000 + 2
