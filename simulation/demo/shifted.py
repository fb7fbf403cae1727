"""Run a module or script with the process's clock shifted, so that it lives at the bench's time of day.

The code that runs knows nothing of it: ``python -m simulation.demo.shifted --shift=-30000 manage.py serve``.
"""

import argparse
import runpy
import sys
from datetime import UTC, datetime, timedelta

import time_machine


def main() -> None:
    """Parse, shift, run."""
    parser = argparse.ArgumentParser(prog="python -m simulation.demo.shifted", description=__doc__)
    parser.add_argument("--shift", type=float, required=True, help="seconds ahead of real time")
    parser.add_argument("target", help="a script's path, or a module's name")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    sys.argv = [options.target, *options.arguments]
    if options.shift:
        time_machine.travel(datetime.now(UTC) + timedelta(seconds=options.shift), tick=True).start()
    if options.target.endswith(".py"):
        runpy.run_path(options.target, run_name="__main__")
    else:
        runpy.run_module(options.target, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
