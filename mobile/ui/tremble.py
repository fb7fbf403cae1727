"""One tap that a hand made into two: the second lands where the first did, a moment after it was lifted.

By then something else may lie there: the yes to a question nobody has read, or the way back from a result.
So the second is taken for a part of the first, except where one taps on and on, as on the pad of the PIN.
"""

from __future__ import annotations

import time

from kivy.core.window import Window
from kivy.input.motionevent import MotionEvent
from kivy.metrics import dp

TREMBLE_S = 0.35
NEAR_DP = 24

_lifted: list[tuple[float, float, float]] = []


def lifted(touch: MotionEvent) -> None:
    """A tap has been carried out here and now."""
    _lifted[:] = [(time.monotonic(), *_place(touch))]


def trembles(touch: MotionEvent) -> bool:
    """Whether this touch belongs to the tap before it."""
    return left_of_it(*_place(touch)) > 0


def left_of_it(x: float, y: float) -> float:
    """Seconds until a tap at this place of the window is one of its own."""
    if not _lifted:
        return 0.0
    at, old_x, old_y = _lifted[0]
    near = abs(x - old_x) < dp(NEAR_DP) and abs(y - old_y) < dp(NEAR_DP)
    return max(0.0, at + TREMBLE_S - time.monotonic()) if near else 0.0


def _place(touch: MotionEvent) -> tuple[float, float]:
    """On the window, however far the page under it is scrolled."""
    return touch.sx * Window.width, touch.sy * Window.height
