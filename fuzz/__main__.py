"""``make fuzz SECONDS=…``: fuzz every target for its share of the time, print a table, fail on a finding.

Each target runs in a process of its own. What they found worth keeping lies in var/fuzz and is gone on with
the next time; ``--keep`` puts of it what is needed to reach as much into fuzz/corpus, which the tests replay.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fuzz import corpus
from fuzz.coverage import Reached
from fuzz.target import Tally, Target
from fuzz.targets import TARGETS

FOLDER = Path("var/fuzz")
TOTAL = FOLDER / "total.json"
COUNTED = ("executions", "inputs", "past", "accepted", "compared")
GRACE_SECONDS = 300
"""For starting and for reading the corpus, on a machine that is busy with other things."""


@dataclass(frozen=True)
class Result:
    """What came of one target."""

    name: str
    counts: dict[str, float]
    finding: str = ""


def fuzz(target: Target, seconds: int) -> Result:
    """Run one target in a process of its own."""
    folder = FOLDER / target.name
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "fuzz.engine", target.name, "--seconds", str(seconds)]
    command += ["--folder", str(folder)]
    done = subprocess.run(  # noqa: S603 - our own program
        command, capture_output=True, text=True, check=False, timeout=seconds + GRACE_SECONDS
    )
    tally = folder / "tally.json"
    counts = json.loads(tally.read_text()) if tally.exists() else {}
    return Result(target.name, counts, done.stderr[-3000:] if done.returncode else "")


def total(results: list[Result]) -> dict[str, float]:
    """Add to what was counted in earlier runs, and return it."""
    counted: dict[str, float] = json.loads(TOTAL.read_text()) if TOTAL.exists() else {}
    for result in results:
        for name in COUNTED:
            counted[name] = counted.get(name, 0) + result.counts.get(name, 0)
        counted["slowest"] = max(counted.get("slowest", 0), result.counts.get("slowest", 0))
    TOTAL.write_text(json.dumps(counted))
    return counted


def keep(target: Target) -> int:
    """Put what reaches each step between two lines first into the repository; return how many inputs."""
    known = sorted({*target.seeds(), *corpus.kept(target.name), *_grown(target)}, key=len)
    reached, chosen, room = Reached(), [], corpus.MOST_BYTES
    for one in (one for one in known if len(one) <= room):
        before = len(reached.steps)
        with reached.watching():
            target.run(one, Tally())
        if len(reached.steps) > before and one not in target.seeds():
            chosen.append(one)
            room -= len(one)
    corpus.keep(target.name, chosen)
    return len(chosen)


def _grown(target: Target) -> list[bytes]:
    folder = FOLDER / target.name / "corpus"
    return corpus.packed(folder) if folder.exists() else []


def table(results: list[Result]) -> str:
    """One line a target."""
    lines = [f"{'target':<16}{'inputs':>12}{'past':>12}{'accepted':>12}{'compared':>12}  slowest"]
    for result in results:
        counts = [int(result.counts.get(name, 0)) for name in COUNTED[1:]]
        slowest = f"{1000 * result.counts.get('slowest', 0):.0f} ms"
        lines.append(f"{result.name:<16}" + "".join(f"{count:>12}" for count in counts) + f"  {slowest}")
    return "\n".join(lines)


def main() -> int:
    """Fuzz, or keep."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together, per job")
    parser.add_argument("--only", default="", help="targets whose name contains this")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time")
    parser.add_argument("--keep", action="store_true", help="instead: write fuzz/corpus")
    options = parser.parse_args()
    chosen = [target for target in TARGETS.values() if options.only in target.name]
    if options.keep:
        for target in chosen:
            print(f"{target.name:<16}{keep(target):>6} inputs kept", flush=True)
        return 0
    shares = sum(target.share for target in chosen)
    with ThreadPoolExecutor(options.jobs) as pool:
        spans = [max(1, options.jobs * options.seconds * target.share // shares) for target in chosen]
        results = list(pool.map(fuzz, chosen, spans))
    print(table(results))
    counted = total(results)
    print("in all runs so far: " + ", ".join(f"{int(counted[name]):,} {name}" for name in COUNTED))
    for result in results:
        if result.finding:
            print(f"\nFINDING in {result.name}:\n{result.finding}", file=sys.stderr)
    return 1 if any(result.finding for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
