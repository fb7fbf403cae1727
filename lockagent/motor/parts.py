"""What a driver needs of its board: a bridge, contacts, meters. Which pins they are is told in `board`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from lockagent.motor.supply import Cells, percent

BOUNCE_SECONDS = 0.05
"""A contact is believed when it has not changed for so long."""
_T = TypeVar("_T")


class Bridge(Protocol):
    """An H-bridge with a motor between its legs."""

    def lock(self) -> None:
        """Turn so that the bolt goes out."""
        ...

    def unlock(self) -> None:
        """Turn so that the bolt comes in."""
        ...

    def coast(self) -> None:
        """Let go: the motor neither drives nor brakes, and a hand turns it freely."""
        ...


class Switch(Protocol):
    """Something that is on or off: the coil of a strike, a lamp."""

    def on(self) -> None:
        """Let current flow."""
        ...

    def off(self) -> None:
        """Stop it."""
        ...


class Contact(Protocol):
    """An input with two states."""

    @property
    def closed(self) -> bool:
        """Whether the contact is made right now, bouncing included."""
        ...


class Meter(Protocol):
    """An analogue input."""

    def read(self) -> float:
        """Return the present value, in millivolts or milliamperes."""
        ...


@dataclass(frozen=True)
class Power:
    """What can be measured of supply and motor; None is what the board does not measure."""

    cells: Cells | None = None
    """None on mains."""
    supply: Meter | None = None
    """Millivolts of the battery pack."""
    current: Meter | None = None
    """Milliamperes through motor or coil."""

    def millivolts(self) -> float | None:
        """The supply right now."""
        return None if self.supply is None else self.supply.read()

    def milliamps(self) -> float | None:
        """The current right now."""
        return None if self.current is None else self.current.read()

    def percent(self, millivolts: float) -> int | None:
        """Charge left at this voltage under load; None on mains."""
        return None if self.cells is None else percent(millivolts, self.cells)


class Steady(Generic[_T]):
    """An input with its bouncing taken out: what it was when it last stood still."""

    def __init__(self, value: _T) -> None:
        self.value = value
        self._seen = value
        self._since = 0.0

    def look(self, value: _T, now: float) -> bool:
        """Take in what the input shows now; True once when it has come to rest at something new."""
        if value != self._seen:
            self._seen, self._since = value, now
        if self._seen == self.value or now < self._since + BOUNCE_SECONDS:
            return False
        self.value = self._seen
        return True

    def reset(self, value: _T) -> None:
        """Begin anew from here."""
        self.value = self._seen = value

    def due(self) -> float | None:
        """When to look again at an input that has changed and may still be bouncing."""
        return None if self._seen == self.value else self._since + BOUNCE_SECONDS
