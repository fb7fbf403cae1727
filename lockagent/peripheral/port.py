"""The radio port: what the agent needs of a Bluetooth stack, and no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lockagent.core.events import FrameIn, LinkDown, LinkUp, Subscribed
from lockagent.core.pace import Pace
from protocol.suites import SUITE_1, Suite

RadioEvent = LinkUp | Subscribed | FrameIn | LinkDown
Listener = Callable[[RadioEvent], None]


class Radio(Protocol):
    """A peripheral with several links. `listener` is called in the event loop, events of a link in order."""

    async def start(self, listener: Listener) -> None:
        """Power on, offer the service; say nothing on the air before the first `advertise`."""
        ...

    async def stop(self) -> None:
        """Fall silent and let every link go."""
        ...

    def advertise(self, data: bytes) -> None:
        """From now on, and again after every connection, advertise this from a fresh random address."""
        ...

    def silence(self) -> None:
        """From now on advertise nothing; links stay."""
        ...

    def pace(self, pace: Pace) -> None:
        """From now on advertise so often; slowly until the first call."""
        ...

    def send(self, link: int, frame: bytes, suite: Suite = SUITE_1) -> None:
        """Notify a frame by a suite's characteristic; a link that has gone swallows it."""
        ...

    def disconnect(self, link: int) -> None:
        """End a link once everything sent on it is on its way; its LinkDown follows."""
        ...
