"""What happens to a lock: moved, taken down, retired, its batteries changed, its commissioning taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from protocol import bulletin
from protocol.entries import EntryType
from server.access.domain.issue import issue_ahead
from server.access.domain.revoke import revoke_phone
from server.access.models import Token
from server.audit.models import AuditEntry
from server.locks.domain.batteries import battery_changed
from server.locks.domain.commission import commission_lock, confirm, move_lock
from server.locks.domain.leaving import cancel_commissioning, expire_commissionings, remove_lock, retire_lock
from server.locks.domain.news import build_noted
from server.locks.domain.orders import make_order
from server.locks.domain.upkeep import keep_up
from server.locks.models import Binding, Bulletin, Lock, LockStatus, WorkOrder
from server.locks.queries import live_status
from server.passages.domain.handling import report
from server.passages.domain.intake import take_in
from server.passages.models import Deviation
from server.places.models import Door
from server.problems import Problem
from tests.server.device import Device
from tests.server.issuer import Issuer
from tests.server.world import HOUR, NOW, make_client, make_door

DAY = timedelta(days=1)


@pytest.fixture
def door(issuer: Issuer) -> Door:
    """An apartment with a client who consented, and no lock yet."""
    made = make_door(issuer.world.property, Door.Kind.APARTMENT, number="1201")
    make_client(made, issuer.world.team, "4712")
    return made


@pytest.fixture
def lock(issuer: Issuer) -> Lock:
    """The lock of the apartment where Alice's client lives."""
    found: Lock = issuer.world.apartment_binding.lock
    return found


def code_of(error: pytest.ExceptionInfo[Problem]) -> str:
    return error.value.code


def hand_in(issuer: Issuer, device: Device, at: object = NOW) -> None:
    take_in(documents=[device.sealed()], courier=issuer.world.phone, at=at)  # type: ignore[arg-type]


def status_of(lock: Lock) -> LockStatus:
    found: LockStatus = LockStatus.objects.get(lock=lock)
    return found


class TestMove:
    def test_a_moved_lock_has_a_new_binding_and_the_old_doors_keys_are_of_no_use(
        self, issuer: Issuer, lock: Lock, door: Door
    ) -> None:
        issue_ahead(municipality=issuer.municipality, at=NOW)
        old = issuer.world.apartment_binding
        moved = move_lock(lock=lock, door=door, at=NOW + HOUR)
        old.refresh_from_db()
        assert (old.ends_at, moved.starts_at, moved.ends_at) == (NOW + HOUR, NOW + HOUR, None)
        assert bytes(moved.binding_id) != bytes(old.binding_id)
        assert bytes(moved.sealed_adv_key) != bytes(old.sealed_adv_key)
        assert not Token.objects.filter(binding=old, replaced_at=None).exists()
        said = AuditEntry.objects.get(action="lock.moved")
        assert said.before == {"door": issuer.world.apartment.pk, "binding": bytes(old.binding_id).hex()}
        assert said.after["door"] == door.pk

    def test_a_move_needs_the_new_doors_consent_and_a_free_door(
        self, issuer: Issuer, lock: Lock, door: Door
    ) -> None:
        with pytest.raises(Problem) as occupied:
            move_lock(lock=lock, door=issuer.world.gate, at=NOW)
        assert code_of(occupied) == "door_has_lock"
        door.clients.get().consents.all().delete()
        with pytest.raises(Problem) as unsigned:
            move_lock(lock=lock, door=door, at=NOW)
        assert code_of(unsigned) == "consent_missing"
        with pytest.raises(Problem) as there:
            move_lock(lock=lock, door=issuer.world.apartment, at=NOW)
        assert code_of(there) == "lock_is_there"
        assert Binding.objects.get(lock=lock, ends_at=None).door == issuer.world.apartment

    def test_a_dead_lock_is_settled_at_the_door_it_leaves_and_a_low_battery_goes_along(
        self, issuer: Issuer, lock: Lock, door: Door
    ) -> None:
        dead = report(kind="dead_lock", door=issuer.world.apartment, at=NOW)
        low = report(kind="low_battery", door=issuer.world.apartment, at=NOW)
        move_lock(lock=lock, door=door, at=NOW + HOUR)
        dead.refresh_from_db()
        low.refresh_from_db()
        assert (dead.closed_at, dead.resolution) == (NOW + HOUR, "replaced")
        assert (low.closed_at, low.door) == (None, door)
        assert not WorkOrder.objects.filter(done_at=None, cancelled_at=None).exists()

    def test_the_orders_of_both_kinds_are_done_when_the_lock_confirms(
        self, issuer: Issuer, lock: Lock, door: Door
    ) -> None:
        order = make_order(kind="move", door=door, lock=lock, at=NOW)
        moved = move_lock(lock=lock, door=door, at=NOW)
        order.refresh_from_db()
        assert order.is_open
        confirm(binding=moved, at=NOW + HOUR)
        order.refresh_from_db()
        assert order.done_at == NOW + HOUR

    def test_a_confirmation_only_in_the_locks_log_finishes_the_order_too(
        self, issuer: Issuer, door: Door
    ) -> None:
        order, device = make_order(kind="mount", door=door, at=NOW), Device()
        binding = commission_lock(door=door, identity_document=device.identity_document(), at=NOW)
        device.take(bytes(binding.commission_document or b""), at=int(NOW.timestamp()))
        hand_in(issuer, device, NOW + HOUR)
        keep_up(issuer.municipality, at=NOW + HOUR)
        order.refresh_from_db()
        assert order.done_at == NOW + HOUR


