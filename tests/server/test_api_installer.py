"""The installer's calls beside commissioning, and a phone that reports a door, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import time_machine

from protocol import commission
from server.access.domain.issue import issue_ahead
from server.audit.models import AuditEntry
from server.locks.domain.orders import make_order
from server.locks.models import Binding, Lock, LockStatus, WorkOrder
from server.passages.models import Deviation
from server.people.models import User
from server.places.models import Door, DoorPath
from tests.server.device import Device
from tests.server.issuer import Issuer, Phone, b64, unb64
from tests.server.world import HOUR, NOW, make_client, make_door


@pytest.fixture(autouse=True)
def monday_morning() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def door(issuer: Issuer) -> Door:
    """An apartment behind the gate with a client who consented, and no lock yet."""
    made = make_door(issuer.world.property, Door.Kind.APARTMENT, number="1201", floor="2")
    DoorPath.objects.create(municipality=issuer.municipality, apartment=made, via=issuer.world.gate)
    make_client(made, issuer.world.team, "4712")
    return made


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def named(device: Device, **more: Any) -> dict[str, Any]:
    return {"lock": b64(device.lock_id), **more}


def orders(installer: Phone, query: str = "") -> Any:
    return installer.http.get(
        f"/api/v1/installer/orders{query}", headers={"X-Session-Token": installer.session}
    ).json()


class TestMove:
    def test_a_lock_is_moved_and_handed_its_package(
        self, issuer: Issuer, installer: Phone, door: Door
    ) -> None:
        device = issuer.apartment_lock
        old = device.binding
        answer = installer.post("installer/move", named(device, door_id=door.pk))
        assert answer.status_code == 200, answer.content
        package = unb64(answer.json()["commission"])
        assert commission.verify(package).bulletin.binding == unb64(answer.json()["binding"]) != old
        device.take(package, at=int(NOW.timestamp()))
        body = named(device, binding=b64(device.binding))
        assert installer.post("installer/commissioned", body).json()["door_id"] == door.pk

    def test_it_can_be_taken_back_before_the_lock_confirmed(
        self, issuer: Issuer, installer: Phone, door: Door
    ) -> None:
        installer.post("installer/move", named(issuer.apartment_lock, door_id=door.pk))
        answer = installer.post("installer/cancel", named(issuer.apartment_lock))
        assert answer.json() == {
            "lock_name": "Lås 2",
            "state": "mounted",
            "door_id": issuer.world.apartment.pk,
            "order": None,
        }
        again = installer.post("installer/cancel", named(issuer.apartment_lock))
        assert refusal(again) == (409, "commissioning_not_pending")

    def test_a_neighbours_lock_and_door_are_out_of_reach(
        self, issuer: Issuer, other_issuer: Issuer, installer: Phone, door: Door
    ) -> None:
        foreign, own = other_issuer.gate_lock, issuer.apartment_lock
        assert refusal(installer.post("installer/move", named(foreign, door_id=door.pk))) == (
            404,
            "lock_unknown",
        )
        elsewhere = other_issuer.world.apartment.pk
        assert refusal(installer.post("installer/move", named(own, door_id=elsewhere))) == (
            404,
            "door_unknown",
        )
        for verb in ("battery-changed", "remove", "retire", "cancel"):
            assert refusal(installer.post(f"installer/{verb}", named(foreign))) == (404, "lock_unknown")


class TestVerbs:
    def test_batteries_removal_and_retirement(self, issuer: Issuer, installer: Phone) -> None:
        device = issuer.apartment_lock
        changed = installer.post("installer/battery-changed", named(device))
        assert changed.json()["door_id"] == issuer.world.apartment.pk
        assert LockStatus.objects.get(lock__lock_id=device.lock_id).clock_uncertain is True
        removed = installer.post("installer/remove", named(device)).json()
        assert (removed["state"], removed["door_id"]) == ("removed", None)
        assert refusal(installer.post("installer/remove", named(device))) == (409, "lock_not_mounted")
        assert installer.post("installer/retire", named(device)).json()["state"] == "retired"
        assert set(AuditEntry.objects.filter(object_type="locks.lock").values_list("acting_as")) == {
            ("installer",)
        }

    @pytest.mark.parametrize("verb", ["move", "cancel", "battery-changed", "remove", "retire"])
    def test_only_installers_may(self, issuer: Issuer, phone: Phone, verb: str) -> None:
        phone.sign_in()
        body = named(issuer.apartment_lock, door_id=issuer.world.apartment.pk)
        assert refusal(phone.post(f"installer/{verb}", body)) == (403, "not_permitted")
        assert Lock.objects.filter(state="mounted").count() == 2


class TestOrders:
    def test_the_day_comes_in_the_order_of_work_with_what_blocks(
        self, issuer: Issuer, installer: Phone, ivar: User, door: Door
    ) -> None:
        day = NOW.date()
        gate = make_door(issuer.world.property, Door.Kind.GATE, address="Lillgatan 3")
        home = make_door(
            issuer.world.property, Door.Kind.APARTMENT, address="Lillgatan 3", number="1001", floor="1"
        )
        DoorPath.objects.create(municipality=issuer.municipality, apartment=home, via=gate)
        make_client(home, issuer.world.team, "4713")[2].delete()
        make_order(kind="mount", door=home, at=NOW, planned_for=day, installer=ivar)
        make_order(kind="mount", door=gate, at=NOW, planned_for=day)
        make_order(kind="mount", door=door, at=NOW, planned_for=day, installer=ivar)
        make_order(kind="repair", door=issuer.world.gate, at=NOW, planned_for=None)
        found = orders(installer)["orders"]
        assert [(one["address"], one["door_kind"], one["state"]) for one in found] == [
            ("Lillgatan 3", "gate", "ready"),
            ("Lillgatan 3", "apartment", "blocked"),
            ("Storgatan 1", "apartment", "ready"),
        ]
        assert found[1]["blocks"] == [
            {"code": "consent", "who": "4713", "door_id": None},
            {"code": "gate_first", "who": "", "door_id": gate.pk},
        ]
        assert orders(installer, "?day=2026-11-22")["orders"] == []

    def test_another_installers_orders_are_not_in_it(
        self, issuer: Issuer, installer: Phone, door: Door
    ) -> None:
        other = User.objects.create_user("ida", municipality=issuer.municipality, role="installer")
        make_order(kind="mount", door=door, at=NOW, planned_for=NOW.date(), installer=other)
        assert orders(installer)["orders"] == []

    def test_a_repair_is_marked_done_and_a_mounting_only_by_its_lock(
        self, issuer: Issuer, installer: Phone, door: Door
    ) -> None:
        repair = make_order(kind="repair", door=issuer.world.gate, at=NOW)
        mount = make_order(kind="mount", door=door, at=NOW)
        assert installer.post(f"installer/orders/{repair.pk}/done", {}).status_code == 204
        assert installer.post(f"installer/orders/{repair.pk}/done", {}).status_code == 204
        assert WorkOrder.objects.get(pk=repair.pk).done_at == NOW
        refused = installer.post(f"installer/orders/{mount.pk}/done", {})
        assert refusal(refused) == (409, "lock_not_confirmed")
        assert refusal(installer.post("installer/orders/999999/done", {})) == (404, "order_unknown")


class TestReporting:
    def test_a_phone_reports_a_door_it_holds_and_the_repair_is_ordered(
        self, issuer: Issuer, phone: Phone, monday_morning: Any
    ) -> None:
        issue_ahead(municipality=issuer.municipality, at=NOW)
        phone.sign_in()
        body = {"door_id": issuer.world.apartment.pk, "kind": "dead_lock"}
        first = phone.post("deviations", body)
        assert first.status_code == 200, first.content
        monday_morning.shift(HOUR)
        again = phone.post("deviations", body)
        assert again.json() == first.json()
        found = Deviation.objects.get()
        assert (found.kind, found.door, found.provider) == ("dead_lock", issuer.world.apartment, None)
        assert WorkOrder.objects.get().deviation == found
        said = AuditEntry.objects.get(action="deviation.opened")
        assert (said.actor, said.reason) == (issuer.world.alice.user, "reported_by_phone")

    def test_a_door_it_holds_no_key_to_is_not_its_to_report(
        self, issuer: Issuer, phone: Phone, door: Door
    ) -> None:
        phone.sign_in()
        for pk in (door.pk, issuer.world.apartment.pk, 10**9):
            answer = phone.post("deviations", {"door_id": pk, "kind": "jam"})
            assert refusal(answer) == (404, "binding_unknown")
        assert not Deviation.objects.exists()

    def test_what_is_wrong_is_chosen_never_written(self, issuer: Issuer, phone: Phone) -> None:
        phone.sign_in()
        for kind in ("log_gap", "break_glass", "Fru Svensson öppnar inte"):
            body = {"door_id": issuer.world.apartment.pk, "kind": kind}
            assert refusal(phone.post("deviations", body)) == (400, "invalid")

    def test_a_signed_out_phone_does_not(self, issuer: Issuer, phone: Phone) -> None:
        body = {"door_id": issuer.world.apartment.pk, "kind": "jam"}
        assert refusal(phone.post("deviations", body)) == (401, "session_missing")
        assert Binding.objects.count() == 2
