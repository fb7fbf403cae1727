"""The pages of locks, deviations and installers' work: who sees what, what can be done, and what it costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.test import Client as Browser
from django.urls import reverse

from server.config.attention import cards_for
from server.locks.domain.commission import commission_lock
from server.locks.domain.orders import make_order
from server.locks.list_queries import blocked
from server.locks.models import Binding, Bulletin, Lock, LockStatus, WorkOrder
from server.locks.order_queries import blocks_of, open_orders
from server.passages.domain.handling import report
from server.passages.models import Deviation, LogGap
from server.people.models import User
from server.places.models import Door, DoorPath
from tests.server.device import Device
from tests.server.issuer import Issuer, mount
from tests.server.pages import coordinator_of, installer_of, patrol_of
from tests.server.world import LONG_AGO, NOW, make_client, make_door, make_team

pytestmark = pytest.mark.once

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def monday_morning(settings: Any) -> Any:
    settings.SECOND_FACTOR_REQUIRED = False
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def patrol(issuer: Issuer) -> Browser:
    return browser(patrol_of(issuer.municipality))


@pytest.fixture
def installer(issuer: Issuer) -> Browser:
    return browser(installer_of(issuer.municipality))


@pytest.fixture
def coordinator(issuer: Issuer) -> Browser:
    return browser(coordinator_of(issuer.world.provider))


@pytest.fixture
def foreign(issuer: Issuer) -> Door:
    """Another provider's client behind the same gate, with a lock."""
    team = make_team(issuer.municipality, "Främmande Vård", "Grupp F")
    door = make_door(issuer.world.property, Door.Kind.APARTMENT, number="1999")
    DoorPath.objects.create(municipality=issuer.municipality, apartment=door, via=issuer.world.gate)
    make_client(door, team, "9999")
    mount(door, Device(), name="Främmande lås")
    return door


def browser(user: User) -> Browser:
    made = Browser()
    made.force_login(user)
    return made


def do(pk: int, verb: str) -> str:
    return reverse("admin:locks_lock_do", args=[pk, verb])


def listed(desk: Browser, query: str) -> set[str]:
    answer = desk.get(f"{reverse('admin:locks_lock_changelist')}?{query}")
    assert answer.status_code == 200
    return {lock.name for lock in answer.context["cl"].result_list}


class TestLists:
    @pytest.fixture(autouse=True)
    def locks(self, issuer: Issuer) -> None:
        fine = LockStatus.objects.get(lock__name="Lås 1")
        fine.last_contact_at, fine.battery_percent = NOW - 2 * DAY, 60
        fine.save()
        LockStatus.objects.filter(lock__name="Lås 2").update(
            last_contact_at=NOW - 9 * DAY, battery_percent=15, clock_uncertain=True
        )

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("silent=7", {"Lås 2"}),
            ("silent=1", {"Lås 1", "Lås 2"}),
            ("silent=10", set()),
            ("battery=20", {"Lås 2"}),
            ("battery=61", {"Lås 1", "Lås 2"}),
            ("condition=clock", {"Lås 2"}),
            ("condition=gap", set()),
            ("silent=0", set()),
            ("silent=många", set()),
            ("silent=99999999", set()),
        ],
    )
    def test_a_list_takes_any_number(self, patrol: Browser, query: str, names: set[str]) -> None:
        assert listed(patrol, query) == names

    def test_gaps_and_unheard_bulletins(self, issuer: Issuer, patrol: Browser) -> None:
        lock = issuer.world.gate_binding.lock
        LogGap.objects.create(
            municipality=issuer.municipality, lock=lock, epoch=1, first_seq=4, last_seq=5, noticed_at=NOW
        )
        assert listed(patrol, "condition=gap") == {"Lås 1"}
        assert listed(patrol, "bulletin=48") == {"Lås 1", "Lås 2"}
        Bulletin.objects.filter(binding__lock=lock).update(known_at=NOW)
        assert listed(patrol, "bulletin=48") == {"Lås 2"}

    def test_the_cards_lead_to_the_lists(self, issuer: Issuer, patrol: Browser) -> None:
        found = cards_for(patrol_of_again(issuer), at=NOW)
        cards = [card for card in found if card.url.startswith(reverse("admin:locks_lock_changelist"))]
        assert [card.count for card in cards] == [1, 1, 1]
        for card in cards:
            assert patrol.get(card.url).context["cl"].result_count == card.count