class TestTakingDown:
    def test_a_lock_taken_down_opens_nothing_and_can_be_commissioned_again(
        self, issuer: Issuer, lock: Lock, door: Door
    ) -> None:
        issue_ahead(municipality=issuer.municipality, at=NOW)
        remove_lock(lock=lock, at=NOW + HOUR)
        lock.refresh_from_db()
        assert lock.state == Lock.State.REMOVED
        assert not Binding.objects.filter(lock=lock, ends_at=None).exists()
        assert set(Token.objects.filter(binding__lock=lock).values_list("revoked_at", flat=True)) == {
            NOW + HOUR
        }
        assert [
            str(one)
            for one in live_status([issuer.world.apartment.pk], at=NOW)[issuer.world.apartment.pk].reasons
        ] == ["no_lock"]
        document = issuer.apartment_lock.identity_document()
        again = commission_lock(door=door, identity_document=document, at=NOW + DAY)
        assert again.lock == lock
        with pytest.raises(Problem) as nowhere:
            remove_lock(lock=again.lock, at=NOW + DAY)
            remove_lock(lock=again.lock, at=NOW + DAY)
        assert code_of(nowhere) == "lock_not_mounted"

    def test_a_retired_lock_never_comes_back(self, issuer: Issuer, lock: Lock, door: Door) -> None:
        order = make_order(kind="retire", door=issuer.world.apartment, lock=lock, at=NOW)
        jam = report(kind="jam", door=issuer.world.apartment, at=NOW)
        retire_lock(lock=lock, at=NOW)
        retire_lock(lock=lock, at=NOW + HOUR)
        lock.refresh_from_db()
        order.refresh_from_db()
        jam.refresh_from_db()
        assert (lock.state, order.done_at, jam.resolution) == (Lock.State.RETIRED, NOW, "replaced")
        assert AuditEntry.objects.filter(action="lock.retired").count() == 1
        for attempt in (
            lambda: move_lock(lock=lock, door=door, at=NOW),
            lambda: commission_lock(
                door=door, identity_document=issuer.apartment_lock.identity_document(), at=NOW
            ),
            lambda: battery_changed(lock=lock, at=NOW),
        ):
            with pytest.raises(Problem) as refused:
                attempt()
            assert code_of(refused) == "lock_retired"


