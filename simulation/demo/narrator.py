"""Tells the story on the terminal: when, what, and what a person on the spot would see."""

import sys
import textwrap

from simulation.demo.clock import BenchClock

WIDTH = 100


class Narrator:
    """Prints a line a step, with the bench's time of day."""

    def __init__(self, clock: BenchClock) -> None:
        self._clock = clock

    def chapter(self, title: str) -> None:
        """Begin a new part of the story."""
        print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}", flush=True)

    def tell(self, what: str) -> None:
        """Tell what happened just now."""
        stamp = f"{self._clock.local():%H:%M:%S}  "
        print(
            textwrap.fill(what, WIDTH, initial_indent=stamp, subsequent_indent=" " * len(stamp)), flush=True
        )
