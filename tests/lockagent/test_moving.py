"""Moving and retiring a lock in a service session, and what a lock that was retired still is."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from lockagent.storage.port import StorageProblem
from lockagent.storage.slots import SLOT_SIZE, SLOTS
from protocol import retire
from protocol.entries import EntryType
from protocol.installing import CommissionOffer, RetireOffer
from protocol.keys import SigningKey
from protocol.messages import BulletinOffer, Carry, Command, DecisionFlag
from protocol.reasons import Reason
from protocol.retire import RetireOrder
from protocol.token import Scope
from tests.lockagent.bench import SECRETS, Bench, Phone, commissioned
from tests.lockagent.crashdisk import PowerCutError
from tests.lockagent.installer import Service, Setup, gesture, retire_order, set_up
from tests.lockagent.world import Issuer, Place, secret


def place(name: str = "kommun", binding: bytes = b"binding2", version: int = 1) -> Place:
    return Place(Issuer(name, version), SECRETS.identity, binding=binding, adv_key=secret("adv 2"))


def package(bench: Bench, to: Place) -> bytes:
    return to.commission(time=int(bench.wall) + 60)


def retired(bench: Bench) -> Service:
    service = Service(bench)
    service.log_home()
    assert service.retire() is Reason.GRANTED
    return service


def _forged(place: Place) -> bytes:
    order = RetireOrder(place.lock.lock_id, place.binding, 1_790_000_000)
    return retire.sign(order, SigningKey.from_seed(b"b1", secret("forger")))


class TestMove:
    def test_rule_01_a_lock_moved_over_the_air_refuses_the_rights_of_its_old_door(self) -> None:
        bench, anna, to = commissioned(), Phone(), place()
        old = anna.right(bench)
        service = Service(bench)
        assert service.identity().binding == b"binding1"
        assert service.commission(package(bench, to)) is Reason.GRANTED
        assert service.identity().binding == b"binding2"
        bench.place = to
        assert anna.open(bench, old).reason is Reason.WRONG_BINDING
        assert anna.open(bench).reason is Reason.GRANTED

    @pytest.mark.parametrize(
        ("to", "reason"),
        [
            (place("granne"), Reason.COMMISSION_ROOT_MISMATCH),
            (place(binding=b"binding1"), Reason.COMMISSION_OLD),
        ],
    )
    def test_other_roots_and_the_same_door_are_refused(self, to: Place, reason: Reason) -> None:
        bench = commissioned()
        assert Service(bench).commission(package(bench, to)) is reason
        assert Phone().open(bench).reason is Reason.GRANTED

    def test_a_replayed_package_is_refused(self) -> None:
        bench = commissioned()
        first = bench.place.commission(time=int(bench.wall))
        bench.place, before = place(), bench.place
        assert bench.commission(package(bench, bench.place)) is Reason.GRANTED
        assert Service(bench).commission(first) is Reason.COMMISSION_OLD
        assert before.binding != bench.place.binding

    def test_rule_10_not_while_a_phone_acts(self) -> None:
        bench = commissioned()
        service = Service(bench)
        anna = Phone().attempt(bench, Phone().right(bench)).run()
        assert service.commission(package(bench, place())) is Reason.COMMISSION_BUSY
        assert service.retire() is Reason.COMMISSION_BUSY
        assert anna.run(2.0).outcome is not None
        assert service.commission(package(bench, place())) is Reason.GRANTED

    def test_a_right_to_open_is_none_to_move(self) -> None:
        bench = commissioned()
        attempt = Phone().open(bench)
        channel = attempt.session
        for frame in channel._frames(CommissionOffer(package(bench, place()))):
            bench.write(attempt.link, frame)
        assert attempt.link in bench.ended
        assert Phone().open(bench).reason is Reason.GRANTED


class TestRetire:
    def test_the_log_comes_home_first_and_then_the_last_of_it(self) -> None:
        bench = commissioned()
        Phone().open(bench)
        service = Service(bench)
        assert service.retire() is Reason.RETIRE_LOG_FIRST
        service.log_home()
        assert service.retire() is Reason.GRANTED
        (sealed,) = service.carried()
        last = bench.place.opened(sealed).entries[-1]
        assert (last.kind, last.detail) == (EntryType.UNBOUND, (b"binding1",))

    def test_afterwards_it_is_silent_and_keeps_nothing_secret_of_the_door(self) -> None:
        bench = commissioned()
        retired(bench)
        assert not bench.on_air
        assert bench.core.binding is None
        assert Setup(bench).over
        for _ in range(2):
            assert bench.place.adv_key not in b"".join(_disk(bench))
            bench.power_cut()
        assert bench.kinds().count("UNBOUND") == 1

    def test_everybody_else_is_hung_up_on(self) -> None:
        bench = commissioned()
        waiting = bench.link_up()
        session = Phone().attempt(bench, Phone().right(bench), Command.LOCK).run(1.0)
        service = Service(bench)
        service.log_home()
        assert service.retire() is Reason.GRANTED
        assert {waiting, session.link} <= set(bench.ended)
        assert service.attempt.link not in bench.ended

    @pytest.mark.parametrize(
        ("order", "reason"),
        [
            (lambda p: retire_order(p, lock_id=b"otherone"), Reason.RETIRE_WRONG_LOCK),
            (lambda p: retire_order(p, binding=b"binding9"), Reason.RETIRE_WRONG_LOCK),
            (lambda p: retire_order(place("granne", p.binding)), Reason.RETIRE_INVALID),
            (lambda _p: b"noise", Reason.RETIRE_INVALID),
            (_forged, Reason.RETIRE_INVALID),
            (lambda p: p.bulletin(time=1_790_000_000)[:192], Reason.RETIRE_INVALID),
        ],
    )
    def test_only_the_servers_order_for_this_lock_and_door_counts(
        self, order: Callable[[Place], bytes], reason: Reason
    ) -> None:
        bench = commissioned()
        service = Service(bench)
        service.log_home()
        assert service.retire(order(bench.place)) is reason
        assert Phone().open(bench).reason is Reason.GRANTED

    def test_it_stays_its_municipalitys(self) -> None:
        bench = commissioned()
        first = bench.place.commission(time=int(bench.wall))
        retired(bench)
        for _ in range(2):
            phone = set_up(bench)
            assert phone.commission(package(bench, place("granne"))) is Reason.COMMISSION_ROOT_MISMATCH
            assert phone.commission(first) is Reason.COMMISSION_OLD
            bench.power_cut()
        to = place()
        assert set_up(bench).commission(package(bench, to)) is Reason.GRANTED
        bench.place = to
        assert Phone().open(bench).reason is Reason.GRANTED

    @pytest.mark.parametrize("step", range(1, 11))
    def test_rule_06_a_power_cut_at_any_step_leaves_it_bound_or_ended(self, step: int) -> None:
        bench = commissioned()
        service = Service(bench)
        service.log_home()
        bench.disk.cut_at = bench.disk.steps + step
        (frame,) = service.attempt.session.serve(RetireOffer(retire_order(bench.place)))
        with contextlib.suppress(PowerCutError):
            bench.write(service.attempt.link, frame)
        bench.power_cut()
        if bench.core.binding is None:
            assert bench.kinds().count("UNBOUND") == 1
            assert set_up(bench).session.serving
        else:
            assert Phone().open(bench).reason is Reason.GRANTED

    def test_more_log_may_be_asked_for_and_nothing_of_it_is_lost(self) -> None:
        bench = commissioned()
        for _ in range(30):
            Phone().open(bench)
        service = Service(bench, carry=1024)
        rounds = 0
        while service.retire() is Reason.RETIRE_LOG_FIRST:
            service.log_home()
            if bench.core.binding is not None:
                service.ask(Carry(2048))
            rounds += 1
            assert rounds < 40
        assert bench.core.binding is None

    def test_passages_made_while_the_order_is_on_its_way_go_home_first(self) -> None:
        bench = commissioned()
        service = Service(bench)
        service.log_home()
        Phone("thief").open(bench, carry=0)
        assert service.retire() is Reason.RETIRE_LOG_FIRST
        (sealed,) = service.carried()
        batch = bench.place.opened(sealed)
        news = bench.place.bulletin(time=int(bench.wall), with_receipt=bench.place.receipt(batch))
        service.ask(BulletinOffer(news))
        assert service.retire() is Reason.GRANTED

    def test_an_old_request_for_service_does_not_make_passages_old(self) -> None:
        bench, ivar = commissioned(), Phone("ivar")
        held, request_id = ivar.right(bench, scope=Scope.SERVICE), ivar.request_id()
        first = Service(bench, ivar, held=held, request_id=request_id)
        first.log_home()
        first.attempt.drop()
        Phone("thief").open(bench, carry=0)
        again = Service(bench, ivar, held=held, request_id=request_id)
        assert again.attempt.decision is not None
        assert again.attempt.decision.flags == DecisionFlag.REPEATED
        assert again.retire() is Reason.RETIRE_LOG_FIRST
        again.log_home()
        assert again.retire() is Reason.GRANTED

    def test_a_disk_that_fails_half_way_leaves_nobody_to_talk_to(self) -> None:
        bench = commissioned()
        service = Service(bench)
        service.log_home()
        waiting = bench.link_up()
        bench.disk.fail = lambda operation, name: StorageProblem.IO if name == "log" else None
        assert service.retire() is Reason.LOCK_FAULT
        assert waiting in bench.ended
        assert not bench.on_air

    def test_a_copy_of_damaged_state_keeps_no_secret_either(self) -> None:
        bench = commissioned()
        damaged = bytearray(bench.disk.read("state") or b"")
        for slot in range(SLOTS):
            damaged[slot * SLOT_SIZE] ^= 1
        bench.disk.replace("state", bytes(damaged))
        bench.power_cut()
        assert bench.place.adv_key in (bench.disk.read("state.damaged") or b"")
        to = bench.place = place()
        assert bench.commission(package(bench, to)) is Reason.GRANTED
        retired(bench)
        for key in (to.adv_key, secret("adv")):
            assert key not in b"".join(bench.disk.durable.values())

    def test_the_button_brings_a_retired_lock_back_on_the_air_for_its_own(self) -> None:
        bench = commissioned()
        retired(bench)
        gesture(bench)
        assert bench.on_air


def _disk(bench: Bench) -> list[bytes]:
    return [bench.disk.read(name) or b"" for name in ("state", "log")]
