"""The table of runs fits the models: no constant is forgotten, no rule is named that a module does not have.

That the answers are the expected ones is what `make models` shows; it needs a Java runtime.
"""

from __future__ import annotations

import re

import pytest

from models.__main__ import FOLDER, Answer, configuration, told
from models.runs import RUNS, Run


def _module(run: Run) -> str:
    return (FOLDER / f"{run.module}.tla").read_text()


def _constants(text: str) -> set[str]:
    block = re.search(r"\nCONSTANTS\n(.*?)\n\nVARIABLES", text, re.DOTALL)
    assert block
    return set(re.findall(r"^    (\w+)", block.group(1), re.MULTILINE))


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.module}: {run.name}")
def test_each_run_sets_its_modules_constants_and_names_its_modules_rules(run: Run) -> None:
    text = _module(run)
    assert set(run.settings) == _constants(text)
    for rule in (*run.invariants, *run.properties):
        assert re.search(rf"^{rule} ==", text, re.MULTILINE), rule
    assert set(run.changed) <= set(run.constants)


@pytest.mark.parametrize("module", sorted({run.module for run in RUNS}))
def test_each_rule_of_a_module_can_fail_in_some_run(module: str) -> None:
    of_module = [run for run in RUNS if run.module == module]
    broken = {run.breaks for run in of_module if run.breaks}
    assert broken, f"{module} has no run that must fail"
    assert any(not run.breaks and not run.changed for run in of_module)


def test_an_answer_counts_only_when_it_is_the_wanted_one() -> None:
    holds = next(run for run in RUNS if not run.breaks)
    fails = next(run for run in RUNS if run.breaks)
    clean = Answer(states=5, violated="", finished=True, seconds=0.1, output="")
    broken = Answer(states=5, violated=fails.breaks, finished=False, seconds=0.1, output="")
    crashed = Answer(states=0, violated="", finished=False, seconds=0.1, output="")
    assert clean.as_expected(holds) and broken.as_expected(fails)
    assert not clean.as_expected(fails) and not broken.as_expected(holds)
    assert not crashed.as_expected(holds) and not crashed.as_expected(fails)
    assert "NOT AS EXPECTED" in told(holds, crashed) and told(holds, clean).endswith("ok")
    assert "SPECIFICATION Spec" in configuration(holds)
