"""The motor of a practice lock without a bolt: a lamp, or a line on a terminal, shows what would have moved.

It answers as a bolt in order does, after the time a bolt takes. Such a lock may sit at a practice place only:
the command line hands it to no lock that is bound to a real door, where "moved" must mean that a bolt moved.
"""

from __future__ import annotations

from collections.abc import Callable

from lockagent.bolt import Bolt, MotorDone, MotorEvent, Order, Result

TRAVEL_SECONDS = 1.2


class Lamp:
    """The motor port without a motor; `show` is told each new place of the bolt that is not there."""

    def __init__(self, show: Callable[[Bolt], None], *, seconds: float = TRAVEL_SECONDS) -> None:
        self._show, self._seconds = show, seconds
        self._bolt = Bolt.LOCKED
        self._run: tuple[Order, Bolt, float] | None = None
        self._events: list[MotorEvent] = []

    @property
    def bolt(self) -> Bolt:
        """Where the bolt would be."""
        return self._bolt if self._run is None else Bolt.BETWEEN

    @property
    def door_closed(self) -> bool | None:
        """There is no door."""
        return None

    @property
    def battery(self) -> int | None:
        """A lamp hangs on mains."""
        return None

    def order(self, order: Order, now: float, hold: float = 0.0) -> None:
        """Begin an order; STOP leaves the lamp as it was. A practice place has no strike to release."""
        self._settle(now)
        if order is Order.STOP:
            self._run = None
            return
        wanted = Bolt.LOCKED if order is Order.LOCK else Bolt.UNLOCKED
        if self._run is None and self._bolt is wanted:
            self._events.append(MotorDone(order, Result.ALREADY))
            return
        self._run = (order, wanted, now + self._seconds)

    def poll(self, now: float) -> list[MotorEvent]:
        """Return what has happened up to `now`."""
        self._settle(now)
        events, self._events = self._events, []
        return events

    def next_event_at(self) -> float | None:
        """When something will have happened; at once when an event waits."""
        if self._events:
            return 0.0
        return self._run[2] if self._run is not None else None

    def _settle(self, now: float) -> None:
        run = self._run
        if run is not None and now >= run[2]:
            self._run, self._bolt = None, run[1]
            self._events.append(MotorDone(run[0], Result.MOVED))
            self._show(self._bolt)
