"""What is fuzzed: something that takes bytes, and what must hold whatever they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from fuzz.luck import Luck
from fuzz.mutations import mutated


class FindingError(Exception):
    """Something that must hold does not; the message says what."""


@dataclass
class Tally:
    """What has been tried so far."""

    inputs: int = 0
    """Byte strings handed to a parser or a lock, each altered in its own way."""
    past: int = 0
    """Those that a lock or a phone decrypted: past mac1 and AEAD."""
    accepted: int = 0
    """Those that were accepted, and rightly so."""
    compared: int = 0
    """Those of which the independent reader was asked as well."""

    def add(self, other: Tally) -> None:
        """Count what another has counted too."""
        self.inputs += other.inputs
        self.past += other.past
        self.accepted += other.accepted
        self.compared += other.compared


Change = Callable[[bytes, Luck], bytes]


@dataclass(frozen=True)
class Target:
    """``run`` takes one input and raises when something that must hold does not."""

    name: str
    run: Callable[[bytes, Tally], None]
    seeds: Callable[[], list[bytes]]
    change: Change = field(default=mutated)
    """Makes another input of one."""
    reads: tuple[str, ...] = ()
    """The parsers it reaches, as module.function."""
    share: int = 1
    """Its part of the time, beside the others'."""
    max_size: int = 4096