def patrol_of_again(issuer: Issuer) -> User:
    found: User = User.objects.get(username=f"jour-{issuer.municipality.pk}")
    return found


class TestLockPage:
    def test_it_tells_what_the_lock_told_and_the_way_in(self, issuer: Issuer, patrol: Browser) -> None:
        door = issuer.world.apartment
        door.fallback_kind, door.fallback_place = "reserve_key", "Nyckelskåp 4"
        door.save()
        dead = report(kind="dead_lock", door=door, at=NOW)
        lock = issuer.world.apartment_binding.lock
        page = patrol.get(reverse("admin:locks_lock_change", args=[lock.pk])).content.decode()
        for told in ("Nyckelskåp 4", str(door), reverse("admin:passages_deviation_change", args=[dead.pk])):
            assert told in page

    def test_rule_08_a_coordinator_sees_own_locks_only_and_no_numbers(
        self, issuer: Issuer, coordinator: Browser, foreign: Door
    ) -> None:
        assert listed(coordinator, "") == {"Lås 1", "Lås 2"}
        lock = foreign.bindings.get().lock
        assert coordinator.get(reverse("admin:locks_lock_change", args=[lock.pk])).status_code == 302
        for verb in ("dead", "battery", "retire", "move"):
            assert coordinator.post(do(lock.pk, verb), {"sure": "on"}).status_code in (403, 404)
        assert not Deviation.objects.exists()
        own = issuer.world.gate_binding.lock
        page = coordinator.get(reverse("admin:locks_lock_change", args=[own.pk])).content.decode()
        assert "Kvitterat" not in page
        assert "Främmande" not in page

    def test_an_installer_sees_no_passages_and_no_staff(self, issuer: Issuer, installer: Browser) -> None:
        lock = issuer.world.gate_binding.lock
        page = installer.get(reverse("admin:locks_lock_change", args=[lock.pk])).content.decode()
        assert "Senaste passagerna" not in page
        assert issuer.world.alice.name not in page

    @pytest.mark.parametrize("verb", ["dead", "battery", "remove", "retire"])
    def test_each_verb_says_what_it_means_first(self, issuer: Issuer, patrol: Browser, verb: str) -> None:
        lock = issuer.world.apartment_binding.lock
        asked = patrol.get(do(lock.pk, verb))
        assert asked.status_code == 200
        before = WorkOrder.objects.count(), Lock.objects.get(pk=lock.pk).state
        assert before == (0, "mounted")
        assert patrol.post(do(lock.pk, verb), {"sure": "on"}).status_code == 302
        after = WorkOrder.objects.count(), Lock.objects.get(pk=lock.pk).state
        assert after == {
            "dead": (1, "mounted"),
            "battery": (0, "mounted"),
            "remove": (0, "removed"),
            "retire": (0, "retired"),
        }.get(verb)

    def test_nothing_dangerous_without_the_tick(self, issuer: Issuer, patrol: Browser) -> None:
        lock = issuer.world.apartment_binding.lock
        assert patrol.post(do(lock.pk, "retire")).status_code == 200
        assert Lock.objects.get(pk=lock.pk).state == "mounted"

    def test_a_move_names_who_has_not_consented_and_hands_out_the_package(
        self, issuer: Issuer, patrol: Browser
    ) -> None:
        door = make_door(issuer.world.property, Door.Kind.APARTMENT, number="1300", address="Nyvägen 7")
        consent = make_client(door, issuer.world.team, "4799")[2]
        lock, address = (
            issuer.world.apartment_binding.lock,
            do(issuer.world.apartment_binding.lock_id, "move"),
        )
        assert str(door) in patrol.get(address, {"q": "nyv"}).content.decode()
        consent.withdrawn_at = NOW
        consent.save()
        assert "4799" in patrol.post(address, {"door": door.pk}).content.decode()
        consent.withdrawn_at = None
        consent.save()
        page = patrol.post(address, {"door": door.pk})
        assert page.context["package"] and page.context["package"] in page.content.decode()
        assert Binding.objects.get(lock=lock, ends_at=None).door == door
        assert patrol.post(do(lock.pk, "confirmed")).status_code == 302
        assert Binding.objects.get(lock=lock, ends_at=None).commissioned_at == NOW


