"""The first login's screen: the pad, a field for a passphrase, whose vault, and removing one."""

from __future__ import annotations

from typing import Any

from kivy.properties import BooleanProperty, ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.ui.frame import ModelScreen
from mobile.ui.rows import Action
from mobile.ui.widgets import Btn, PinKey


class PinStep(BoxLayout):
    """What fills the screen in one mode, with what it shows and whom it tells."""

    view = ObjectProperty(None, allownone=True)
    model = ObjectProperty(None)


class PinInput(PinStep):
    """Where a PIN or a passphrase goes in."""

    def on_view(self, *_: object) -> None:
        """The way out for a PIN that is forgotten, when there is a reason to show it."""
        words = self.view.clear
        ways = [Action("clear", words, kind="plain")] if words else []
        self.ids.ways.show(ways, key=lambda action: action.text, make=lambda _: ClearLine())


class ClearLine(Btn):
    """A plain button in words; `row` is an Action."""

    row = ObjectProperty(None, allownone=True)


class PinPad(PinInput):
    """Digits on a pad."""

    def on_kv_post(self, base_widget: Widget) -> None:
        """The twelve places of the pad."""
        for digit in "123456789":
            self._key(text=digit)
        self.ids.pad.add_widget(Widget())
        self._key(text="0")
        self._key(icon="erase")

    def _key(self, text: str = "", icon: str = "") -> None:
        key = PinKey(text=text, icon=icon)
        key.bind(on_press=lambda _: self.model.press(text) if text else self.model.erase())
        self.ids.pad.add_widget(key)


class PinPhrase(PinInput):
    """A field for a passphrase."""


class PinPeople(PinStep):
    """All whose vaults are on this phone."""

    def on_view(self, *_: object) -> None:
        """One button each, kept as long as the person stays."""
        people = [Action(bearer, words, "person") for bearer, words in self.view.people]
        self.ids.people.show(people, key=lambda action: action.name, make=lambda _: PersonLine())


class PersonLine(Btn):
    """A person to choose; `row` is an Action whose name is the bearer."""

    row = ObjectProperty(None, allownone=True)


class PinClear(PinStep):
    """The question before a vault is removed."""


STEPS = {"pad": PinPad, "phrase": PinPhrase, "people": PinPeople, "clear": PinClear}


class PinScreen(ModelScreen):
    """One mode at a time."""

    phrase = BooleanProperty(False)
    counts_seconds = True

    def refresh(self) -> None:
        """Also the mode's own part."""
        super().refresh()
        self.phrase = self.view.mode == "phrase"
        if not isinstance(self.part, STEPS[self.view.mode]):
            self.ids.place.clear_widgets()
            self.ids.place.add_widget(STEPS[self.view.mode](model=self.model))
        self.part.view = self.view

    @property
    def part(self) -> Any:
        """The widget of the mode, or None before the first refresh."""
        return self.ids.place.children[0] if self.ids.place.children else None

    def open(self) -> None:
        """Try, and forget what was typed."""
        typed = self.part.ids.phrase.text if self.phrase else ""
        if self.phrase:
            self.part.ids.phrase.clear()
        self.model.open(typed)

    def back(self) -> bool:
        """No to the question, or to changing persons."""
        return bool(self.model.back())

    def on_leave(self, *_: object) -> None:
        """Nothing typed stays behind."""
        self.ids.place.clear_widgets()