class TestBatteries:
    def test_the_clock_is_lost_until_the_locks_own_log_says_otherwise(
        self, issuer: Issuer, lock: Lock
    ) -> None:
        device = issuer.apartment_lock
        device.opened(b"k" * 8, b"p" * 8, battery=8, at=int(NOW.timestamp()))
        hand_in(issuer, device)
        assert (status_of(lock).battery_percent, status_of(lock).clock_uncertain) == (8, False)
        order = make_order(kind="battery", door=issuer.world.apartment, lock=lock, at=NOW)
        battery_changed(lock=lock, at=NOW + HOUR)
        order.refresh_from_db()
        changed = status_of(lock)
        assert (changed.battery_percent, changed.clock_uncertain) == (None, True)
        assert (changed.battery_changed_at, order.done_at) == (NOW + HOUR, NOW + HOUR)
        device.boot += 1
        device.add(EntryType.BOOT, (device.boot, 0))
        device.opened(b"k" * 8, b"p" * 8, battery=97)
        hand_in(issuer, device, NOW + DAY)
        told = status_of(lock)
        assert (told.battery_percent, told.clock_uncertain) == (97, True)
        device.add(EntryType.CLOCK, (device.clock, device.clock + 60))
        hand_in(issuer, device, NOW + DAY)
        assert status_of(lock).clock_uncertain is False

    def test_a_late_log_does_not_bring_the_old_level_back(self, issuer: Issuer, lock: Lock) -> None:
        device = issuer.apartment_lock
        device.opened(b"k" * 8, b"p" * 8, battery=7, at=int(NOW.timestamp()))
        battery_changed(lock=lock, at=NOW + HOUR)
        status = status_of(lock)
        status.battery_changed_boot = device.boot
        status.save()
        hand_in(issuer, device, NOW + DAY)
        assert status_of(lock).battery_percent is None

    def test_a_low_battery_closes_by_itself_once_the_lock_reads_high(
        self, issuer: Issuer, lock: Lock
    ) -> None:
        device = issuer.apartment_lock
        device.add(EntryType.LOW_BATTERY, (12,), at=int(NOW.timestamp()))
        hand_in(issuer, device)
        low = Deviation.objects.get(kind="low_battery")
        battery_changed(lock=lock, at=NOW + HOUR)
        keep_up(issuer.municipality, at=NOW + HOUR)
        low.refresh_from_db()
        assert low.closed_at is None
        device.boot += 1
        device.add(EntryType.BOOT, (device.boot, 0))
        device.opened(b"k" * 8, b"p" * 8, battery=99, at=int((NOW + 2 * HOUR).timestamp()))
        hand_in(issuer, device, NOW + 3 * HOUR)
        keep_up(issuer.municipality, at=NOW + 3 * HOUR)
        low.refresh_from_db()
        assert (low.closed_at, low.resolution) == (NOW + 3 * HOUR, "by_itself")


class TestUnconfirmed:
    def test_a_cancelled_move_takes_the_old_binding_into_use_again(
        self, issuer: Issuer, lock: Lock, door: Door
    ) -> None:
        old = issuer.world.apartment_binding
        moved = move_lock(lock=lock, door=door, at=NOW)
        assert cancel_commissioning(binding=moved, at=NOW + HOUR) == old
        old.refresh_from_db()
        lock.refresh_from_db()
        assert (old.ends_at, lock.state) == (None, Lock.State.MOUNTED)
        issue_ahead(municipality=issuer.municipality, at=NOW + HOUR)
        assert issuer.token_at(old).expires > NOW
        assert not Token.objects.filter(binding=moved).exists()

    def test_rule_04_what_was_revoked_during_a_cancelled_move_reaches_the_lock_at_once(
        self, issuer: Issuer, lock: Lock, door: Door
    ) -> None:
        issue_ahead(municipality=issuer.municipality, at=NOW)
        old = issuer.world.apartment_binding
        token = issuer.token_at(old)
        moved = move_lock(lock=lock, door=door, at=NOW)
        revoke_phone(phone=issuer.world.phone, reason="lost", at=NOW + HOUR)
        cancel_commissioning(binding=moved, at=NOW + HOUR)
        build_noted(issuer.municipality, at=NOW + HOUR)
        said = bulletin.parse(bytes(Bulletin.objects.filter(binding=old).latest("seq").document)).body
        assert said.revokes(bytes(token.token_id))

    def test_a_first_commissioning_expires_when_the_lock_never_confirms(
        self, issuer: Issuer, door: Door
    ) -> None:
        binding = commission_lock(door=door, identity_document=Device().identity_document(), at=NOW)
        assert expire_commissionings(issuer.municipality, at=NOW + 2 * DAY) == 0
        assert expire_commissionings(issuer.municipality, at=NOW + 4 * DAY) == 1
        assert expire_commissionings(issuer.municipality, at=NOW + 4 * DAY) == 0
        binding.refresh_from_db()
        binding.lock.refresh_from_db()
        assert (binding.ends_at, binding.lock.state) == (NOW + 4 * DAY, Lock.State.REGISTERED)
        again = commission_lock(door=door, identity_document=Device().identity_document(), at=NOW + 5 * DAY)
        assert again.pk != binding.pk

    def test_what_is_confirmed_cannot_be_cancelled(self, issuer: Issuer) -> None:
        with pytest.raises(Problem) as refused:
            cancel_commissioning(binding=issuer.world.apartment_binding, at=NOW)
        assert code_of(refused) == "commissioning_not_pending"