class TestDeviations:
    def test_what_is_open_comes_first_with_the_way_in(self, issuer: Issuer, patrol: Browser) -> None:
        old = report(kind="jam", door=issuer.world.gate, at=NOW - DAY)
        Deviation.objects.filter(pk=old.pk).update(closed_at=NOW, resolution="explained")
        new = report(kind="dead_lock", door=issuer.world.apartment, at=NOW)
        answer = patrol.get(reverse("admin:passages_deviation_changelist"))
        assert [row.pk for row in answer.context["cl"].result_list] == [new.pk, old.pk]

    def test_it_is_ordered_taken_on_and_closed_in_a_click_each(self, issuer: Issuer, patrol: Browser) -> None:
        jam = report(kind="jam", door=issuer.world.gate, at=NOW)
        for name in ("order", "handle"):
            patrol.post(reverse(f"admin:passages_deviation_{name}", args=[jam.pk]))
        jam.refresh_from_db()
        assert jam.handler == patrol_of_again(issuer)
        closing = reverse("admin:passages_deviation_close", args=[jam.pk])
        assert patrol.post(closing, {"resolution": "påhittad"}).status_code == 403
        patrol.post(closing, {"resolution": "repaired"})
        jam.refresh_from_db()
        order = WorkOrder.objects.get()
        assert (jam.resolution, jam.closed_by, order.done_at) == ("repaired", jam.handler, NOW)

    def test_a_coordinator_reports_own_doors_and_not_a_neighbours(
        self, issuer: Issuer, coordinator: Browser, foreign: Door
    ) -> None:
        address = reverse("admin:passages_deviation_report")
        assert coordinator.get(address, {"q": "9999"}).context["hits"] == []
        assert coordinator.post(address, {"door": foreign.pk, "kind": "dead_lock"}).status_code == 404
        coordinator.post(address, {"door": issuer.world.apartment.pk, "kind": "dead_lock"})
        assert [row.door for row in Deviation.objects.all()] == [issuer.world.apartment]
        report(kind="jam", door=foreign, at=NOW)
        page = coordinator.get(reverse("admin:passages_deviation_changelist")).content.decode()
        assert "1999" not in page

    def test_an_emergency_right_is_closed_by_reviewing_it(self, issuer: Issuer, patrol: Browser) -> None:
        taken = Deviation.objects.create(
            municipality=issuer.municipality, kind="break_glass", door=issuer.world.gate, opened_at=NOW
        )
        closing = reverse("admin:passages_deviation_close", args=[taken.pk])
        assert patrol.post(closing, {"resolution": "explained"}).status_code == 403


