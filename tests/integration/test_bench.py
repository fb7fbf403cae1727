"""The bench: what an opening costs keeps to its bounds, and no figure's name goes away."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bench
from bench import app, door, tapping, wear
from bench.opening import compare
from protocol.suites import SUITES
from simulation import virtualtime

NAMES = {
    "opening.round_trips",
    "opening.application_bytes",
    "opening.time_ratio_0ms",
    "opening.time_ratio_30ms",
    "tokens.ratio_to_bare_signing",
    "passages.ratio_to_bare_insert",
    "server.first_answer_s",
    "server.memory_mb",
    "app.first_frame_s",
    "app.memory_mb{name}",
    "app.idle_cpu{name}",
    "sync.shift_bytes_beyond_rights",
    "vault.guess_seconds",
    "door.stranger_{name}_ratio",
    "door.stranger_energy_ratio",
    "door.suite{suite.number}.sessions_per_second",
    "door.opening_electronics_mj",
    "door.battery_years",
    "lock flash, the busiest page a year",
}


def test_an_opening_costs_two_round_trips_few_bytes_and_hardly_more_time_than_a_bare_exchange(
    tmp_path: Path,
) -> None:
    times = virtualtime.run(compare(0.03, tmp_path / "lock"))
    assert times.traffic.round_trips <= 2
    assert times.traffic.application_bytes <= 340
    assert times.ours / times.bare <= 1.3


def test_no_name_goes_away() -> None:
    sources = Path(bench.__file__).parent.glob("*.py")
    named = {
        name for one in sources for name in re.findall(r'Figure\(\s*f?"([^"]+)"', one.read_text("utf-8"))
    }
    assert named >= NAMES
    assert "" in app.RIGHTS  # the figure without a suffix is the one of most people's day
    resolved = {figure.name for rights in tapping.RIGHTS for figure in tapping.resolving(rights)}
    assert resolved == {"advert.resolve_40_ms", "advert.resolve_4000_ms"}
    assert (tapping.INTERVALS_MS, tapping.LOSSES_PERCENT) == ((15, 30, 50), (0, 5, 20))


def test_each_message_of_each_suite_has_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "ROUNDS", 1)
    shakes = {figure.name for suite in SUITES for figure in door.handshakes(suite)}
    parts = ("m0_made", "m1_made", "m1_read", "m2_sealed", "m3_sealed", "token_verified")
    assert shakes == {f"door.suite{suite.number}.{part}_us" for suite in SUITES for part in parts}
    rest = [*door.others(), *door.installers()]
    assert {figure.name.removeprefix("door.").partition("_")[0] for figure in rest} == {
        *("bulletin", "receipt", "fresh", "manifest", "batch", "carry"),
        *("identity", "commission", "retire", "firmware"),
    }
    assert all(figure.value > 0 and " bytes, by the " in figure.detail for figure in rest)


def test_an_attack_of_hours_wears_the_flash_by_what_is_listed_and_no_more() -> None:
    """Of 240 requests and switches of the cover an hour, 60 and 6 are listed; the rest is counted."""
    bench, disk = wear.door()
    wear.hostile(bench, 2)
    assert 2 * 60 < sum(disk.page_writes.values()) < 2 * (60 + 6 + 14)


def test_no_page_of_flash_wears_out_in_a_year_of_openings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wear, "DAYS", 3)
    monkeypatch.setattr(wear, "A_YEAR", 365 / 3)
    figures = {figure.name: figure.value for figure in wear.quiet()}
    assert 0 < figures["lock flash, the busiest page a year"] < wear.RAW_FLASH_CYCLES
