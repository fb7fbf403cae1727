"""A simulated bolt and door: travel time, jam, dead motor, dead sensor, people's hands that always win."""

from __future__ import annotations

from dataclasses import dataclass

from lockagent.bolt import Battery, Bolt, DoorMoved, HandMoved, MotorDone, MotorEvent, Order, Result


@dataclass
class Faults:
    """What is wrong with this door today."""

    jammed: bool = False
    """Something holds the bolt: the motor stalls and says so."""
    motor_dead: bool = False
    """Nothing moves and nothing is felt."""
    sensor_dead: bool = False
    """The bolt moves and the sensor does not see it."""
    driver_silent: bool = False
    """Nothing moves, and the driver never says so."""


@dataclass(frozen=True)
class _Run:
    order: Order
    ends_at: float
    result: Result
    bolt_after: Bolt


class SimulatedMotor:
    """The motor port with a bolt that exists only here; play the door with `turn_by_hand`, `faults`."""

    def __init__(
        self,
        *,
        bolt: Bolt = Bolt.LOCKED,
        travel_seconds: float = 1.2,
        stall_seconds: float = 0.6,
        limit_seconds: float = 4.0,
        battery: int | None = None,
        door_closed: bool | None = None,
    ) -> None:
        """`stall_seconds`: until a jam is felt. `limit_seconds`: until the driver gives up on the sensor.

        `door_closed`: None for a door without a sensor in its frame.
        """
        self.faults = Faults()
        self.runs: list[Order] = []
        """Every order that made the motor turn: what a test counts to know that nothing acted twice."""
        self._bolt = bolt
        self._battery = battery
        self._door_closed = door_closed
        self._travel = travel_seconds
        self._stall = stall_seconds
        self._limit = limit_seconds
        self._run: _Run | None = None
        self._released_until = 0.0
        self._events: list[MotorEvent] = []

    @property
    def bolt(self) -> Bolt:
        """Where the bolt is now."""
        return Bolt.BETWEEN if self._run is not None and self._run.order is not Order.PULSE else self._bolt

    @property
    def door_closed(self) -> bool | None:
        """Whether the door is shut; None without a sensor."""
        return self._door_closed

    @property
    def battery(self) -> int | None:
        """Charge left in percent; None on mains."""
        return self._battery

    def order(self, order: Order, now: float, hold: float = 0.0) -> None:
        """Begin an order; STOP leaves the bolt where it was. A released strike falls back after `hold`."""
        self._settle(now)
        if order is Order.STOP:
            self._run = None
            return
        wanted = {Order.UNLOCK: Bolt.UNLOCKED, Order.LOCK: Bolt.LOCKED}.get(order)
        if wanted is not None and self._run is None and self._bolt is wanted:
            self._events.append(MotorDone(order, Result.ALREADY))
            return
        self.runs.append(order)
        self._run = self._planned(order, wanted, now)
        if order is Order.PULSE and self._run.result is Result.MOVED:
            self._released_until = self._run.ends_at + hold

    def poll(self, now: float) -> list[MotorEvent]:
        """Return what has happened up to `now`."""
        self._settle(now)
        events, self._events = self._events, []
        return events

    def next_event_at(self) -> float | None:
        """When something will have happened; at once when an event waits."""
        if self._events:
            return 0.0
        return self._run.ends_at if self._run is not None else None

    def passable(self, now: float) -> bool:
        """Whether a person can walk through: the bolt is drawn or the strike released."""
        return self._bolt is Bolt.UNLOCKED or (self._run is None and now < self._released_until)

    def turn_by_hand(self, bolt: Bolt, now: float) -> None:
        """Knob or metal key: the clutch gives way, whatever the motor was about to do."""
        self._settle(now)
        if self._run is not None:
            self._events.append(MotorDone(self._run.order, Result.BY_HAND))
            self._run = None
        self._bolt = bolt
        self._events.append(HandMoved(bolt))

    def swing_door(self, *, closed: bool, now: float) -> None:
        """Somebody opens the door, or lets it fall shut."""
        self._settle(now)
        self._door_closed = closed
        self._events.append(DoorMoved(closed))

    def drain(self, percent: int) -> None:
        """The battery reads this from now on."""
        self._battery = percent
        self._events.append(Battery(percent))

    def _planned(self, order: Order, wanted: Bolt | None, now: float) -> _Run:
        after = wanted or self._bolt
        if self.faults.driver_silent:
            return _Run(order, float("inf"), Result.TIMEOUT, self._bolt)
        if self.faults.motor_dead:
            return _Run(order, now + self._limit, Result.TIMEOUT, self._bolt)
        if self.faults.jammed:
            return _Run(order, now + self._stall, Result.JAM, self._bolt)
        if self.faults.sensor_dead:
            return _Run(order, now + self._limit, Result.TIMEOUT, after)
        return _Run(order, now + self._travel, Result.MOVED, after)

    def _settle(self, now: float) -> None:
        run = self._run
        if run is not None and now >= run.ends_at:
            self._run = None
            self._bolt = run.bolt_after
            self._events.append(MotorDone(run.order, run.result))
