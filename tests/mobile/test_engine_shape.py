"""What the engine's source must look like for its promises to hold: who may reach a lock, and how."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import mobile.engine

ENGINE = Path(mobile.engine.__file__).parent


def _calls(name: str) -> set[str]:
    """The files and functions in which something of this name is called."""
    found = set()
    for path in ENGINE.rglob("*.py"):
        for function in _functions(ast.parse(path.read_text(encoding="utf-8"))):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and _name(node.func) == name:
                    found.add(f"{path.stem}.{function.name}")
    return found


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _name(called: ast.expr) -> str:
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def test_rule_09_a_person_acts_is_the_only_way_to_a_lock() -> None:
    """A link is made by an attempt, an attempt by a tap, a tap by the verbs behind a person's finger."""
    assert _calls("BleakClient") == {"radio.client"}
    assert _calls("client") == {"link.connect"}
    assert _calls("Link") == {"attempt._one_link", "locktalk.reach"}
    assert _calls("Attempt") == {"openings._attempt"}
    assert _calls("_attempt") == {"openings._work"}
    assert _calls("_work") == {"openings.tap"}
    assert _calls("tap") == {"engine.open_door", "engine.lock_door", "practice.too_early"}
    assert _calls("too_early") == {"engine.ask_too_early"}
    assert _calls("open_door") == _calls("lock_door") == _calls("ask_too_early") == set()


def test_rule_09_an_installer_works_at_a_lock_by_beginning_an_order_and_in_no_other_way() -> None:
    assert _calls("reach") == {"installing._mount", "installing._talk"}
    assert _calls("carry_out") == {"engine.carry_out"}
    assert _calls("Installing") == {"parts.__init__"}


def test_only_one_module_makes_bleaks_objects() -> None:
    assert _calls("BleakScanner") == {"radio.scan"}


def test_the_engine_never_reads_the_clock_or_luck_by_itself() -> None:
    """Time and randomness are handed in (`setup`, `vault`); what tests cannot own they cannot judge."""
    for name in ("urandom", "token_bytes", "randbytes", "time_ns"):
        assert _calls(name) == set()
