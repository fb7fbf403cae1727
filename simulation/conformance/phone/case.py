"""A phone's case, and the register of all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from simulation.conformance.phone.bench import PhoneBench

Play = Callable[[PhoneBench], Awaitable[None]]
NOTHING, UNKNOWN = "nothing", "unknown"
"""What a person is told who is told nothing of the door, and who is told that it may have opened."""


@dataclass(frozen=True)
class PhoneCase:
    """One case; passes when ``play`` returns."""

    name: str
    section: str
    play: Play


CASES: list[PhoneCase] = []


def case(name: str, section: str) -> Callable[[Play], Play]:
    """Decorator: this function is a case."""

    def note(play: Play) -> Play:
        CASES.append(PhoneCase(name, section, play))
        return play

    return note
