"""A board as the agent sees it: the motor port, and what else the lock feels.

Everything on the board comes out of one `poll`: the bolt's answers, the door in its frame, a touch or a
knock.
"""

from __future__ import annotations

from dataclasses import dataclass

from lockagent.bolt import Bolt, DoorMoved, Order, Tampered, Tampering, Woken
from lockagent.core.events import Event, Gesture
from lockagent.motor.parts import Contact, Steady
from lockagent.motor.port import Motor

GESTURE_SECONDS = 5.0
"""A button pressed by accident is let go of sooner."""


@dataclass(frozen=True)
class Senses:
    """Contacts beside the bolt's; None is what the board does not have."""

    door: Contact | None = None
    cover: Contact | None = None
    """Closed while the lock's cover is on."""
    button: Contact | None = None
    """The setup button, which a lock without a door listens to."""
    touch: Contact | None = None
    """Closes for a moment at a touch of the handle or a knock."""


class Board:
    """The motor port, widened by what the board feels."""

    def __init__(self, motor: Motor, senses: Senses) -> None:
        self._motor, self._senses = motor, senses
        self._door = Steady(_closed(senses.door))
        self._cover = Steady(_closed(senses.cover))
        self._touched = False
        self._pressed_at: float | None = None
        self._meant = False

    @property
    def bolt(self) -> Bolt:
        """Where the bolt is."""
        return self._motor.bolt

    @property
    def door_closed(self) -> bool | None:
        """Whether the door is shut; None without a contact in its frame."""
        return None if self._senses.door is None else self._door.value

    @property
    def battery(self) -> int | None:
        """Charge left in percent; None on mains."""
        return self._motor.battery

    def order(self, order: Order, now: float, hold: float = 0.0) -> None:
        """Begin an order."""
        self._motor.order(order, now, hold)

    def poll(self, now: float) -> list[Event]:
        """Look at everything, and return what has happened."""
        events: list[Event] = list(self._motor.poll(now))
        if self._door.look(_closed(self._senses.door), now):
            events.append(DoorMoved(self._door.value))
        if self._cover.look(_closed(self._senses.cover), now):
            events.append(Tampered(Tampering.COVER_CLOSED if self._cover.value else Tampering.COVER_OPENED))
        touched = self._senses.touch is not None and self._senses.touch.closed
        if touched and not self._touched:
            events.append(Woken())
        self._touched = touched
        if self._held(now):
            events.append(Gesture())
        return events

    def next_event_at(self) -> float | None:
        """When to look again without any contact having changed."""
        held = None if self._pressed_at is None or self._meant else self._pressed_at + GESTURE_SECONDS
        times = [self._motor.next_event_at(), self._door.due(), self._cover.due(), held]
        return min((time for time in times if time is not None), default=None)

    def _held(self, now: float) -> bool:
        """True once for each time the button is held long enough."""
        button = self._senses.button
        if button is None or not button.closed:
            self._pressed_at, self._meant = None, False
            return False
        if self._pressed_at is None:
            self._pressed_at = now
        if self._meant or now < self._pressed_at + GESTURE_SECONDS:
            return False
        self._meant = True
        return True


def _closed(contact: Contact | None) -> bool:
    return contact is None or contact.closed
