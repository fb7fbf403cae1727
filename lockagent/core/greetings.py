"""The m0 that strangers cost: made once, used until somebody who knows the door has tried it.

As long as no m1 that passes mac1 has come for an m0, its key has touched nothing: after a wrong m1 the same
m0 is said again, and one whose link ended is said on the next. Its life counts from the first time it was
said, so nothing can be held back longer than on one link, and no phone is given one that is about to die.
However many strangers come and go, they cost an m0 for each place they hold at a time, every two seconds.

An m0 heard under two adverts would show that both are one lock's. So an m0 belongs to the advert its link
came by and is never said on a link that came by another; links that came while the advert was changing share
none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from protocol import gatt
from protocol.handshake import LockDoor, LockHandshake
from protocol.suites import Suite

CHANGE_SECONDS = 1.5
"""So long after a change the advert before may still be what a link came by: a controller takes its time."""
_KEPT = gatt.MIN_LINKS + 1


@dataclass(frozen=True)
class Greeting:
    """A handshake whose m0 was first said at `born` (monotonic seconds)."""

    handshake: LockHandshake
    born: float
    advert: int | None
    """The one by which its links came; None when that is not sure."""

    @property
    def dies(self) -> float:
        """When its m0 stops being answerable, unless an answer is under way."""
        return self.born + gatt.M0_LIFE_SECONDS

    def lasts(self, mono: float) -> bool:
        """Whether a phone that hears it now has time to answer."""
        return mono <= self.dies - gatt.M0_LEAST_SECONDS


class Greetings:
    """Hands out m0, and takes back what was said in vain."""

    def __init__(self, door: Callable[[Suite], LockDoor | None], random: Callable[[int], bytes]) -> None:
        """`door`: of a suite, at this moment; None when there is nothing to shake hands about."""
        self._door = door
        self._random = random
        self._spare: list[Greeting] = []
        self._advert = 0
        self._changed_at = float("-inf")

    def advert(self, mono: float) -> int | None:
        """The advert by which a link comes now; None while one gives way to the next."""
        return self._advert if mono > self._changed_at + CHANGE_SECONDS else None

    def advert_changed(self, mono: float) -> None:
        """A new advert from a new address."""
        self._spare.clear()
        self._advert, self._changed_at = self._advert + 1, mono

    def take(self, suite: Suite, advert: int | None, mono: float) -> Greeting | None:
        """The youngest spare of suite and advert that still lasts, or a new one."""
        door = self._door(suite)
        self._spare = [one for one in self._spare if self._good(one, mono)]
        for number in reversed(range(len(self._spare))):
            if self._spare[number].handshake.door is door and self._spare[number].advert == advert:
                return self._spare.pop(number)
        if door is None:
            return None
        return Greeting(LockHandshake(door, ephemeral=self._random(32)), mono, advert)

    def _good(self, spare: Greeting, mono: float) -> bool:
        """Whether it lasts, and the door is still the one it was made for."""
        made_for = spare.handshake.door
        return spare.lasts(mono) and made_for is self._door(made_for.suite)

    def give_back(self, greeting: Greeting | None) -> None:
        """Its link has ended or wants another: if nobody has tried it, somebody else may."""
        if greeting is not None and greeting.handshake.untried and greeting.advert is not None:
            self._spare = sorted([*self._spare, greeting], key=lambda one: one.born)[-_KEPT:]
