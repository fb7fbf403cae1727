"""Which doors are close, from signal strengths that jump: smoothed, in coarse classes, with hysteresis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mobile.engine.state import Nearby

SMOOTHING = 0.3
"""Share of the newest sample in the running mean."""
HERE_FROM, HERE_UNTIL = -68.0, -75.0
"""dBm at which a door becomes "here", and at which it ceases to be."""
NEARER_DB = 6.0
"""By how much a door must be heard better than the one before it to change places with it."""
GONE_AFTER = 10.0
"""Seconds without an advert after which a door is no longer near."""


@dataclass
class _Signal:
    strength: float
    heard_at: float
    near: Nearby


class NearbyList:
    """Strength and class of each door heard lately."""

    def __init__(self) -> None:
        self._signals: dict[bytes, _Signal] = {}
        self._order: list[bytes] = []

    @property
    def classes(self) -> Mapping[bytes, Nearby]:
        """The class of each door that is heard, nearest first."""
        return {binding: self._signals[binding].near for binding in self._order}

    def heard(self, binding: bytes, rssi: int, now: float) -> bool:
        """Take in one advert; True when a class or the order changed."""
        signal = self._signals.get(binding)
        if signal is None:
            near = Nearby.HERE if rssi >= HERE_FROM else Nearby.NEAR
            self._signals[binding] = _Signal(float(rssi), now, near)
            self._order.append(binding)
            self._rise(binding)
            return True
        signal.strength += SMOOTHING * (rssi - signal.strength)
        signal.heard_at = now
        before, signal.near = signal.near, _class(signal)
        return self._rise(binding) or signal.near is not before

    def age(self, now: float) -> bool:
        """Drop doors not heard for a while; True when there were any."""
        gone = [key for key, signal in self._signals.items() if now - signal.heard_at > GONE_AFTER]
        for binding in gone:
            del self._signals[binding]
            self._order.remove(binding)
        return bool(gone)

    def _rise(self, binding: bytes) -> bool:
        """Pass those that are heard clearly worse; True when there were any."""
        place = start = self._order.index(binding)
        strength = self._signals[binding].strength
        while place and strength > self._signals[self._order[place - 1]].strength + NEARER_DB:
            place -= 1
        self._order.insert(place, self._order.pop(start))
        return place != start


def _class(signal: _Signal) -> Nearby:
    limit = HERE_UNTIL if signal.near is Nearby.HERE else HERE_FROM
    return Nearby.HERE if signal.strength >= limit else Nearby.NEAR
