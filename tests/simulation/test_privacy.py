"""Rule 8 on the air: whoever listens, and connects, cannot tell that two adverts are one lock's.

Small samples; ``python -m simulation.privacy`` listens for a week. That the judge sees what there is to see
is shown with locks that give themselves away a little.
"""

from __future__ import annotations

import random
from functools import cache

import pytest

from lockagent.core import greetings, upkeep
from simulation.privacy.__main__ import leaking
from simulation.privacy.house import Leaks, fair
from simulation.privacy.judge import judge
from simulation.privacy.week import Heard, Plan, listened

PASSIVE = Plan(locks=5, days=0.15, stints=5, seconds=930, active=False)
FEW = 80
"""Deals are enough to see what is planted."""
GLANCES = Plan(locks=6, days=0.05, stints=6, seconds=60, active=False)
ACTIVE = Plan(locks=5, days=0.05, stints=3, seconds=240, active=True)


@cache
def heard(plan: Plan) -> Heard:
    return listened(plan)


@pytest.mark.parametrize("plan", [PASSIVE, ACTIVE], ids=["listens", "connects"])
def test_rule_08_an_observer_links_two_adverts_no_better_than_chance(plan: Plan) -> None:
    verdict = judge(heard(plan).stints, deals=150)
    assert verdict.links == []
    assert verdict.guesses == 5 * plan.stints * (plan.stints - 1) // 2


def test_rule_08_every_lock_has_the_same_gatt_table_and_no_m0_is_heard_under_two_addresses() -> None:
    told = heard(ACTIVE)
    probes = [one.probe for stint in told.stints for one in stint if one.probe is not None]
    assert len(probes) > 10
    assert len({probe.table for probe in probes}) == 1
    assert len(told.said) > 40
    assert told.repeated == 0


def test_a_lock_that_shows_itself_in_every_other_advert_is_found() -> None:
    assert "salt, bytes" in judge(listened(GLANCES, leaking(0.5)).stints, deals=FEW).links


def test_an_address_that_keeps_a_byte_is_found() -> None:
    def luck(lock: int, size: int, chance: random.Random) -> bytes:
        drawn = fair(lock, size, chance)
        return bytes([lock]) + drawn[1:] if size == 6 else drawn

    assert "address, bytes" in judge(listened(GLANCES, Leaks(luck=luck)).stints, deals=FEW).links


def test_a_lock_that_speaks_a_little_slower_than_the_next_is_found() -> None:
    leaks = Leaks(slow_ms=lambda lock: 1000.0 + 10 * lock)
    assert "interval" in judge(listened(GLANCES, leaks).stints, deals=FEW).links


def test_a_lock_that_changes_its_address_to_a_beat_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "ROTATION_SPREAD_SECONDS", 0.0)
    assert "changes, beat of 900 s" in judge(listened(PASSIVE).stints, deals=FEW).links


def test_an_m0_that_outlives_the_address_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greetings.Greetings, "advert_changed", lambda self, mono: None)
    assert listened(ACTIVE).repeated > 0
