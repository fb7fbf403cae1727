"""The motor port: orders go in, and what really happened to the bolt comes out.

A driver never claims more than its sensor saw. Times are seconds of a monotonic clock, handed in. What it
learns of the battery during a run it says before the run's end, so that the answer to the phone has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lockagent.bolt import Bolt, Order
from lockagent.core.events import Event


class Motor(Protocol):
    """A bolt or strike driver."""

    @property
    def bolt(self) -> Bolt:
        """Where the bolt is now."""
        ...

    @property
    def door_closed(self) -> bool | None:
        """Whether the door is shut in its frame; None without a sensor there."""
        ...

    @property
    def battery(self) -> int | None:
        """Charge left in percent; None on mains."""
        ...

    def order(self, order: Order, now: float, hold: float = 0.0) -> None:
        """Begin an order; a new one replaces the one under way without an event for the old.

        `hold`: seconds a strike stays released (PULSE only).
        """
        ...

    def poll(self, now: float) -> Sequence[Event]:
        """Return what has happened up to `now`, each event once, in order."""
        ...

    def next_event_at(self) -> float | None:
        """When `poll` will have something next, if nobody touches the door; None when nothing runs."""
        ...
