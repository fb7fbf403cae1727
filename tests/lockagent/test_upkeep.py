"""What a lock does by itself: adverts, battery warnings, boots, saving its clock."""

from __future__ import annotations

from lockagent.core.events import Battery
from lockagent.core.upkeep import ADVERT_LASTS_SECONDS
from protocol import advert, gatt
from protocol.entries import EntryType
from tests.lockagent.bench import Phone, commissioned


def test_rule_08_every_advert_is_of_this_door_and_no_two_are_alike() -> None:
    bench = commissioned()
    bench.advance(24 * 3600)
    resolver = advert.Resolver([(bench.place.binding, bench.place.adv_key)])
    assert len(bench.adverts) >= 24 * 4
    assert len(set(bench.adverts)) == len(bench.adverts)
    assert all(resolver.resolve(advert.parse(one)) is not None for one in bench.adverts)


def test_rule_08_the_advert_changes_after_a_connection() -> None:
    bench = commissioned()
    bench.advance(60)
    before = len(bench.adverts)
    bench.link_down(bench.link_up())
    assert len(bench.adverts) == before + 1


def test_a_stranger_who_comes_and_goes_does_not_move_the_address_all_the_time() -> None:
    bench = commissioned()
    bench.advance(60)
    before = len(bench.adverts)
    for _ in range(100):
        bench.link_down(bench.link_up())
        bench.advance(0.1)
    assert len(bench.adverts) - before <= 10 / ADVERT_LASTS_SECONDS + 1


def test_a_low_battery_warns_once_per_discharge_and_rides_with_m3() -> None:
    bench, anna = commissioned(), Phone()
    for percent in (80, 21, 20, 19, 18, 90, 20, None):
        bench.feed(Battery(percent))
    warnings = [entry.detail for entry in bench.entries() if entry.kind == EntryType.LOW_BATTERY]
    assert warnings == [(20,), (20,)]
    bench.feed(Battery(55))
    opening = anna.open(bench)
    assert opening.outcome is not None
    assert opening.outcome.battery == 55


def test_boots_are_counted_and_logged() -> None:
    bench = commissioned()
    for _ in range(3):
        bench.power_cut()
    boots = [entry.detail for entry in bench.entries() if entry.kind == EntryType.BOOT]
    assert boots == [(1, 0), (2, 1), (3, 1), (4, 1)]


def test_an_idle_lock_writes_once_an_hour_and_logs_nothing() -> None:
    bench = commissioned()
    steps, kinds = bench.disk.steps, bench.kinds()
    bench.advance(24 * 3600)
    assert bench.kinds() == kinds
    assert bench.disk.steps - steps <= 25 * 3
    assert gatt.ADVERT_ROTATION_SECONDS == 900
