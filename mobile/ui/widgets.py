"""The few building blocks of all screens: buttons, choices, keys of the pad, keyed lists."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

from kivy.core.text import Label as CoreLabel
from kivy.graphics import Color, SmoothEllipse
from kivy.input.motionevent import MotionEvent
from kivy.metrics import dp
from kivy.properties import (
    BooleanProperty,
    ColorProperty,
    ListProperty,
    NumericProperty,
    ObjectProperty,
    StringProperty,
)
from kivy.uix.behaviors import ButtonBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout
from kivy.uix.label import Label
from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from mobile.ui import tremble

MIN_TARGET = 48
"""dp; the opening button has 72 at least."""


class Txt(Label):
    """Text that wraps to its width and is as high as it needs to be."""


class Card(BoxLayout):
    """A rounded surface as high as its content."""

    fill = ColorProperty()


class Shy:
    """Lets a finger through while it is hidden: Kivy's disabled widgets swallow touches, unseen ones too."""

    def on_touch_down(self, touch: MotionEvent) -> bool:
        """Only what can be seen can be touched."""
        me: Any = self
        if me.opacity == 0 or me.width < 1 or me.height < 1:
            return False
        return bool(super().on_touch_down(touch))  # type: ignore[misc]


class Tappable(Shy, ButtonBehavior, BoxLayout):
    """Anything a finger can press; `pressed` dims it, `disabled` takes the finger away."""

    fill = ColorProperty([0, 0, 0, 0])
    radius = NumericProperty(dp(16))
    again_at_once = False
    """True where one taps quickly, time after time."""

    def on_touch_down(self, touch: MotionEvent) -> bool:
        """A double tap is one tap, whatever lies here by now."""
        if not self.again_at_once and self.collide_point(*touch.pos) and tremble.trembles(touch):
            return True
        return bool(super().on_touch_down(touch))

    def on_release(self) -> None:
        """Carried out."""
        if self.last_touch is not None:
            tremble.lifted(self.last_touch)


class Btn(Tappable):
    """A button: icon and words in the middle, wrapping rather than cutting."""

    text = StringProperty("")
    icon = StringProperty("")
    kind = StringProperty("primary")
    ink = ColorProperty([1, 1, 1, 1])
    font_size = NumericProperty(16)
    min_height = NumericProperty(dp(56))
    icon_size = NumericProperty(0)

    def on_kv_post(self, base_widget: Widget) -> None:
        """Measure the words whenever they, their size or the room for them change."""
        for name in ("text", "font_size", "width", "icon", "icon_size", "min_height"):
            self.fbind(name, self._fit)
        self._fit()

    def _fit(self, *_: object) -> None:
        label = self.ids.get("words")
        if label is None or self.width <= 0:
            return
        beside = (self.icon_size + dp(10)) if self.icon else 0
        room = max(dp(20), self.width - dp(32) - beside)
        natural = text_width(self.text, self.font_size, bold=True)
        label.text_size = (room, None) if natural > room else (None, None)
        label.halign = "left" if self.icon else "center"
        label.texture_update()
        label.size = label.texture_size
        self.height = max(self.min_height, label.height + dp(24))


class Choice(Tappable):
    """One of several: filled when chosen."""

    text = StringProperty("")
    value = StringProperty("")
    chosen = BooleanProperty(False)


