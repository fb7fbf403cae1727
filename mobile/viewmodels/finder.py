"""Alla dörrar: every door of this phone, found by a few letters. Made for a night patrol's 4 000."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from mobile.engine.state import DoorView, Nearby, Stage
from mobile.viewmodels import doors
from mobile.viewmodels.doors import DoorRow
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session

MOST = 60
"""Rows at most: who wants more types another letter."""


@dataclass(frozen=True, slots=True)
class FinderView:
    """`rows` are the doors to show, `count` says how many there are and whether more letters would help."""

    rows: tuple[DoorRow, ...] = ()
    count: str = ""
    any_doors: bool = False


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """As one types in a hurry: small letters, and no dots or rings over them."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


SWEDISH = str.maketrans({"å": "{", "ä": "|", "ö": "}"})
"""Å, ä and ö come last, in that order, like the three signs that follow z."""


@lru_cache(maxsize=8192)
def street_order(address: str) -> tuple[tuple[int, int | str], ...]:
    """Kungsgatan 9 before Kungsgatan 10, and Åsgatan after both."""
    parts = re.findall(r"\d+|\D+", address.casefold().translate(SWEDISH))
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts)


def matches(door: DoorView, words: list[str]) -> bool:
    """Whether each word begins a word of the address, or the door's label, entrance or number."""
    text = f" {folded(door.address)} {folded(door.label)} {folded(door.entrance)} {folded(door.number)}"
    return all(f" {word}" in text for word in words)


class FinderModel:
    """What was typed is kept while the vault is open: one comes back from a door to the same list."""

    def __init__(self, session: Session, navigation: Navigation) -> None:
        self._session, self._navigation = session, navigation
        self._typed = ""
        self._shown: tuple[str, list[str]] = ("", [])
        self._known: tuple[int, str, list[str]] = (0, "", [])
        session.listen(self._follow)

    def view(self) -> FinderView:
        """What to show now."""
        state, texts, now = self._session.state, self._session.texts, self._session.now()
        found = self._found()
        shown = [state.doors[door_id] for door_id in self._in_order(found) if door_id in state.doors]
        count = texts.count("finder.found", len(found))
        return FinderView(
            rows=tuple(doors.row(door, texts, now, address=True) for door in shown),
            count=texts.tr("finder.more", count=count, shown=MOST) if len(found) > MOST else count,
            any_doors=bool(state.doors),
        )

    def type(self, text: str) -> None:
        """Another letter."""
        if text != self._typed:
            self._typed = text
            self._session.changed()

    def _follow(self) -> None:
        if self._session.state.stage is not Stage.UNLOCKED:
            self._typed, self._known, self._shown = "", (0, "", []), ("", [])

    def _in_order(self, found: list[str]) -> list[str]:
        """Nearby doors first, then by street and number; under a finger nothing moves."""
        if not (self._navigation.touched and self._shown[0] == self._typed):
            heard = [door.id for door in self._session.state.doors.values() if door.nearby is not Nearby.NO]
            first = [door_id for door_id in found if door_id in heard] if heard else []
            rest = [door_id for door_id in found[: MOST + len(first)] if door_id not in first]
            self._shown = (self._typed, (first + rest)[:MOST])
        return self._shown[1]

    def _found(self) -> list[str]:
        """Ids of the doors that match, in order; sorted anew only when doors come or go."""
        state_doors = self._session.state.doors
        known = (hash(frozenset(state_doors)), self._typed)
        if known != self._known[:2]:
            words = folded(self._typed).split()
            found = [door for door in state_doors.values() if matches(door, words)]
            found.sort(key=lambda d: (street_order(d.address), doors.KIND_ORDER[d.kind], d.number, d.id))
            self._known = (*known, [door.id for door in found])
        return self._known[2]
