"""What a lock does by itself: adverts, battery warnings, boots, saving its clock."""

from __future__ import annotations

from lockagent.bolt import Battery
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


def warnings(*readings: int | None) -> list[object]:
    """The percentages that a lock with these readings logs."""
    bench = commissioned()
    for percent in readings:
        bench.feed(Battery(percent))
    return [entry.detail[0] for entry in bench.entries() if entry.kind == EntryType.LOW_BATTERY]


def test_a_battery_warns_early_then_low_then_at_its_reserve_and_each_once() -> None:
    assert warnings(*range(80, 0, -1)) == [35, 20, 5]


def test_a_battery_that_falls_fast_is_one_warning() -> None:
    assert warnings(80, 4, 3) == [4]


def test_readings_that_waver_with_cold_and_load_do_not_warn_again() -> None:
    assert warnings(36, 35, 38, 34, 44, 35, 30, 20, 24, 19, 29) == [35, 20]


def test_new_batteries_warn_anew_when_they_run_down_and_mains_never() -> None:
    assert warnings(20, 90, 20) == [20, 20]
    assert warnings(20, 19, None, 20) == [20, 20]
    assert warnings(None, None) == []


def test_the_level_rides_with_m3() -> None:
    bench, anna = commissioned(), Phone()
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
