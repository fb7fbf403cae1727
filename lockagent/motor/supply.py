"""What four AA cells still hold, told from their voltage while the motor turns.

The tables say what a pack of four reads under the load of a lock's motor, about half an ampere, at room
temperature. They follow the shape of the makers' discharge curves at 500 mA (Energizer E91 alkaline, L91
lithium): alkaline falls evenly and warns in good time; lithium stays flat and then drops, so its early
warning comes late however it is read. Cold lowers every reading, which warns too early rather than too
late. A maker of locks measures its own motor and gear and puts its own table here.
"""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum


class Cells(Enum):
    """What the battery is made of."""

    ALKALINE = "alkaline"
    LITHIUM = "lithium"


CURVES: dict[Cells, tuple[tuple[int, int], ...]] = {
    Cells.ALKALINE: (
        (3600, 0),
        (3900, 5),
        (4100, 10),
        (4350, 20),
        (4600, 35),
        (4850, 50),
        (5200, 75),
        (5800, 100),
    ),
    Cells.LITHIUM: (
        (4000, 0),
        (4700, 5),
        (5000, 10),
        (5250, 20),
        (5400, 35),
        (5500, 50),
        (5650, 75),
        (5900, 100),
    ),
}
"""Millivolts of the pack under load, and percent; between two points it is a straight line."""


def percent(millivolts: float, cells: Cells) -> int:
    """Return the charge left, 0 to 100, rounded down."""
    curve = CURVES[cells]
    at = bisect_right(curve, millivolts, key=lambda point: point[0])
    if at == 0:
        return 0
    if at == len(curve):
        return 100
    (low, least), (high, most) = curve[at - 1], curve[at]
    return int(least + (millivolts - low) * (most - least) / (high - low))
