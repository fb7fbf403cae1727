"""When a silent lock is called dead by itself, when not, and how it comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from server.audit.models import AuditEntry
from server.care.models import Visit
from server.locks.domain.orders import order_for
from server.locks.domain.upkeep import call_dead, keep_up
from server.locks.models import LockStatus, WorkOrder
from server.passages.domain.handling import close, report
from server.passages.domain.intake import take_in
from server.passages.models import Deviation, Passage
from server.places.models import Door, DoorPath
from tests.server.device import Device
from tests.server.issuer import Issuer, mount
from tests.server.pages import patrol_of
from tests.server.world import HOUR, NOW, make_client, make_door, make_shift

DAY = timedelta(days=1)
LATER = NOW + 5 * DAY


def visit(issuer: Issuer, starts_at: datetime, door: Door | None = None, **shift: Any) -> Visit:
    """Plan half an hour at the client behind `door`, in a shift of Alice's around it."""
    world = issuer.world
    planned = make_shift(
        world.alice, world.team, starts_at=starts_at - HOUR, ends_at=starts_at + 6 * HOUR, **shift
    )
    return Visit.objects.create(
        municipality=world.municipality,
        shift=planned,
        client=(door or world.apartment).clients.get(),
        starts_at=starts_at,
        ends_at=starts_at + HOUR / 2,
    )


def opens(issuer: Issuer, device: Device, moment: datetime) -> None:
    """Alice opens a door with her phone, and the log comes home."""
    device.opened(b"k" * 8, bytes(issuer.world.bearer.fingerprint), at=int(moment.timestamp()))
    take_in(documents=[device.sealed()], courier=issuer.world.phone, at=moment + HOUR)


def days_of_visits(issuer: Issuer, device: Device, count: int) -> None:
    """Visits on consecutive mornings, on each of which Alice opened `device`'s door on her way."""
    for day in range(count):
        visit(issuer, NOW + day * DAY)
        opens(issuer, device, NOW + day * DAY - HOUR / 4)


def dead() -> list[Deviation]:
    return list(Deviation.objects.filter(kind="dead_lock", closed_at=None))


class TestCalledDead:
    def test_a_silent_apartment_lock_whose_visitors_opened_the_gate_is_dead_with_an_order(
        self, issuer: Issuer
    ) -> None:
        days_of_visits(issuer, issuer.gate_lock, 3)
        assert call_dead(at=LATER, days=3) == 1
        found = dead()[0]
        assert (found.door, found.lock) == (issuer.world.apartment, issuer.world.apartment_binding.lock)
        order = WorkOrder.objects.get()
        assert (order.kind, order.deviation, order.created_by) == ("repair", found, None)
        said = AuditEntry.objects.get(action="deviation.opened")
        assert (said.acting_as, said.reason) == ("server", "silent_though_visited")

    def test_the_sweep_says_it_once(self, issuer: Issuer) -> None:
        days_of_visits(issuer, issuer.gate_lock, 3)
        keep_up(issuer.municipality, at=LATER)
        assert keep_up(issuer.municipality, at=LATER) == 0
        assert (len(dead()), WorkOrder.objects.count()) == (1, 1)

    def test_silence_alone_is_no_proof(self, issuer: Issuer) -> None:
        for day in range(3):
            visit(issuer, NOW + day * DAY)
        assert call_dead(at=LATER, days=3) == 0

    def test_two_visits_or_one_day_are_too_little(self, issuer: Issuer) -> None:
        days_of_visits(issuer, issuer.gate_lock, 2)
        assert call_dead(at=LATER, days=3) == 0
        visit(issuer, NOW + 2 * HOUR, cancelled_at=NOW)
        assert call_dead(at=LATER, days=3) == 0

    def test_a_gate_opened_at_another_time_says_nothing(self, issuer: Issuer) -> None:
        for day in range(3):
            visit(issuer, NOW + day * DAY)
            opens(issuer, issuer.gate_lock, NOW + day * DAY + 4 * HOUR)
        assert call_dead(at=LATER, days=3) == 0

    def test_a_lock_heard_from_is_not_silent(self, issuer: Issuer) -> None:
        days_of_visits(issuer, issuer.gate_lock, 3)
        opens(issuer, issuer.apartment_lock, NOW + 3 * DAY)
        assert call_dead(at=LATER, days=3) == 0

    def test_a_silent_gate_is_dead_when_doors_behind_it_were_opened(self, issuer: Issuer) -> None:
        days_of_visits(issuer, issuer.apartment_lock, 3)
        assert call_dead(at=LATER, days=3) == 1
        assert dead()[0].door == issuer.world.gate

    def test_a_door_without_neighbours_counts_any_other_door_of_the_hour(self, issuer: Issuer) -> None:
        villa = make_door(issuer.world.property, Door.Kind.APARTMENT, address="Villavägen 2")
        make_client(villa, issuer.world.team, "4720")
        mount(villa, Device())
        for day in range(3):
            visit(issuer, NOW + day * DAY, villa)
            opens(issuer, issuer.gate_lock, NOW + day * DAY + HOUR)
        assert call_dead(at=LATER, days=3) == 1
        assert dead()[0].door == villa

    def test_queries_do_not_grow_with_the_number_of_suspects(
        self, issuer: Issuer, django_assert_max_num_queries: Any
    ) -> None:
        for number in range(8):
            door = make_door(issuer.world.property, Door.Kind.APARTMENT, number=f"13{number}")
            DoorPath.objects.create(municipality=issuer.municipality, apartment=door, via=issuer.world.gate)
            make_client(door, issuer.world.team, f"48{number}")
            mount(door, Device())
        with django_assert_max_num_queries(8):
            call_dead(at=LATER, days=3)


