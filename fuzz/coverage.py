"""Which lines of the protocol and of the lock's core the corpus reaches: ``python -m fuzz.coverage``.

Counted by the interpreter itself, while every kept input is run once. Lines that run at import are left out:
what counts is what an input made run.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from fuzz import corpus
from fuzz.target import Tally
from fuzz.targets import TARGETS

ROOT = Path(__file__).parents[1]
COUNTED = (ROOT / "protocol", ROOT / "lockagent" / "core")


def functions(path: Path) -> Iterator[CodeType]:
    """The code of every function in a file."""
    waiting = [compile(path.read_text(), str(path), "exec")]
    while waiting:
        code = waiting.pop()
        waiting += [one for one in code.co_consts if isinstance(one, CodeType)]
        if code.co_flags & 2:  # CO_NEWLOCALS: a function's, not a module's
            yield code


def lines(path: Path) -> set[int]:
    """The lines inside functions that can run."""
    found: set[int] = set()
    for code in functions(path):
        found |= {line for _, _, line in code.co_lines() if line and line != code.co_firstlineno}
    return found


class Reached:
    """The lines that ran, and the steps from one line of a function to the next."""

    def __init__(self) -> None:
        self.lines: dict[str, set[int]] = defaultdict(set)
        self.steps: set[tuple[str, int, int]] = set()
        self._files = {str(path) for folder in COUNTED for path in folder.glob("*.py")}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Count what runs inside."""
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(None)

    def _called(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        """Asked at each call; what it returns is asked at each line."""
        name = frame.f_code.co_filename
        if name not in self._files:
            return None
        last = frame.f_code.co_firstlineno

        def line(inner: FrameType, event: str, _value: Any) -> Any:
            nonlocal last
            if event == "line":
                self.lines[name].add(inner.f_lineno)
                self.steps.add((name, last, inner.f_lineno))
                last = inner.f_lineno
            return line

        return line


def main() -> int:
    """Print a table of files, the least reached first."""
    reached = Reached()
    for target in TARGETS.values():
        for one in [*target.seeds(), *corpus.kept(target.name)]:
            with reached.watching():
                target.run(one, Tally())
    rows = []
    for path in (path for folder in COUNTED for path in folder.glob("*.py")):
        inside = lines(path)
        rows.append((len(inside & reached.lines[str(path)]), len(inside), path.relative_to(ROOT)))
    for hit, possible, path in sorted(rows, key=lambda row: row[0] / (row[1] or 1)):
        print(f"{path!s:<36}{hit:>5} of {possible:>4} lines {100 * hit // (possible or 1):>4} %")
    ran, all_of_them = sum(row[0] for row in rows), sum(row[1] for row in rows)
    print(f"{'in all':<36}{ran:>5} of {all_of_them:>4} lines {100 * ran // all_of_them:>4} %")
    return 0


if __name__ == "__main__":
    sys.exit(main())
