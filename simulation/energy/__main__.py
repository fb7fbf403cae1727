"""``python -m simulation.energy``: a year at one door: what it costs, and how long batteries last."""

from __future__ import annotations

import argparse
import dataclasses
import sys

from lockagent.core.pace import Pace
from simulation.energy import airtime, budget, year
from simulation.energy.figures import ALKALINE, LATCH, LITHIUM, THUMB_TURN, Build


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m simulation.energy", description=__doc__)
    parser.add_argument("--days", type=int, default=365, help="live only so many days and scale up")
    days = parser.parse_args().days
    build = Build()
    print(f"{days} days at one door, the real lock in virtual time …", file=sys.stderr, flush=True)
    counts = year.counted(days)
    air = {kind: airtime.counted(kind, interval=build.interval_seconds) for kind in airtime.VISITS}
    for line in [
        *_counted(counts, air, build),
        "",
        *_costs(counts, air, build),
        "",
        *_lives(counts, air, build),
    ]:
        print(line)
    return 0


def _counted(counts: year.Counts, air: dict[str, airtime.Airtime], build: Build) -> list[str]:
    sent = budget.adverts(counts, build)
    lines = [f"Counted in {counts.days} days"]
    lines += [f"  {kind:<12} {number:>9}" for kind, number in sorted(counts.visits.items())]
    lines += [f"  adverts {pace.value:<4} {round(sent.get(pace, 0)):>9}" for pace in Pace]
    lines += [f"  new adverts  {counts.changes:>9}", f"  motor runs   {counts.runs:>9}"]
    lines.append(f"  flash        {counts.written:>9} bytes in {counts.syncs} flushes")
    for kind in ("opening", "look", "sit", "guess"):
        work = counts.work[kind]
        each = ", ".join(f"{name} {count / counts.visits[kind]:.2f}" for name, count in sorted(work.items()))
        lines.append(f"  {kind}: {each}")
    for kind, visit in air.items():
        sent_by, heard = (f"{len(side)} packets of {sum(side)} bytes" for side in (visit.sent, visit.heard))
        lines.append(f"  {kind} on the air: {visit.seconds:.2f} s, {sent_by} sent, {heard} heard")
    return lines


def _costs(counts: year.Counts, air: dict[str, airtime.Airtime], build: Build) -> list[str]:
    spent = budget.of_year(counts, air, build)
    lines = [f"Joules a year from the battery, {build.chip.name}, {build.motor.name}"]
    lines += [
        f"  {name:<34} {joules:>9.1f}  {joules / spent.yearly:>6.1%}" for name, joules in spent.items.items()
    ]
    lines.append(f"  {'all':<34} {spent.yearly:>9.1f}")
    electronics, motor = budget.opening(counts, air, build)
    lines.append(
        f"One opening: {electronics * 1000:.1f} mJ of electronics, {motor:.2f} J of motor (it relocks too)"
    )
    for kind in ("look", "sit", "guess"):
        cost = budget.stranger(counts, air, build, kind)
        lines.append(
            f"One stranger ({kind}): {cost * 1000:.2f} mJ, {cost / (electronics + motor):.4f} of an opening, "
            f"{cost / electronics:.2f} of its electronics"
        )
    return lines


def _lives(counts: year.Counts, air: dict[str, airtime.Airtime], build: Build) -> list[str]:
    lines = ["Years on one set"]
    for motor in (LATCH, THUMB_TURN):
        spent = budget.of_year(counts, air, dataclasses.replace(build, motor=motor))
        lives = ", ".join(f"{battery.name} {spent.years(battery):.1f}" for battery in (ALKALINE, LITHIUM))
        lines.append(f"  {lives}: {motor.name}")
    quick = budget.of_year(counts, air, dataclasses.replace(build, slow_seconds=build.fast_seconds))
    lines.append(f"  {ALKALINE.name} {quick.years(ALKALINE):.1f}: were the adverts always fast")
    return lines


if __name__ == "__main__":
    sys.exit(main())
