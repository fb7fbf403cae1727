"""What a measurement hands back, and how all of them become a table and a flat JSON object."""

import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter


@dataclass(frozen=True)
class Figure:
    """One number. ``aim`` says in words what we aim for; it is reported beside the number, never asserted."""

    name: str
    value: float
    unit: str
    aim: str = ""
    detail: str = ""
    """The absolute figures behind a ratio, for a reader."""


def median_seconds(work: Callable[[], object], *, rounds: int) -> float:
    """Return the median wall time of ``work`` over ``rounds`` calls, after one that is not counted."""
    work()
    times = []
    for _ in range(rounds):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return statistics.median(times)


def machine() -> str:
    """Name the machine as far as it says itself."""
    model = ""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return (
        f"{model or platform.machine()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def table(figures: Sequence[Figure]) -> str:
    """Lay the figures out for a terminal."""
    widths = [max(len(row[column]) for row in map(_row, figures)) for column in range(3)]
    lines = []
    for figure in figures:
        name, value, aim = _row(figure)
        line = f"{name:<{widths[0]}}  {value:>{widths[1]}}  {aim:<{widths[2]}}  {figure.detail}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def write(figures: Sequence[Figure], path: Path) -> None:
    """Write a flat object of name to number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = {figure.name: round(figure.value, 4) for figure in figures}
    path.write_text(json.dumps(numbers, indent=2, sort_keys=True) + "\n")


def _row(figure: Figure) -> tuple[str, str, str]:
    value = f"{figure.value:.0f}" if float(figure.value).is_integer() else f"{figure.value:.3f}"
    return figure.name, f"{value} {figure.unit}".strip(), f"aim {figure.aim}" if figure.aim else ""
