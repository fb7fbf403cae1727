"""The frame around every screen: sync bar, tabs, and what all screens share."""

from __future__ import annotations

from typing import Any

from kivy.properties import BooleanProperty, ColorProperty, ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.screenmanager import Screen

from mobile.ui.widgets import KeyedBox, Shy, Tappable


class Root(BoxLayout):
    """Sync bar on top, one screen, tabs below."""


class SyncBar(Tappable):
    """Always visible on an enrolled phone."""

    view = ObjectProperty(None, allownone=True)
    tone = StringProperty("fine")


class Strip(Tappable):
    """One line that must not be forgotten, such as an alarm; `view` has text, detail, icon and act."""

    view = ObjectProperty(None, allownone=True)


class NavBar(Shy, BoxLayout):
    """Three tabs in the thumb's reach."""

    shown = BooleanProperty(False)


class NavItem(Tappable):
    """One tab."""

    name = StringProperty("today")
    text = StringProperty("")
    lit = BooleanProperty(False)
    ink = ColorProperty()


class Mark(BoxLayout):
    """The app's mark: a key on petrol."""


class ModelScreen(Screen):
    """Base: `view` is what the model says now; equal views change nothing."""

    view = ObjectProperty(None, allownone=True)
    counts_seconds = False
    """True for a screen that must be painted every second: a countdown runs on it."""

    def __init__(self, model: Any) -> None:
        self.model = model
        super().__init__()

    def refresh(self) -> None:
        """Show the newest state."""
        self.view = self.model.view()

    def forget(self) -> None:
        """The vault is shut: no widget keeps an address."""
        if self.view is None:
            return
        self.view = None
        for widget in self.walk(restrict=True):
            if isinstance(widget, KeyedBox):
                widget.forget()

    def back(self) -> bool:
        """The back key: leave a question or a step of this screen; False when there is none to leave."""
        return False

    def on_leave(self, *_: object) -> None:
        """Nothing typed stays behind."""
