"""A case: a name, the section of the page it is about, and what is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protocol.suites import SUITE_1, Suite
from simulation.conformance.bench import Bench

Play = Callable[[Bench], Awaitable[None]]


@dataclass(frozen=True)
class Case:
    """Passes when ``play`` returns; raises DeviationError when the lock did something else."""

    name: str
    section: str
    play: Play
    suite: Suite = SUITE_1
    """Played at locks that offer it."""


class Chapter:
    """Cases of one subject, in the order in which they are played."""

    def __init__(self, section: str, *, suite: Suite = SUITE_1) -> None:
        """`suite`: what a lock must offer for these cases to be about it."""
        self.section, self.suite = section, suite
        self.cases: list[Case] = []

    def case(self, name: str, section: str = "") -> Callable[[Play], Play]:
        """Decorator: this function is a case."""

        def note(play: Play) -> Play:
            self.add(name, play, section)
            return play

        return note

    def add(self, name: str, play: Play, section: str = "") -> None:
        """Add a case of a table."""
        self.cases.append(Case(name, section or self.section, play, self.suite))