class TestOrders:
    @pytest.fixture
    def house(self, issuer: Issuer) -> tuple[Door, Door]:
        """A house without locks: its gate, and an apartment whose client has not signed."""
        estate = issuer.world.property
        estate.area = "Norr"
        estate.save()
        gate = make_door(estate, Door.Kind.GATE, address="Nygatan 1")
        home = make_door(estate, Door.Kind.APARTMENT, address="Nygatan 1", number="1001", floor="1")
        DoorPath.objects.create(municipality=issuer.municipality, apartment=home, via=gate)
        make_client(home, issuer.world.team, "4801")[2].delete()
        return gate, home

    def test_a_plan_is_shown_before_it_is_made_and_skips_what_has_a_lock(
        self, issuer: Issuer, patrol: Browser, house: tuple[Door, Door]
    ) -> None:
        address = reverse("admin:locks_workorder_plan") + "?area=Norr"
        shown = patrol.get(address)
        assert [one.door for one in shown.context["proposals"]] == list(house)
        assert [[block.what.value for block in one.blocks] for one in shown.context["proposals"]] == [
            [],
            ["consent", "gate_first"],
        ]
        assert not WorkOrder.objects.exists()
        patrol.post(address, {"planned_for": "2026-11-23", "installer": ""})
        assert [order.door for order in WorkOrder.objects.order_by("door_id")] == list(house)
        assert patrol.get(address).context["proposals"] == []

    def test_blocked_is_worked_out_alike_in_sql_and_for_one_order(
        self, issuer: Issuer, house: tuple[Door, Door]
    ) -> None:
        gate, home = house
        empty = make_door(issuer.world.property, Door.Kind.APARTMENT, number="77")
        orders = [make_order(kind="mount", door=door, at=NOW) for door in (gate, home, empty)]
        orders.append(make_order(kind="mount", door=issuer.world.gate, at=NOW))
        orders.append(make_order(kind="repair", door=gate, at=NOW))

        def agree(expected: set[int]) -> None:
            found = blocks_of(list(open_orders().select_related("door")), at=NOW)
            assert {pk for pk, blocks in found.items() if blocks} == expected
            assert set(blocked(open_orders(), at=NOW).values_list("pk", flat=True)) == expected

        agree({orders[1].pk, orders[2].pk, orders[3].pk})
        mount(gate, Device())
        issuer.world.client_consent.pk, issuer.world.client_consent.client = None, home.clients.get()
        issuer.world.client_consent.save()
        agree({orders[2].pk, orders[3].pk})
        issuer.world.owner_consent.withdrawn_at = LONG_AGO + DAY
        issuer.world.owner_consent.save()
        agree({orders[2].pk, orders[3].pk})

    def test_the_day_leads_with_the_gate_and_is_marked_done(
        self, issuer: Issuer, installer: Browser, house: tuple[Door, Door]
    ) -> None:
        for door in reversed(house):
            make_order(kind="mount", door=door, at=NOW, planned_for=NOW.date())
        repair = make_order(kind="repair", door=issuer.world.gate, at=NOW, planned_for=NOW.date() - DAY)
        page = installer.get(reverse("admin:locks_workorder_day"))
        stops = [(address, [job.order.door for job in jobs]) for address, jobs in page.context["stops"]]
        assert stops == [("Nygatan 1", list(house)), ("Storgatan 1", [issuer.world.gate])]
        assert issuer.world.alice.name not in page.content.decode()
        done = reverse("admin:locks_workorder_done", args=[repair.pk])
        assert installer.post(done, {"next": "https://annanstans.example/"}).url.startswith("/admin/")
        repair.refresh_from_db()
        assert repair.done_at == NOW

    def test_a_mounting_in_progress_says_confirm_and_is_not_done_by_hand(
        self, issuer: Issuer, installer: Browser, house: tuple[Door, Door]
    ) -> None:
        order = make_order(kind="mount", door=house[0], at=NOW, planned_for=NOW.date())
        binding = commission_lock(door=house[0], identity_document=Device().identity_document(), at=NOW)
        page = installer.get(reverse("admin:locks_workorder_day")).content.decode()
        assert do(binding.lock_id, "confirmed") in page
        installer.post(reverse("admin:locks_workorder_done", args=[order.pk]))
        order.refresh_from_db()
        assert order.done_at is None
        installer.post(do(binding.lock_id, "confirmed"))
        order.refresh_from_db()
        assert order.done_at == NOW

    def test_a_coordinator_sees_own_doors_orders_and_plans_nothing(
        self, issuer: Issuer, coordinator: Browser, foreign: Door
    ) -> None:
        make_order(kind="repair", door=foreign, at=NOW)
        own = make_order(kind="repair", door=issuer.world.gate, at=NOW)
        answer = coordinator.get(reverse("admin:locks_workorder_changelist"))
        assert [row.pk for row in answer.context["cl"].result_list] == [own.pk]
        assert coordinator.get(reverse("admin:locks_workorder_plan")).status_code == 403
        assert coordinator.post(reverse("admin:locks_workorder_done", args=[own.pk])).status_code == 403


@pytest.mark.parametrize(
    "name",
    ["locks_lock_changelist", "locks_workorder_changelist", "locks_workorder_day", "locks_workorder_plan"],
)
def test_queries_do_not_grow_with_the_rows(
    issuer: Issuer, patrol: Browser, name: str, django_assert_num_queries: Any
) -> None:
    address = reverse(f"admin:{name}") + (f"?property={issuer.world.property.pk}" if "plan" in name else "")

    def more(start: int, count: int) -> None:
        for number in range(start, start + count):
            door = make_door(issuer.world.property, Door.Kind.APARTMENT, number=str(2000 + number))
            DoorPath.objects.create(municipality=issuer.municipality, apartment=door, via=issuer.world.gate)
            make_client(door, issuer.world.team, str(6000 + number))
            if number % 2:
                mount(door, Device())
                make_order(kind="repair", door=door, at=NOW, planned_for=NOW.date())
            elif "plan" not in name:
                make_order(kind="mount", door=door, at=NOW, planned_for=NOW.date())

    def cost() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as taken:
            assert patrol.get(address).status_code == 200
        return len(taken)

    more(0, 4)
    patrol.get(address)
    few = cost()
    more(4, 8)
    assert cost() <= few <= 40
    assert admin.site.is_registered(WorkOrder)
