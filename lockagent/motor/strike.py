"""An electric strike: current through a coil frees the latch, and without it the latch holds again.

There is no contact that sees the latch. *Moved* says that the coil was given its current, and, where that
is measured, that it took it; a coil that takes none is *timeout*. The gate locks by itself when the time is
over.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockagent.bolt import Battery, Bolt, MotorDone, MotorEvent, Order, Result
from lockagent.motor.parts import Power, Switch

FEEL_SECONDS = 0.15
"""How long after it was switched on the coil is felt for."""
LONGEST_SECONDS = 60.0
"""A coil is never held longer, whatever is asked."""


@dataclass
class _Pulse:
    felt_at: float
    ends_at: float
    said: bool = False


class Strike:
    """The motor port over a coil."""

    def __init__(self, coil: Switch, power: Power, *, least_milliamps: float = 50.0) -> None:
        """`least_milliamps`: a coil that takes less is broken or not connected."""
        self._coil, self._power, self._least = coil, power, least_milliamps
        self._pulse: _Pulse | None = None
        self._events: list[MotorEvent] = []
        volts = power.millivolts()
        self._charge = None if volts is None else power.percent(volts)
        coil.off()

    @property
    def bolt(self) -> Bolt:
        """A latch is always where it locks, released or not."""
        return Bolt.LOCKED

    @property
    def door_closed(self) -> bool | None:
        """The board knows of the gate, the strike does not."""
        return None

    @property
    def battery(self) -> int | None:
        """Charge left as of the last release."""
        return self._charge

    def order(self, order: Order, now: float, hold: float = 0.0) -> None:
        """Release the latch for `hold` seconds; a strike has no bolt, so other orders come to nothing."""
        if order is Order.PULSE:
            self._coil.on()
            felt = now + FEEL_SECONDS
            self._pulse = _Pulse(felt, felt + min(hold, LONGEST_SECONDS))
            return
        self._release()
        if order is not Order.STOP:
            self._events.append(MotorDone(order, Result.TIMEOUT))

    def poll(self, now: float) -> list[MotorEvent]:
        """Feel for the coil's current; let go when the time is over."""
        pulse = self._pulse
        if pulse is not None and not pulse.said and now >= pulse.felt_at:
            self._feel(pulse)
        if pulse is not None and now >= pulse.ends_at:
            self._release()
        events, self._events = self._events, []
        return events

    def next_event_at(self) -> float | None:
        """When the coil is to be felt, or let go."""
        if self._events:
            return 0.0
        if self._pulse is None:
            return None
        return self._pulse.ends_at if self._pulse.said else self._pulse.felt_at

    def _feel(self, pulse: _Pulse) -> None:
        pulse.said = True
        volts, amps = self._power.millivolts(), self._power.milliamps()
        if volts is not None:
            self._charge = self._power.percent(volts)
            self._events.append(Battery(self._charge))
        dead = amps is not None and amps < self._least
        self._events.append(MotorDone(Order.PULSE, Result.TIMEOUT if dead else Result.MOVED))
        if dead:
            self._release()

    def _release(self) -> None:
        self._pulse = None
        self._coil.off()
