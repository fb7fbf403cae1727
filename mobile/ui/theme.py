"""The tokens that kv binds to: colours of the palette in use and font sizes at the person's text size."""

from __future__ import annotations

from kivy.event import EventDispatcher
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty

from mobile.ui.palette import DARK, LIGHT, rgba

# Sizes in dp at text size 1.0; the phone's own font setting is taken in through Metrics by `sp` elsewhere.
SIZES = {"display": 34, "headline": 24, "title": 19, "body": 16, "small": 14}
NAV_SCALE_LIMIT = 1.25
"""Three tabs share the phone's width: beyond this their words would not fit, so only icons grow."""


class Theme(EventDispatcher):
    """Made anew for other colours or sizes (`NyckelfriApp.redraw`)."""

    dark = BooleanProperty(False)
    scale = NumericProperty(1.0)

    ground = ColorProperty()
    surface = ColorProperty()
    fill = ColorProperty()
    outline = ColorProperty()
    text = ColorProperty()
    muted = ColorProperty()
    primary = ColorProperty()
    over_primary = ColorProperty()
    soft = ColorProperty()
    over_soft = ColorProperty()
    good = ColorProperty()
    over_good = ColorProperty()
    warn = ColorProperty()
    over_warn = ColorProperty()
    bad = ColorProperty()
    over_bad = ColorProperty()
    running = ColorProperty()
    over_running = ColorProperty()
    stale = ColorProperty()
    over_stale = ColorProperty()
    notice = ColorProperty()
    over_notice = ColorProperty()
    alarm = ColorProperty()
    over_alarm = ColorProperty()

    display = NumericProperty()
    headline = NumericProperty()
    title = NumericProperty()
    body = NumericProperty()
    small = NumericProperty()
    nav = NumericProperty()
    icon = NumericProperty()

    def __init__(self, *, dark: bool = False, scale: float = 1.0) -> None:
        super().__init__()
        self.dark, self.scale = dark, scale
        self._paint()
        self._measure()

    def _paint(self) -> None:
        for name, value in (DARK if self.dark else LIGHT).items():
            setattr(self, name, rgba(value))

    def _measure(self) -> None:
        for name, size in SIZES.items():
            # Large type needs less help than small type, and a phone is narrow.
            growth = self.scale if size < 24 else 1 + (self.scale - 1) * 0.6
            setattr(self, name, dp(size) * growth)
        self.nav = dp(12.5) * min(self.scale, NAV_SCALE_LIMIT)
        self.icon = dp(24) * (1 + (self.scale - 1) * 0.4)
