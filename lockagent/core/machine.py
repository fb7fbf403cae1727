"""The core itself: one event in, effects out. What it decides is decided in the parts it wires here."""

from __future__ import annotations

from lockagent.bolt import Battery, DoorMoved, HandMoved, MotorDone, MotorEvent, Tampered, Woken
from lockagent.core import commissioning
from lockagent.core.clock import RtcReading
from lockagent.core.context import Context, Place, Random
from lockagent.core.events import (
    Advertise,
    Commissioned,
    CommissionResult,
    Effect,
    Event,
    FrameIn,
    Gesture,
    LinkDown,
    LinkUp,
    Started,
    Stored,
    Subscribed,
    Tick,
)
from lockagent.core.firmware import Updates
from lockagent.core.greetings import Greetings
from lockagent.core.identity import LockSecrets
from lockagent.core.links import Introduced, Link, Links
from lockagent.core.memory import Binding
from lockagent.core.reception import Reception
from lockagent.core.upkeep import Upkeep
from lockagent.image import FirmwareBoot
from lockagent.records import Boot
from protocol.handshake import LockDoor
from protocol.suites import SUITE_1, Suite


class LockCore:
    """A lock without hands: feed it events, carry out its effects in order."""

    def __init__(
        self,
        boot: Boot,
        secrets: LockSecrets,
        rtc: RtcReading,
        mono: float,
        *,
        capacity: int,
        random: Random,
        firmware: FirmwareBoot | None = None,
    ) -> None:
        """`capacity`: entries the log ring holds. `random(n)` returns n fresh secret bytes.

        `firmware` None: this lock takes no new program over the air.
        """
        self._effects: list[Effect] = []
        self._context = Context.at_boot(
            boot, secrets, rtc, mono, capacity=capacity, random=random, emit=self._effects.append
        )
        self._upkeep = Upkeep(self._context)
        self._doors: dict[Suite, tuple[Place, LockDoor]] = {}
        self._greetings = Greetings(self._current_door, random)
        self._links = Links(
            self._effects.append,
            self._greetings,
            self._introduce,
            self._upkeep.handshake_failed,
            self._over_at,
        )
        self._updates = Updates(self._context, firmware, boot)
        self._reception = Reception(self._context, self._links, self._updates)

    @property
    def binding(self) -> Binding | None:
        """The door this lock sits on; None for a blank lock."""
        return self._context.binding

    def handle(self, event: Event, mono: float) -> list[Effect]:
        """Take in one event at `mono` (seconds, never running backwards)."""
        self._context.mono = mono
        try:
            self._dispatch(event)
            self._reception.settle()
            self._updates.settle(quiet=self._reception.quiet)
            if any(isinstance(effect, Advertise) for effect in self._effects):
                self._greetings.advert_changed(mono)
            return list(self._effects)
        finally:
            self._effects.clear()

    def next_tick_at(self) -> float | None:
        """When a `Tick` is wanted next; None when nothing is waiting for time to pass."""
        parts = (self._links, self._reception, self._upkeep, self._updates)
        times = [part.next_at() for part in parts]
        return min((time for time in times if time is not None), default=None)

    def _dispatch(self, event: Event) -> None:
        match event:
            case FrameIn():
                self._frame(event)
            case Stored():
                self._context.disk.stored(event.ok)
            case Tick():
                self._tick()
            case MotorDone() | HandMoved() | DoorMoved() | Battery() | Tampered() | Woken():
                self._door_event(event)
            case Commissioned():
                commissioning.take(
                    self._context,
                    event.commission,
                    lambda reason: self._context.emit(CommissionResult(reason)),
                )
            case Gesture():
                self._upkeep.gesture()
            case Started():
                self._upkeep.started(event)
                self._updates.started()
            case LinkUp() | Subscribed() | LinkDown():
                self._link_event(event)

    def _door_event(self, event: MotorEvent) -> None:
        match event:
            case MotorDone():
                self._reception.actor.motor_done(event)
            case HandMoved():
                self._upkeep.hand_moved(event)
            case DoorMoved():
                self._reception.actor.door_moved(event)
            case Battery():
                self._upkeep.battery(event)
            case Tampered():
                self._upkeep.tampers.noticed(event.what)
            case Woken():
                self._upkeep.woken()

    def _link_event(self, event: LinkUp | Subscribed | LinkDown) -> None:
        mono = self._context.mono
        match event:
            case LinkUp():
                self._links.up(event.link, mono)
            case Subscribed():
                self._links.subscribed(event.link, event.capacity, event.suite, mono)
            case LinkDown():
                self._links.down(event.link)
                self._reception.down(event.link)
                self._upkeep.connection_ended()

    def _frame(self, event: FrameIn) -> None:
        link = self._links.get(event.link)
        if link is None or link.suite is not event.suite:
            return
        if link.introduced:
            self._reception.frame(link, event.frame)
        else:
            self._links.frame(link, event.frame, self._context.mono)

    def _tick(self) -> None:
        self._links.tick(self._context.mono)
        self._reception.tick()
        self._upkeep.tick()
        self._updates.tick()

    def _current_door(self, suite: Suite) -> LockDoor | None:
        """What a suite's handshakes are made of now; None for a lock that nobody is to talk to."""
        place, static = self._context.place, self._context.secrets.static_private
        if place is None or (place.identity and suite is not SUITE_1):
            return None  # setup is of suite 1 alone
        known = self._doors.get(suite)
        if known is None or known[0] != place:
            made = LockDoor(
                static_private=static,
                adv_key=place.key,
                binding=place.name,
                identity=place.identity,
                suite=suite,
            )
            known = self._doors[suite] = place, made
        return known[1]

    def _over_at(self, number: int) -> float | None:
        """Since when a session has had its last word."""
        return self._reception.over_at(number)

    def _introduce(self, link: Link, phone: Introduced) -> None:
        self._reception.welcome(link, phone)
