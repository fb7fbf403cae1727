"""Who is nearest, from the plan and the last passage, never from a position; and the words for why.

Everything here is pure: signs of where somebody is come in, an order with its grounds comes out. A sign says
where somebody was to be (a visit under way) or where a lock met the person's phone (a passage). The latest
sign counts. A passage older than `FRESH` is no sign any longer: nobody stands at a door for an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FRESH = timedelta(hours=1)
LOOK_AHEAD = timedelta(hours=2)
"""How far ahead a planned visit nearby says that somebody will come that way anyway."""
LONGEST_CALL_AGE = timedelta(hours=1)
CLOCK_SLACK = timedelta(minutes=2)
"""How far an alarm system's clock may be ahead of ours."""


@dataclass(frozen=True)
class Spot:
    """Where a door is, as coarsely as it is known."""

    address: str
    estate: int
    area: str


class Nearness(IntEnum):
    """How near, best first."""

    ADDRESS = 1
    ESTATE = 2
    AREA = 3
    LATER = 4
    """Not now, but a visit within `LOOK_AHEAD` is at the same property or in the same area."""
    UNKNOWN = 5


@dataclass(frozen=True)
class Sign:
    """Where somebody was or will be, since or from when; `passage` when a lock said so, else the plan."""

    spot: Spot
    at: datetime
    passage: bool = False


@dataclass(frozen=True)
class Candidate:
    """One person on duty who may respond."""

    staff: int
    signs: tuple[Sign, ...] = ()
    """Visits under way, and the last passage."""
    later: tuple[Sign, ...] = ()
    """Visits that have not begun."""
    visiting: bool = False
    """In the middle of a planned visit, which an alarm would interrupt."""
    busy: bool = False
    """On the way to another alarm."""


@dataclass(frozen=True)
class Ranked:
    """Somebody's place in the order, and why, as plain values that can be stored."""

    staff: int
    nearness: Nearness
    grounds: tuple[dict[str, Any], ...]


def nearness_of(spot: Spot, goal: Spot) -> Nearness:
    """Return how near one door is to another, by what is written about them."""
    if spot.estate == goal.estate:
        return Nearness.ADDRESS if spot.address == goal.address else Nearness.ESTATE
    return Nearness.AREA if goal.area and spot.area == goal.area else Nearness.UNKNOWN


def rank(candidates: Iterable[Candidate], goal: Spot | None, *, at: datetime) -> list[Ranked]:
    """Return everybody, nearest first, with the grounds.

    Whoever is on the way to another alarm comes last. Between equals goes who is not in a visit, then who
    comes that way soonest, then who has the fewest visits ahead.
    """
    weighed = [_weigh(one, goal, at) for one in candidates]
    return [ranked for _key, ranked in sorted(weighed, key=lambda pair: pair[0])]


def _weigh(one: Candidate, goal: Spot | None, at: datetime) -> tuple[tuple[Any, ...], Ranked]:
    nearness, sign = _nearest(one, goal, at)
    grounds = [_ground(nearness, sign)]
    if one.busy:
        grounds.append({"what": "busy"})
    if one.visiting:
        grounds.append({"what": "visiting"})
    wait = max(sign.at - at, timedelta()) if sign else timedelta()
    key = (one.busy, nearness, one.visiting, wait, len(one.later), one.staff)
    return key, Ranked(one.staff, nearness, tuple(grounds))


def _nearest(one: Candidate, goal: Spot | None, at: datetime) -> tuple[Nearness, Sign | None]:
    fresh = [sign for sign in one.signs if not sign.passage or sign.at > at - FRESH]
    now = max(fresh, key=lambda sign: sign.at, default=None)
    if goal is None:
        return Nearness.UNKNOWN, None
    if now is not None and (found := nearness_of(now.spot, goal)) < Nearness.UNKNOWN:
        return found, now
    ahead = (
        sign
        for sign in sorted(one.later, key=lambda sign: sign.at)
        if sign.at <= at + LOOK_AHEAD and nearness_of(sign.spot, goal) < Nearness.UNKNOWN
    )
    coming = next(ahead, None)
    return (Nearness.UNKNOWN, None) if coming is None else (Nearness.LATER, coming)


_NAMES = {
    Nearness.ADDRESS: "address",
    Nearness.ESTATE: "estate",
    Nearness.AREA: "area",
    Nearness.LATER: "later",
}


def _ground(nearness: Nearness, sign: Sign | None) -> dict[str, Any]:
    if sign is None:
        return {"what": "no_sign"}
    by = "passage" if sign.passage else "visit"
    return {"what": f"{_NAMES[nearness]}_{by}", "at": sign.at.isoformat()}


WORDS: Mapping[str, str | Promise] = {
    "address_passage": _("opened a door at the same address at %(at)s"),
    "address_visit": _("in a visit at the same address since %(at)s"),
    "estate_passage": _("opened a door in the same property at %(at)s"),
    "estate_visit": _("in a visit in the same property since %(at)s"),
    "area_passage": _("opened a door in the same area at %(at)s"),
    "area_visit": _("in a visit in the same area since %(at)s"),
    "later_visit": _("has a visit nearby at %(at)s"),
    "no_sign": _("nothing says that this person is near"),
    "busy": _("is on the way to another alarm"),
    "visiting": _("is in the middle of a visit"),
    "by_hand": _("chosen by the patrol"),
}


def in_words(grounds: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return why somebody has that place, for the patrol to read; times are local."""
    return [_in_words(ground) for ground in grounds if ground.get("what") in WORDS]


def _in_words(ground: Mapping[str, Any]) -> str:
    moment = parse_datetime(ground["at"]) if "at" in ground else None
    said = f"{timezone.localtime(moment):%H:%M}" if moment else ""
    return str(WORDS[ground["what"]]) % {"at": said}


def call_is_plausible(raised_at: datetime, *, at: datetime) -> bool:
    """Return whether an alarm system's time of the call can be believed."""
    return at - LONGEST_CALL_AGE <= raised_at <= at + CLOCK_SLACK
