"""Binding a lock to a door, moving it, and what may not be done."""

from __future__ import annotations

from protocol.entries import EntryType
from protocol.reasons import Reason
from tests.lockagent.bench import SECRETS, Bench, Phone, commissioned
from tests.lockagent.world import T0, Issuer, Place, secret


def test_a_blank_lock_says_nothing_on_the_air() -> None:
    bench = Bench(Place(Issuer(), SECRETS.identity))
    link = bench.link_up()
    assert bench.adverts == []
    assert bench.inbox[link] == []
    assert link in bench.ended


def test_commissioning_binds_logs_and_sets_the_clock() -> None:
    bench = commissioned()
    bound = bench.entries()[-1]
    assert (bound.kind, bound.detail) == (EntryType.BOUND, (b"binding1", 1))
    assert len(bench.adverts) == 1
    assert Phone().open(bench).reason is Reason.GRANTED


def test_a_package_for_another_lock_is_refused() -> None:
    bench = Bench(Place(Issuer(), SECRETS.identity))
    assert bench.commission(bench.place.commission(lock_id=b"otherone")) is Reason.COMMISSION_WRONG_LOCK
    other = secret("another lock's seal")
    assert bench.commission(bench.place.commission(seal_to=other)) is Reason.COMMISSION_WRONG_LOCK


def test_a_bound_lock_follows_its_own_roots_only() -> None:
    bench = commissioned()
    stranger = Place(Issuer(name="granne"), SECRETS.identity, binding=b"binding2")
    assert bench.commission(stranger.commission(time=T0 + 60)) is Reason.COMMISSION_ROOT_MISMATCH
    assert Phone().open(bench).reason is Reason.GRANTED


def test_rule_01_a_moved_locks_old_tokens_are_dead() -> None:
    bench, anna = commissioned(), Phone()
    old = anna.right(bench)
    moved = Place(Issuer(), SECRETS.identity, binding=b"binding2", adv_key=secret("adv 2"))
    assert bench.commission(moved.commission(time=int(bench.wall) + 60)) is Reason.GRANTED
    bench.place = moved
    assert anna.open(bench, old).reason is Reason.WRONG_BINDING
    assert anna.open(bench).reason is Reason.GRANTED


def test_an_old_package_does_not_lead_a_lock_back() -> None:
    bench = commissioned()
    first = bench.place.commission(time=int(bench.wall))
    moved = Place(Issuer(), SECRETS.identity, binding=b"binding2")
    assert bench.commission(moved.commission(time=int(bench.wall) + 60)) is Reason.GRANTED
    assert bench.commission(first) is Reason.COMMISSION_OLD


def test_the_same_package_twice_is_harmless() -> None:
    package = Place(Issuer(), SECRETS.identity).commission()
    bench = Bench(Place(Issuer(), SECRETS.identity))
    assert bench.commission(package) is Reason.GRANTED
    assert bench.commission(package) is Reason.GRANTED
