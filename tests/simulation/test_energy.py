"""The battery lock's budget: the counts come from the real lock, and the arithmetic holds."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from lockagent.core.pace import Pace
from protocol import gatt
from simulation.energy import airtime, budget, year
from simulation.energy.__main__ import main
from simulation.energy.figures import ALKALINE, LATCH, Build, Motor

DAYS = 4


@pytest.fixture(scope="module")
def lived() -> year.Counts:
    return year.counted(DAYS)


@pytest.fixture(scope="module")
def air() -> dict[str, airtime.Airtime]:
    return {kind: airtime.counted(kind, interval=0.03) for kind in airtime.VISITS}


def test_rule_12_ten_openings_a_day_last_two_years_on_four_alkaline_cells(
    lived: year.Counts, air: dict[str, airtime.Airtime]
) -> None:
    spent = budget.of_year(lived, air, Build())
    assert spent.years(ALKALINE) >= 2
    assert next(iter(spent.items)) == "motor"


def test_rule_12_a_strangers_visit_costs_less_than_a_twentieth_of_an_opening(
    lived: year.Counts, air: dict[str, airtime.Airtime]
) -> None:
    rightful = sum(budget.opening(lived, air, Build()))
    for kind in ("look", "sit", "guess"):
        assert budget.stranger(lived, air, Build(), kind) <= 0.05 * rightful


def test_the_year_is_the_real_locks(lived: year.Counts) -> None:
    assert lived.visits["opening"] == 10 * DAYS + 1
    assert lived.runs == 2 * lived.visits["opening"]
    assert sum(lived.seconds.values()) == pytest.approx(DAYS * year.DAY, abs=1)
    assert 0 < lived.seconds[Pace.FAST] < 0.05 * lived.seconds[Pace.SLOW]
    assert lived.changes >= DAYS * year.DAY / gatt.ADVERT_ROTATION_SECONDS


def test_what_a_visit_computes_is_what_the_protocol_says(lived: year.Counts) -> None:
    """m0, three Diffie-Hellman, sealing the log; one token; one batch signed."""
    opening = lived.work["opening"]
    once = 1  # the lock's own static key, at its first m0
    assert 0 <= opening["x25519"] - 6 * lived.visits["opening"] <= once
    assert opening["ed25519_sign"] == lived.visits["opening"]
    assert opening["ed25519_verify"] >= lived.visits["opening"]
    for kind in ("look", "sit", "guess"):
        assert lived.work[kind]["x25519"] <= lived.visits[kind] + once
        assert lived.work[kind]["ed25519_verify"] == 0
    assert not lived.work["alone"]["x25519"]


def test_a_stranger_who_sits_is_on_the_air_as_long_as_the_lock_lets_it(
    air: dict[str, airtime.Airtime],
) -> None:
    assert air["sit"].seconds == pytest.approx(gatt.SESSION_SECONDS, abs=0.5)
    assert air["look"].sent == air["sit"].sent


def test_the_budget_is_linear(lived: year.Counts, air: dict[str, airtime.Airtime]) -> None:
    build = Build()
    twice = dataclasses.replace(build, motor=Motor("twice", 2 * LATCH.joules))
    one, two = budget.of_year(lived, air, build), budget.of_year(lived, air, twice)
    assert two.yearly - one.yearly == pytest.approx(one.items["motor"])
    assert budget.Prices(build).work(Counter(x25519=2)) == 2 * budget.Prices(build).work(Counter(x25519=1))


def test_the_command_prints_the_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["energy", "--days", "1"])
    assert main() == 0
    assert "Years on one set" in capsys.readouterr().out