class Choices(GridLayout):
    """A row of choices that folds into more rows when the words are too large for one."""

    options = ListProperty()
    value = StringProperty("")
    font_size = NumericProperty(16)
    __events__ = ("on_choose",)

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        self.bind(options=self._build, value=self._mark, width=self._fold, font_size=self._fold)

    def on_choose(self, value: str) -> None:
        """A finger chose `value`."""

    def _build(self, *_: object) -> None:
        self.clear_widgets()
        for value, text in self.options:
            choice = Choice(value=value, text=text, chosen=value == self.value)
            choice.bind(on_release=lambda tapped: self.dispatch("on_choose", tapped.value))
            self.add_widget(choice)
        self._fold()

    def _mark(self, *_: object) -> None:
        for choice in self.children:
            choice.chosen = choice.value == self.value

    def _fold(self, *_: object) -> None:
        widest = max((text_width(text, self.font_size, bold=True) for _, text in self.options), default=0)
        fits = int(self.width // (widest + dp(28))) if widest else 1
        count = max(1, len(self.options))
        self.cols = max(1, min(count, fits if fits >= count or fits < 3 else count // 2))


class PinKey(Tappable):
    """One key of the pad: a digit, or an icon."""

    again_at_once = True
    text = StringProperty("")
    icon = StringProperty("")


class Dots(Widget):
    """How many digits there are, never which."""

    filled = NumericProperty(0)
    places = NumericProperty(6)
    ink = ColorProperty()
    hollow = ColorProperty()

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        for name in ("pos", "size", "filled", "places", "ink", "hollow"):
            self.fbind(name, self._draw)

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        wide = min(dp(14), self.width / (2 * self.places))
        left = self.center_x - (2 * self.places - 1) * wide / 2
        with self.canvas:
            for place in range(int(self.places)):
                Color(*(self.ink if place < self.filled else self.hollow))
                SmoothEllipse(pos=(left + 2 * place * wide, self.center_y - wide / 2), size=(wide, wide))


class Entry(TextInput):
    """A text field of the theme."""


class Field(Shy, BoxLayout):
    """A label above a text field, its hint inside."""

    label = StringProperty("")
    hint = StringProperty("")
    text = StringProperty("")
    secret = BooleanProperty(False)
    seen = BooleanProperty(False)
    """What is secret may be looked at, by whoever typed it."""
    kind = StringProperty("text")
    __events__ = ("on_enter",)

    def on_enter(self) -> None:
        """The keyboard's enter key."""

    def clear(self) -> None:
        """Forget what was typed."""
        self.ids.entry.text, self.seen = "", False


class Banner(Shy, BoxLayout):
    """A coloured line of news with an icon."""

    text = StringProperty("")
    icon = StringProperty("warning")
    fill = ColorProperty()
    ink = ColorProperty()


class KeyedBox(BoxLayout):
    """A list that keeps a widget as long as its item stays, so nothing is rebuilt under a finger.

    Only the first `limit` items have widgets; `grow` gives more of them theirs, so that a long list costs no
    more than what has been looked at.
    """

    limit = NumericProperty(1000)

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        self._by_key: dict[Hashable, Any] = {}
        self._again: Callable[[], None] | None = None
        self._length = self._grown = 0

    def show(
        self,
        items: Sequence[Any],
        key: Callable[[Any], Hashable],
        make: Callable[[Any], Widget],
        row: Callable[[Any], Any] = lambda item: item,
    ) -> None:
        """Show `items` in order, made by `make(item)` once; each widget gets `row(item)` in `row`."""
        self._again, self._length = lambda: self.show(items, key, make, row), len(items)
        wanted = {key(item): item for item in items[: int(self.limit) + self._grown]}
        for gone in [k for k in self._by_key if k not in wanted]:
            self.remove_widget(self._by_key.pop(gone))
        for item_key, item in wanted.items():
            if item_key not in self._by_key:
                self._by_key[item_key] = make(item)
            self._by_key[item_key].row = row(item)
        order = [self._by_key[item_key] for item_key in wanted]
        shown = list(reversed(self.children))
        if shown != order[: len(shown)]:
            self.clear_widgets()
            shown = []
        for widget in order[len(shown) :]:
            self.add_widget(widget)

    def grow(self) -> None:
        """Somebody has come to the end of what is shown."""
        if self._again is not None and self._length > self.limit + self._grown:
            self._grown += int(self.limit)
            self._again()

    def forget(self) -> None:
        """Keep nothing."""
        self._by_key.clear()
        self.clear_widgets()
        self._again, self._grown = None, 0

    def shrink(self) -> None:
        """From the top again."""
        self._grown = 0


class Page(ScrollView):
    """What scrolls. At its end the list `grows` grows, and what one is reading stays where it is."""

    grows = ObjectProperty(None, allownone=True)
    scroll_y: float

    def on_scroll_y(self, *_: object) -> None:
        """Two finger's breadths before the end, more is made ready."""
        below = self.scroll_y * max(0.0, self.children[0].height - self.height) if self.children else 0
        if self.grows is not None and below < self.height:
            self.grows.grow()

    def add_widget(self, widget: Widget, *args: object, **properties: object) -> None:
        """Remember how high the content is."""
        super().add_widget(widget, *args, **properties)
        self._high = widget.height
        widget.bind(height=self._hold)

    def _hold(self, _: Widget, high: float) -> None:
        """Kivy keeps the share that is scrolled; a reader wants the distance from the top kept."""
        before, after = self._high - self.height, high - self.height
        self._high = high
        scrolled = 1 - self.scroll_y
        if scrolled > 0 and before > 0 and after > 0:
            self.scroll_y = max(0.0, 1 - scrolled * before / after)


def text_width(text: str, font_size: float, *, bold: bool = False) -> float:
    """Pixels that the widest line of a text needs when nothing wraps."""
    label = CoreLabel(font_size=font_size, bold=bold)
    return max((float(label.get_extents(line)[0]) for line in text.split("\n")), default=0.0)
