"""``make bench``: run every measurement, print the table, write var/bench/results.json.

Each measurement runs in a process of its own, one after the other, so that none inherits another's memory,
caches or Django settings.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from bench.results import Figure, machine, table, write

MEASUREMENTS = (
    "opening",
    "door",
    "tapping",
    "wear",
    "tokens",
    "passages",
    "serving",
    "pages",
    "sync",
    "vault",
    "app",
    "lock",
)
RESULTS = Path("var/bench/results.json")


def run(name: str) -> list[Figure]:
    """Run one measurement in its own process and read its figures."""
    command = [sys.executable, "-m", f"bench.{name}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    return [Figure(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]


def main() -> int:
    """Run what was asked for; a part of the run leaves the results of the rest out of the file."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[*MEASUREMENTS, []], help="measure only these")
    chosen = parser.parse_args().only or MEASUREMENTS
    figures: list[Figure] = []
    for number, name in enumerate(chosen, start=1):
        print(f"[{number}/{len(chosen)}] measuring {name} …", file=sys.stderr, flush=True)
        figures += run(name)
    print(f"\n{machine()}\n\n{table(figures)}\n")
    write(figures, RESULTS)
    print(f"written to {RESULTS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
