"""``python -m simulation.privacy``: listen to a house of locks for a week, and say what links two adverts."""

from __future__ import annotations

import argparse
import random
import sys

from simulation.privacy import judge
from simulation.privacy.house import Leaks, fair
from simulation.privacy.week import Heard, Plan, listened

SALT_BYTES = 8


def main() -> int:
    """Print the table; 1 when something links."""
    parser = argparse.ArgumentParser(prog="python -m simulation.privacy", description=__doc__)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--locks", type=int, default=12)
    parser.add_argument("--stints", type=int, default=14, help="times the observer comes and listens")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long each time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--leak", type=float, default=0.0, help="share of adverts that give the lock away")
    asked = parser.parse_args()
    linked = False
    for active in (False, True):
        plan = Plan(asked.locks, asked.days, asked.stints, asked.minutes * 60, active, asked.seed)
        heard = listened(plan, leaking(asked.leak))
        verdict = judge.judge(heard.stints)
        print("\n".join(_lines(plan, heard, verdict)))
        linked = linked or bool(verdict.links or heard.repeated)
    return int(linked)


def leaking(share: float) -> Leaks:
    """A lock whose salt begins with its own number in this share of adverts: to see what is found."""

    def luck(lock: int, size: int, chance: random.Random) -> bytes:
        drawn = fair(lock, size, chance)
        return bytes([lock]) + drawn[1:] if size == SALT_BYTES and chance.random() < share else drawn

    return Leaks(luck=luck)


def _lines(plan: Plan, heard: Heard, verdict: judge.Verdict) -> list[str]:
    who = "listens, connects, hears openings" if plan.active else "listens only"
    stints = f"{plan.stints} stints of {plan.seconds / 60:.0f} min in {plan.days:g} days"
    lines = [f"{plan.locks} locks, {stints}; {who}"]
    lines += [f"  {name:<30} {score:>7.2f}" for name, score in verdict.scores.items()]
    lines.append(f"  guesses right: {verdict.right} of {verdict.guesses}, by chance {verdict.chance:.0f}")
    lines.append(f"  m0 heard: {len(heard.said)}, under two addresses: {heard.repeated}")
    return [*lines, f"  links two adverts: {', '.join(verdict.links) or 'nothing'}", ""]


if __name__ == "__main__":
    sys.exit(main())
