"""What needs attention today: each app registers cards for the start page in a module `attention`.

A card is worked out inside the viewer's own scope, so a coordinator's numbers are the coordinator's own. It
costs a query or two, whatever the size of the municipality.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    from server.people.models import User


class Tone(StrEnum):
    """How much it matters; also the order on the page."""

    BAD = "bad"
    WARN = "warn"
    INFO = "info"
    OK = "ok"


@dataclass(frozen=True)
class Card:
    """A number, what it counts and where it is handled."""

    title: str | Promise
    count: int
    url: str
    tone: str = Tone.WARN
    hint: str | Promise = ""


Maker = Callable[[datetime], Card | None]
_makers: list[tuple[str, Maker]] = []
_ORDER = {tone: place for place, tone in enumerate(Tone)}


def card(*, permission: str) -> Callable[[Maker], Maker]:
    """Register a function that returns a card, or None when there is nothing to attend to."""

    def register(maker: Maker) -> Maker:
        _makers.append((permission, maker))
        return maker

    return register


def cards_for(user: User, *, at: datetime) -> list[Card]:
    """Return what this person should look at, the worst first; must run in the person's scope."""
    found = [maker(at) for permission, maker in _makers if user.has_perm(permission)]
    return sorted((one for one in found if one is not None), key=lambda one: _ORDER[Tone(one.tone)])
