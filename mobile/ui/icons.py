"""Icons drawn by our own hand on a grid of 24 × 24, y upwards: no font and no picture to ship.

A stroke is `line x y x y …`, `loop …` closed, `circle x y r`, `arc x y r from to` in degrees clockwise from
the top, `box x y w h r`, or `dot x y r` filled; strokes are parted by semicolons.
"""

from __future__ import annotations

from functools import cache

from kivy.graphics import Color, Ellipse, Line
from kivy.metrics import dp
from kivy.properties import ColorProperty, NumericProperty, StringProperty
from kivy.uix.widget import Widget

STROKES = {
    "locked": (
        "box 5 3 14 11 2.5; line 8 14 8 16; line 16 14 16 16; arc 12 16 4 -90 90; dot 12 9 1.4; "
        "line 12 9 12 6.6"
    ),
    "unlocked": "box 5 3 14 11 2.5; line 8 14 8 17; arc 12 17 4 -90 70; dot 12 9 1.4; line 12 9 12 6.6",
    "search": (
        "dot 12 12 2; arc 12 12 5.2 40 140; arc 12 12 5.2 220 320; arc 12 12 9 45 135; arc 12 12 9 225 315"
    ),
    "warning": "loop 12 20.5 2.2 3.5 21.8 3.5; line 12 14.5 12 9.5; dot 12 6.6 1.1",
    "cross": "line 5.5 5.5 18.5 18.5; line 5.5 18.5 18.5 5.5",
    "check": "line 4.5 12.5 10 7 19.5 17.5",
    "bluetooth": "line 6.5 16.5 17 7.5 12 3 12 21 17 16.5 6.5 7.5",
    "sync": (
        "arc 12 12 8 -70 60; arc 12 12 8 110 240; line 15.2 17.6 19.4 16.2 20.4 20.4; "
        "line 8.8 6.4 4.6 7.8 3.6 3.6"
    ),
    "offline": "line 4 4 20 20; arc 12 6 5 -45 20; arc 12 6 10 -45 8; arc 12 6 10 30 45; dot 12 6 1.4",
    "today": (
        "box 4 3 16 16 2.5; line 4 14 20 14; line 8.5 21.2 8.5 17.2; line 15.5 21.2 15.5 17.2; "
        "line 8.8 8.6 11 6.6 15.2 10.8"
    ),
    "history": "circle 12 12 9; line 12 17 12 12 15.5 9.8",
    "settings": (
        "line 4 17 12 17; line 18 17 20 17; circle 15 17 2.4; line 4 7 6 7; line 12 7 20 7; circle 9 7 2.4"
    ),
    "help": "circle 12 12 9.5; arc 12 14 3 -90 130; line 14 11.8 12 9.8; dot 12 6.9 1.1",
    "phone": (
        "line 5 20 9 20 10.6 15.6 8.2 13.8 10 11 13.8 8.2 15.6 10.6 20 9 20 5 17.5 3.6 9 7 3.8 17 5 20"
    ),
    "back": "line 14.5 19 7.5 12 14.5 5",
    "next": "line 9.5 19 16.5 12 9.5 5",
    "erase": "loop 8.5 19 21 19 21 5 8.5 5 2.5 12; line 11.5 9 17.5 15; line 11.5 15 17.5 9",
    "gate": (
        "line 3 3 21 3; line 5 3 5 13; line 19 3 19 13; arc 12 13 7 -90 90; line 12 3 12 20; "
        "dot 9.6 9.5 1; dot 14.4 9.5 1"
    ),
    "apartment": "line 3.5 3 20.5 3; line 6 3 6 21 18 21 18 3; dot 14.8 11.5 1.2; dot 12 16.5 0.9",
    "laundry": "box 4.5 3 15 18 2; circle 12 10 4.4; dot 8 17.8 0.9; dot 11 17.8 0.9",
    "common": (
        "line 2.5 3 21.5 3; line 4.5 3 4.5 14; line 19.5 3 19.5 14; "
        "line 2.5 12.5 12 20.5 21.5 12.5; line 9.5 3 9.5 9.5 14.5 9.5 14.5 3"
    ),
    "practice": (
        "loop 2.5 15.5 12 20 21.5 15.5 12 11; line 21.5 15.5 21.5 9.5; "
        "line 6.5 13.5 6.5 8.5 9 6.8 12 6.2 15 6.8 17.5 8.5 17.5 13.5"
    ),
    "key": "circle 8 15.5 4.6; line 11.2 12.2 19.5 4 21.5 6; line 16.4 7.1 18.8 9.5",
    "server": "box 3.5 12.8 17 7.4 2; box 3.5 3.4 17 7.4 2; dot 7.4 16.5 1.1; dot 7.4 7.1 1.1",
    "alarm": (
        "arc 12 13 6 -90 90; line 6 13 6 9.5 4 6.5 20 6.5 18 9.5 18 13; line 10.4 3.4 13.6 3.4; "
        "dot 12 20.3 1.2; line 2.4 15 2.4 18.5; line 21.6 15 21.6 18.5"
    ),
    "sign_out": "line 13.5 4 5 4 5 20 13.5 20; line 10 12 20.5 12; line 16.6 16 20.5 12 16.6 8",
    "eye": (
        "line 2.5 12 5.5 15.6 9 17.6 12 18 15 17.6 18.5 15.6 21.5 12 "
        "18.5 8.4 15 6.4 12 6 9 6.4 5.5 8.4 2.5 12; "
        "circle 12 12 2.8"
    ),
    "eye_shut": (
        "line 2.5 12 5.5 15.6 9 17.6 12 18 15 17.6 18.5 15.6 21.5 12 "
        "18.5 8.4 15 6.4 12 6 9 6.4 5.5 8.4 2.5 12; "
        "circle 12 12 2.8; line 4.5 4.5 19.5 19.5"
    ),
    "bell": (
        "line 4 7 20 7 18 9.5 18 13 16.6 17 14 18.8 12 19.2 10 18.8 7.4 17 6 13 6 9.5 4 7; "
        "arc 12 6.6 2.4 100 260; line 12 19.4 12 21"
    ),
    "find": "circle 10.5 13.5 6.5; line 15.2 8.8 20.5 3.5",
    "person": "circle 12 16 4.2; arc 12 2.4 8 -82 82",
}