class TestComingBack:
    @pytest.fixture
    def reported(self, issuer: Issuer) -> Deviation:
        return report(kind="dead_lock", door=issuer.world.apartment, at=NOW)

    def test_a_lock_that_worked_after_the_report_settles_it_and_takes_the_servers_order_back(
        self, issuer: Issuer, reported: Deviation
    ) -> None:
        opens(issuer, issuer.apartment_lock, NOW + HOUR)
        keep_up(issuer.municipality, at=NOW + 2 * HOUR)
        reported.refresh_from_db()
        assert (reported.resolution, reported.closed_by) == ("by_itself", None)
        assert WorkOrder.objects.get().cancelled_at == NOW + 2 * HOUR

    def test_a_log_from_before_the_report_settles_nothing(self, issuer: Issuer, reported: Deviation) -> None:
        opens(issuer, issuer.apartment_lock, NOW - HOUR)
        keep_up(issuer.municipality, at=NOW + HOUR)
        reported.refresh_from_db()
        assert reported.closed_at is None

    def test_a_fault_told_by_the_lock_itself_settles_nothing(
        self, issuer: Issuer, reported: Deviation
    ) -> None:
        opens(issuer, issuer.gate_lock, NOW)
        lock = issuer.world.apartment_binding.lock
        moment = NOW + HOUR
        row = Passage.objects.filter(kind="granted")[0]
        row.pk, row.lock, row.kind, row.reason, row.happened_at = None, lock, "refused", "lock_fault", moment
        row.save()
        LockStatus.objects.filter(lock=lock).update(last_passage_at=moment)
        keep_up(issuer.municipality, at=NOW + 2 * HOUR)
        reported.refresh_from_db()
        assert reported.closed_at is None

    def test_a_persons_order_is_a_persons_to_take_back(self, issuer: Issuer) -> None:
        jam = report(kind="jam", door=issuer.world.gate, at=NOW)
        order = order_for(deviation=jam, at=NOW, actor=patrol_of(issuer.municipality))
        close(deviation=jam, resolution="by_itself", at=NOW)
        order.refresh_from_db()
        assert order.is_open

    def test_a_repair_closes_the_order_with_the_deviation(self, issuer: Issuer, reported: Deviation) -> None:
        patrol = patrol_of(issuer.municipality)
        close(deviation=reported, resolution="repaired", at=NOW, actor=patrol)
        order = WorkOrder.objects.get()
        assert (order.done_at, order.closed_by) == (NOW, patrol)
