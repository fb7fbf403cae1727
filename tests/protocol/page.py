"""docs/protocol.md as data: its CDDL blocks and its tables, so that tests can hold code and vectors to it."""

import re
from functools import cache
from pathlib import Path

from cddl_verifier import Validator, schema_diagnostics  # type: ignore[import-untyped]

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


@cache
def text() -> str:
    return PAGE.read_text("utf-8")


@cache
def cddl() -> str:
    """All CDDL blocks of the page, in order."""
    return "\n".join(re.findall(r"^```cddl\n(.*?)^```", text(), re.DOTALL | re.MULTILINE))


@cache
def validator() -> Validator:
    return Validator(cddl())


def faults() -> list[str]:
    """What is wrong with the CDDL itself."""
    return [str(one) for one in schema_diagnostics(cddl())]


def fits(rule: str, data: bytes) -> list[str]:
    """What is wrong with ``data`` as a ``rule`` of the page; empty when nothing is."""
    result = validator().validate(data, rule, require_deterministic=True)
    return [] if result.valid else [str(one) for one in result.diagnostics] or ["invalid"]


def table(heading: str, first_column: str) -> list[list[str]]:
    """The rows of the table under ``heading`` whose first column is headed ``first_column``."""
    section = re.split(r"^#+ ", text().split(heading, 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    rows: list[list[str]] = []
    inside = False
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and cells[0] == first_column:
            inside = True
        elif inside and line.startswith("|"):
            rows.append(cells)
        elif inside:
            break
    return [row for row in rows if not set(row[0]) <= set("-")]
