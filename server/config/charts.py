"""Charts of the start page: each app registers its own in a module `charts`.

Drawn as SVG on the server: no script, readable without colours, with the figures as a table below. A chart is
kept for a few minutes per viewer, for nobody decides anything from the last minute's bar.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import get_language
from django_scopes.state import get_scope

if TYPE_CHECKING:
    from server.people.models import User

KEPT_S = 300
WIDTH, HEIGHT, FLOOR, TOP, LEFT = 520, 180, 146, 18, 36
MOST_LABELS = 8


@dataclass(frozen=True)
class Mark:
    """One bar or point, in the drawing's own units."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: str
    shown: bool
    """Whether there is room for its label."""


@dataclass(frozen=True)
class BarChart:
    """One bar a label; a value of None is a gap, not a zero."""

    title: str | Promise
    bars: Sequence[tuple[str, float | None]]
    unit: str | Promise = ""
    note: str | Promise = ""
    url: str = ""
    kind: ClassVar[str] = "bar"

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The figures as a table."""
        return [(label, [_text(value)]) for label, value in self.bars]

    @property
    def heads(self) -> list[str]:
        """The table's columns."""
        return [str(self.unit)]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not any(value for _label, value in self.bars)

    @property
    def top(self) -> str:
        """The value of the highest line."""
        return _text(_ceiling(value for _label, value in self.bars))

    @property
    def marks(self) -> list[Mark]:
        """The bars."""
        return _marks(self.bars, _ceiling(value for _label, value in self.bars))


@dataclass(frozen=True)
class LineChart:
    """Several lines over the same labels; a value of None breaks the line."""

    title: str | Promise
    labels: Sequence[str]
    series: Sequence[tuple[str | Promise, Sequence[float | None]]]
    unit: str | Promise = ""
    note: str | Promise = ""
    url: str = ""
    kind: ClassVar[str] = "line"

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The figures as a table."""
        columns = [values for _name, values in self.series]
        return [(label, [_text(column[n]) for column in columns]) for n, label in enumerate(self.labels)]

    @property
    def heads(self) -> list[str]:
        """The table's columns."""
        return [str(name) for name, _values in self.series]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return all(value is None for _name, values in self.series for value in values)

    @property
    def top(self) -> str:
        """The value of the highest line."""
        return _text(self._top)

    @property
    def _top(self) -> float:
        return _ceiling(value for _name, values in self.series for value in values)

    @property
    def marks(self) -> list[Mark]:
        """Where the labels stand."""
        return _marks([(label, None) for label in self.labels], self._top)

    @property
    def lines(self) -> list[tuple[str, list[str], list[Mark]]]:
        """Each line's name, its unbroken pieces as points, and its marks."""
        drawn = []
        for name, values in self.series:
            marks = _marks(list(zip(self.labels, values, strict=True)), self._top)
            drawn.append((str(name), _pieces(marks), [mark for mark in marks if mark.value != "–"]))
        return drawn


Chart = BarChart | LineChart
Maker = Callable[[datetime], Chart | None]
_makers: list[tuple[str, Maker]] = []


def chart(*, permission: str) -> Callable[[Maker], Maker]:
    """Register a function that returns a chart, or None when there is nothing to draw."""

    def register(maker: Maker) -> Maker:
        _makers.append((permission, maker))
        return maker

    return register


def charts_for(user: User, *, at: datetime) -> list[Chart]:
    """Return the charts this person may see; must run in the person's scope."""
    made = [_kept(maker, at) for permission, maker in _makers if user.has_perm(permission)]
    return [one for one in made if one is not None and not one.empty]


def _kept(maker: Maker, at: datetime) -> Chart | None:
    """Return the chart made at most a few minutes ago for the same viewer, or make it now."""
    scope = {name: getattr(value, "pk", value) for name, value in get_scope().items()}
    named = f"{maker.__module__}.{maker.__name__}:{sorted(scope.items())}:{get_language()}"
    key = "chart:" + hashlib.sha256(named.encode()).hexdigest()
    found: tuple[Chart | None] | None = cache.get(key)
    if found is None:
        found = (maker(at),)
        cache.set(key, found, KEPT_S)
    return found[0]


def _text(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if value == int(value) else f"{value:.1f}".replace(".", ",")


def _ceiling(values: Iterable[float | None]) -> float:
    """Return a round number no value lies above, at least 1."""
    highest = max((value for value in values if value is not None), default=0)
    step = 1.0
    while step * 10 < highest:
        step *= 10
    return next(step * part for part in (1, 2, 2.5, 5, 10) if step * part >= highest)


def _marks(bars: Sequence[tuple[str, float | None]], top: float) -> list[Mark]:
    wide = (WIDTH - LEFT) / max(len(bars), 1)
    every = -(-len(bars) // MOST_LABELS)
    marks = []
    for place, (label, value) in enumerate(bars):
        high = round((value or 0) / top * (FLOOR - TOP), 1)
        x = round(LEFT + wide * (place + 0.14), 1)
        shown = place % every == 0
        marks.append(
            Mark(x, round(FLOOR - high, 1), round(wide * 0.72, 1), high, str(label), _text(value), shown)
        )
    return marks


def _pieces(marks: Sequence[Mark]) -> list[str]:
    pieces: list[list[str]] = [[]]
    for mark in marks:
        if mark.value == "–":
            pieces.append([])
        else:
            pieces[-1].append(f"{mark.x + mark.width / 2:.1f},{mark.y}")
    return [" ".join(piece) for piece in pieces if len(piece) > 1]