@cache
def strokes(name: str) -> list[tuple[str, list[float]]]:
    """An icon's strokes as (kind, numbers)."""
    parts = [stroke.split() for stroke in STROKES[name].split(";")]
    return [(kind, [float(number) for number in numbers]) for kind, *numbers in parts]


class Icon(Widget):
    """One icon, as large as the smaller side of the widget. `thickness` is in units of the 24-grid."""

    name = StringProperty("")
    color = ColorProperty("black")
    thickness = NumericProperty(1.9)

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        self.bind(pos=self._draw, size=self._draw, name=self._draw, color=self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        side = min(self.width, self.height)
        if side <= 0 or not self.name:
            return
        unit = side / 24
        left, bottom = self.center_x - side / 2, self.center_y - side / 2
        with self.canvas:
            Color(*self.color)
            for kind, numbers in strokes(self.name):
                self._stroke(kind, numbers, unit, left, bottom)

    def _stroke(self, kind: str, numbers: list[float], unit: float, left: float, bottom: float) -> None:
        width = max(dp(0.6), self.thickness * unit / 2)
        x, y = left + numbers[0] * unit, bottom + numbers[1] * unit
        if kind in {"line", "loop"}:
            points = [
                (left if place % 2 == 0 else bottom) + number * unit for place, number in enumerate(numbers)
            ]
            Line(points=points, width=width, cap="round", joint="round", close=kind == "loop")
        elif kind == "circle":
            Line(circle=(x, y, numbers[2] * unit), width=width)
        elif kind == "arc":
            Line(circle=(x, y, numbers[2] * unit, numbers[3], numbers[4]), width=width, cap="round")
        elif kind == "box":
            Line(rounded_rectangle=(x, y, *(number * unit for number in numbers[2:5])), width=width)
        else:
            radius = numbers[2] * unit
            Ellipse(pos=(x - radius, y - radius), size=(2 * radius, 2 * radius))
