"""The rows of the lists. Each has its item in `row`; kv does the rest."""

from __future__ import annotations

from dataclasses import dataclass

from kivy.properties import ColorProperty, ObjectProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout

from mobile.ui.widgets import Btn, Card, Tappable, Txt


@dataclass(frozen=True, slots=True)
class Action:
    """A button in words: `name` goes to `NyckelfriApp.act`."""

    name: str
    text: str
    icon: str = ""
    strong: bool = False
    kind: str = "soft"


@dataclass(frozen=True, slots=True)
class Empty:
    """A designed empty state, with what to do about it."""

    icon: str
    title: str
    text: str
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Words in a list that are neither its heading nor one of its items."""

    text: str
    asks: bool = False


class HeadingLine(Txt):
    """A heading in a list; `row` is its words."""

    row = ObjectProperty("", allownone=True)


class NoteLine(Txt):
    """`row` is a Note."""

    row = ObjectProperty(None, allownone=True)


class NoticeLine(Btn):
    """News that can be pressed; `row` is an Action."""

    row = ObjectProperty(None, allownone=True)


class LinkLine(Tappable):
    """A row that leads to a screen of its own; `row` is an Action."""

    row = ObjectProperty(None, allownone=True)


class EmptyCard(Card):
    """`row` is an Empty."""

    row = ObjectProperty(None, allownone=True)

    def on_row(self, *_: object) -> None:
        """At most one button."""
        actions = [self.row.action] if self.row.action else []
        self.ids.actions.show(actions, key=lambda action: action.name, make=lambda _: NoticeLine())


class DoorLine(Tappable):
    """A door in a visit; `row` is a DoorRow."""

    row = ObjectProperty(None, allownone=True)


class FoundLine(Card):
    """A door that was searched for; `row` is a DoorRow."""

    row = ObjectProperty(None, allownone=True)


class NearCard(Card):
    """A door nearby with its opening button: one tap opens. `row` is a DoorRow."""

    row = ObjectProperty(None, allownone=True)


class VisitBox(Card):
    """A visit and its doors; `row` is a VisitCard."""

    row = ObjectProperty(None, allownone=True)

    def on_row(self, *_: object) -> None:
        """The doors of the visit, each kept as long as it stays."""
        self.ids.doors.show(self.row.rows, key=lambda row: row.door_id, make=lambda _: DoorLine())


class ToneDot(AnchorLayout):
    """An icon on the colour of its class."""

    tone = StringProperty("running")
    icon = StringProperty("")


class HistoryLine(BoxLayout):
    """One tap of the past; `row` is a HistoryRow."""

    row = ObjectProperty(None, allownone=True)


class FactLine(BoxLayout):
    """A label and a value; `row` is that pair."""

    row = ObjectProperty(None, allownone=True)


class CallLine(Btn):
    """A number to call; `row` is (number, words)."""

    row = ObjectProperty(None, allownone=True)


class PointLine(BoxLayout):
    """One sentence of a list; `row` is its words."""

    row = ObjectProperty("", allownone=True)
    icon = StringProperty("check")


class RoutineLine(BoxLayout):
    """A numbered step; `row` is (number, words)."""

    row = ObjectProperty(None, allownone=True)


class ResultButton(Btn):
    """A button on full colour: `paint` is the ink of the screen, `paper` its colour. `row` is an Action."""

    row = ObjectProperty(None, allownone=True)
    paint = ColorProperty([1, 1, 1, 1])
    paper = ColorProperty([0, 0, 0, 1])
