"""The ten main pages and issuing, with the pilot and with the whole city loaded: how much slower is the city?

Two servers' worth of process, one on each municipality (see ``bench.cities``), are asked for the same page in
turns, so that whatever else the machine does falls on both. Times are of Django's test client in process:
sessions, middleware, permissions, queries and templates, without network and web server.
"""

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.cities import environment, ready
from bench.output import emit
from bench.results import Figure

SAMPLES = 36
A_TURN = 6
AIM = "≤ 1.3"


class Server:
    """One municipality's process."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.desk"],
            env=environment(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.main_pages: list[str] = self._read()

    def ask(self, name: str, samples: int) -> dict[str, Any]:
        """Have a page fetched `samples` times."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{name} {samples}\n")
        self.process.stdin.flush()
        told: dict[str, Any] = self._read()
        return told

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("a measuring process ended; what it said stands above")
        return json.loads(line)

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


@dataclass(frozen=True)
class Times:
    """What one page took, in seconds."""

    median: float
    p95: float
    queries: int


def times(server: Server, name: str, samples: list[dict[str, Any]]) -> Times:
    """Sum the turns up."""
    seconds = [one for turn in samples for one in turn["seconds"]]
    return Times(statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1], samples[-1]["queries"])


def compare(pilot: Server, city: Server, name: str) -> tuple[Times, Times]:
    """Ask both in turns."""
    turns: dict[Server, list[dict[str, Any]]] = {pilot: [], city: []}
    for _turn in range(SAMPLES // A_TURN):
        for server, told in turns.items():
            told.append(server.ask(name, A_TURN))
    return times(pilot, name, turns[pilot]), times(city, name, turns[city])


def figures(name: str, small: Times, large: Times, *, unit: str, scale: float) -> list[Figure]:
    """Return the ratios, with what they are ratios of."""

    def said(one: float) -> str:
        return f"{one * scale:.1f}"

    queries = f", {large.queries} queries" if large.queries else ""
    return [
        Figure(
            f"{name}.city_to_pilot",
            large.median / small.median,
            "×",
            AIM,
            f"median {said(large.median)} in the city, {said(small.median)} {unit} in the pilot{queries}",
        ),
        Figure(
            f"{name}.p95_city_to_pilot",
            large.p95 / small.p95,
            "×",
            AIM,
            f"95th percentile {said(large.p95)} in the city, {said(small.p95)} {unit} in the pilot",
        ),
    ]


def measure() -> list[Figure]:
    """Measure every main page, then issuing."""
    pilot, city = Server(ready("pilot")), Server(ready("city"))
    try:
        found: list[Figure] = []
        ratios = []
        for name in pilot.main_pages:
            small, large = compare(pilot, city, name)
            ratios.append(large.median / small.median)
            found += figures(f"pages.{name}", small, large, unit="ms", scale=1e3)
        worst = Figure(
            "pages.worst_city_to_pilot", max(ratios), "×", AIM, "the slowest of the ten by comparison"
        )
        issuing = figures("issuing", *compare(pilot, city, "issuing"), unit="µs a token", scale=1e6)
        return [*found, worst, *issuing]
    finally:
        pilot.stop()
        city.stop()


if __name__ == "__main__":
    emit(measure())
