"""A bolt thrown by a motor on an H-bridge, with a contact at either end of its travel.

What is said of a run is what was seen and felt: *moved* when the contact at the goal closed, *jam* when the
motor stood still with the power to turn, *timeout* when nothing arrived, when no current flowed, or when
the battery gave way. A hand is told from the motor by its own contact, or by a bolt that goes back where it
came from. However a run ends, the bridge lets go, so that knob and key turn freely.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lockagent.bolt import Battery, Bolt, HandMoved, MotorDone, MotorEvent, Order, Result
from lockagent.motor.parts import Bridge, Contact, Power, Steady

LOOK_SECONDS = 0.01
"""How often a running motor is looked at."""
INRUSH_SECONDS = 0.15
"""A motor that starts draws as much as one that stands still; it is not judged so early."""
STALL_SECONDS = 0.08
DEAD_SECONDS = 0.4
RELIEF_SECONDS = 0.3
"""A jammed bolt is driven back for so long at most, to take the pressure off knob and key."""
STALL_SHARE = 0.7
"""Of the current it draws when held fast, a motor that draws this share stands still."""
DEAD_SHARE = 0.02
"""A motor that draws less than this share is not connected."""
_GOALS = {Order.UNLOCK: Bolt.UNLOCKED, Order.LOCK: Bolt.LOCKED}


@dataclass(frozen=True)
class Ends:
    """The contacts of a bolt. `hand`: closes while knob or key turns; None where there is none."""

    locked: Contact
    unlocked: Contact
    hand: Contact | None = None

    @property
    def place(self) -> Bolt:
        """Where the contacts see the bolt; two at once are believed to be none."""
        locked, unlocked = self.locked.closed, self.unlocked.closed
        if locked is unlocked:
            return Bolt.BETWEEN
        return Bolt.LOCKED if locked else Bolt.UNLOCKED


@dataclass(frozen=True)
class MotorLimits:
    """What is known of the motor. `stall_milliamps`: held fast at `nominal_millivolts`, gear and all."""

    seconds: float = 4.0
    stall_milliamps: float = 1500.0
    nominal_millivolts: float = 5800.0
    floor_millivolts: float = 3600.0
    """A motor that stands still below this lacks power; nothing need be holding the bolt."""


@dataclass
class _Run:
    order: Order
    goal: Bolt
    origin: Bolt
    began: float
    volts: list[float] = field(default_factory=list)
    left: bool = False
    """The bolt has left the end it began at."""
    still_since: float | None = None
    nothing_since: float | None = None
    relief_until: float | None = None
    """A jam was felt, and the bolt is being driven back."""


class BridgedBolt:
    """The motor port over a bridge, contacts and meters."""

    def __init__(self, bridge: Bridge, ends: Ends, power: Power, limits: MotorLimits) -> None:
        self._bridge, self._ends, self._power, self._limits = bridge, ends, power, limits
        self._rest = Steady(ends.place)
        self._run: _Run | None = None
        self._events: list[MotorEvent] = []
        self._looked = 0.0
        self._charge = self._at_rest()
        bridge.coast()

    @property
    def bolt(self) -> Bolt:
        """Where the bolt is."""
        return self._ends.place if self._run is None else Bolt.BETWEEN

    @property
    def door_closed(self) -> bool | None:
        """The board knows of the door, the bolt does not."""
        return None

    @property
    def battery(self) -> int | None:
        """Charge left as of the last run; before the first, what the pack reads at rest."""
        return self._charge

    def order(self, order: Order, now: float, hold: float = 0.0) -> None:
        """Begin an order. A bolt has no strike: PULSE comes to nothing, and says so."""
        place, busy = self._ends.place, self._run is not None
        self._bridge.coast()
        self._run = None
        if order is Order.STOP:
            self._rest.reset(place)
        elif order is Order.PULSE:
            self._events.append(MotorDone(order, Result.TIMEOUT))
        elif place is _GOALS[order] and not busy:
            self._events.append(MotorDone(order, Result.ALREADY))
        else:
            self._run = _Run(order, _GOALS[order], place, now)
            self._looked = now
            self._drive(order)

    def poll(self, now: float) -> list[MotorEvent]:
        """Look at contacts and meters, and return what has happened."""
        if self._run is not None:
            self._looked = now
            self._step(self._run, now)
        elif self._rest.look(self._ends.place, now) and self._rest.value is not Bolt.BETWEEN:
            self._events.append(HandMoved(self._rest.value))
        events, self._events = self._events, []
        return events

    def next_event_at(self) -> float | None:
        """Often while the motor runs; at rest nothing happens without an edge on a contact."""
        if self._events:
            return 0.0
        return self._rest.due() if self._run is None else self._looked + LOOK_SECONDS

    def _step(self, run: _Run, now: float) -> None:
        place, hand = self._ends.place, self._ends.hand
        run.left = run.left or place is not run.origin
        returned = run.left and place is run.origin and place is not Bolt.BETWEEN
        if hand is not None and hand.closed:
            self._end(run, Result.BY_HAND)
        elif run.relief_until is not None:
            if place is run.origin or now >= run.relief_until:
                self._end(run, Result.JAM)
        elif place is run.goal:
            self._end(run, Result.MOVED)
        elif returned:
            self._end(run, Result.BY_HAND)
        elif now >= run.began + self._limits.seconds:
            self._end(run, Result.TIMEOUT)
        elif now >= run.began + INRUSH_SECONDS:
            self._feel(run, now)

    def _feel(self, run: _Run, now: float) -> None:
        """What the meters say of a motor that should be turning."""
        volts, amps = self._power.millivolts(), self._power.milliamps()
        limits = self._limits
        held = limits.stall_milliamps * (volts or limits.nominal_millivolts) / limits.nominal_millivolts
        still = amps is not None and amps >= STALL_SHARE * held
        nothing = amps is not None and amps < DEAD_SHARE * held
        run.still_since = _since(run.still_since, now) if still else None
        run.nothing_since = _since(run.nothing_since, now) if nothing else None
        if volts is not None and not still:
            run.volts.append(volts)
        if run.still_since is not None and now >= run.still_since + STALL_SECONDS:
            self._stalled(run, volts, now)
        elif run.nothing_since is not None and now >= run.nothing_since + DEAD_SECONDS:
            self._end(run, Result.TIMEOUT)

    def _stalled(self, run: _Run, volts: float | None, now: float) -> None:
        """Held fast, or too weak to turn: the voltage tells them apart."""
        if volts is not None and volts < self._limits.floor_millivolts:
            run.volts = [volts]
            self._end(run, Result.TIMEOUT)
            return
        run.relief_until = now + RELIEF_SECONDS
        self._bridge.coast()
        self._drive(Order.LOCK if run.order is Order.UNLOCK else Order.UNLOCK)

    def _drive(self, order: Order) -> None:
        if order is Order.LOCK:
            self._bridge.lock()
        else:
            self._bridge.unlock()

    def _end(self, run: _Run, result: Result) -> None:
        """Let go, and say how much the battery held and what came of the run."""
        self._bridge.coast()
        self._run = None
        place = self._ends.place
        self._rest.reset(place)
        if run.volts:
            self._charge = self._power.percent(_middle(run.volts))
            self._events.append(Battery(self._charge))
        self._events.append(MotorDone(run.order, result))
        if result is Result.BY_HAND and place is not Bolt.BETWEEN:
            self._events.append(HandMoved(place))

    def _at_rest(self) -> int | None:
        volts = self._power.millivolts()
        return None if volts is None else self._power.percent(volts)


def _since(before: float | None, now: float) -> float:
    return now if before is None else before


def _middle(values: list[float]) -> float:
    """The median; `statistics` would cost a lock 2 MB for it."""
    return sorted(values)[len(values) // 2]
