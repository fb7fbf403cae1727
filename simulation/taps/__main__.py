"""``python -m simulation.taps``: tap ten thousand times in simulated stairwells, count, and report.

The exit status is 1 when fewer rightful first taps succeed than ``--least``, when a wrongful one opens
anything, when a phone says "open" of a door that is not, or when a lock acts twice for one tap.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from simulation import virtualtime
from simulation.taps import count
from simulation.taps.count import Tap
from simulation.taps.house import House

REPORT = Path("var/taps/report.json")
TAPS_A_HOUSE = 100
SEED = "stairwells"
LEAST = 0.999


def play(number: int, seed: str, taps: int) -> tuple[list[Tap], int]:
    """Play one house in a virtual time of its own; returns its taps, and grants to those without a right."""

    async def story(folder: Path) -> tuple[list[Tap], int]:
        house = House(number, seed, folder)
        return await house.play(taps), house.granted_to_the_thief

    logging.getLogger().setLevel(logging.CRITICAL)  # every lost link is somebody's warning
    with tempfile.TemporaryDirectory() as folder:
        return virtualtime.run(story(Path(folder)))


def tap(wanted: int, seed: str, jobs: int, only: int | None = None) -> tuple[list[Tap], int]:
    """Play as many houses as it takes, in ``jobs`` processes."""
    houses = [only] if only is not None else list(range(-(-wanted // TAPS_A_HOUSE)))
    each = min(wanted, TAPS_A_HOUSE)
    taps: list[Tap] = []
    thefts = 0
    with ProcessPoolExecutor(jobs) as pool:
        for done in as_completed([pool.submit(play, house, seed, each) for house in houses]):
            played, granted = done.result()
            taps, thefts = taps + played, thefts + granted
            print(f"\r{len(taps)} taps …", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return sorted(taps, key=lambda one: (one.house, one.number)), thefts


def report(taps: list[Tap], sums: dict[str, float], seconds: float) -> None:
    """Print the sums, and every tap that did not go as it should."""
    for name, value in sums.items():
        print(f"{name:38} {value:>10.4f}" if name.endswith("share") else f"{name:38} {value:>10g}")
    for title, chosen in (
        ("rightful taps by outcome", [one for one in taps if one.kind == "rightful"]),
        ("hindered taps", [one for one in taps if one.kind == "hindered"]),
        ("wrongful taps", [one for one in taps if one.kind == "wrongful"]),
    ):
        print(f"\n{title}")
        for label, number in count.by(chosen, ("detail", "state", "reason")):
            print(f"  {number:6}  {label.strip(' /')}")
    print("\nnot as it should be")
    for one in taps:
        if (one.kind == "rightful" and not one.well) or not one.told or one.acted_twice:
            print(f"  {one.line()}")
    print(f"\n{seconds:.0f} s of real time")


def main() -> int:
    """Parse the arguments, tap, report."""
    parser = argparse.ArgumentParser(prog="python -m simulation.taps", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="how many taps at least (10 000)")
    parser.add_argument("--seed", default=SEED, help="another course of the same mix")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (one a core)")
    parser.add_argument("--house", type=int, help="play this house only, to look at it closely")
    parser.add_argument("--least", type=float, default=LEAST, help="share of rightful taps (0.999)")
    arguments = parser.parse_args()
    begun = time.monotonic()
    taps, thefts = tap(arguments.count, arguments.seed, arguments.jobs, arguments.house)
    sums = count.summary(taps) | {"granted_without_a_right": thefts}
    report(taps, sums, time.monotonic() - begun)
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps(sums, indent=2) + "\n")
    print(f"written to {REPORT}")
    return 0 if count.holds(sums, least=arguments.least) and not thefts else 1


if __name__ == "__main__":
    sys.exit(main())
