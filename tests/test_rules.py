"""docs/rules.md is true of the repository: what it names is there, and every rule has its tests."""

import re
from pathlib import Path

import pytest

from models.runs import RUNS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "rules.md").read_text()
RULES = dict(re.findall(r"^## (\d+)\. .*?\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
DEFINED = {
    name
    for path in ROOT.glob("tests/**/test_*.py")
    for name in re.findall(r"def (test_rule_\w+)\(", path.read_text())
}


def test_there_are_twelve_rules() -> None:
    assert list(RULES) == [str(number) for number in range(1, 13)]
    assert {name[10:12] for name in DEFINED} == {f"{number:02}" for number in range(1, 13)}


@pytest.mark.parametrize("number", RULES)
def test_what_backs_a_rule_exists(number: str) -> None:
    named = set(re.findall(r"`(test_rule_\w+)`", RULES[number]))
    assert named <= DEFINED
    assert all(f"_{int(number):02}_" in name for name in named)
    assert len(named) >= 3


def test_the_properties_named_are_checked_by_the_models() -> None:
    held = {name for run in RUNS if not run.breaks for name in (*run.invariants, *run.properties)}
    named = set(re.findall(r"`([A-Z]\w+)`", PAGE))
    assert named == held
