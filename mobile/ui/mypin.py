"""The screen about the person's PIN and their place on this phone, and the lock that falls by itself."""

from __future__ import annotations

from typing import Any

from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from mobile.ui.frame import ModelScreen
from mobile.ui.part import Part, Shell
from mobile.ui.rows import Action
from mobile.viewmodels.idle import IdleLock
from mobile.viewmodels.mypin import MyPinModel


class MyPinStep(BoxLayout):
    """One part of the screen, with what it shows and whom it tells."""

    view = ObjectProperty(None, allownone=True)
    model = ObjectProperty(None)


class MyPinAll(MyPinStep):
    """Everything."""


class MyPinChange(MyPinStep):
    """Old, new, and new once more."""


class MyPinLeave(MyPinStep):
    """The question before leaving."""


STEPS = {"": MyPinAll, "pin": MyPinChange, "leave": MyPinLeave}


class MyPinScreen(ModelScreen):
    """One step at a time."""

    step = StringProperty("")

    def refresh(self) -> None:
        """Also the step's own part; a new step starts with empty fields, at its top."""
        super().refresh()
        self.step = self.view.step
        if not isinstance(self.part, STEPS[self.step]):
            self.ids.place.clear_widgets()
            self.ids.place.add_widget(STEPS[self.step](view=self.view, model=self.model))
            self.ids.page.scroll_y = 1
        self.part.view = self.view

    @property
    def part(self) -> Any:
        """The widget of the step, or None before the first refresh."""
        return self.ids.place.children[0] if self.ids.place.children else None

    def change(self) -> None:
        """Hand the three over and forget them at once."""
        fields = [self.part.ids[name] for name in ("old", "new", "again")]
        typed = [field.text for field in fields]
        for field in fields:
            field.clear()
        self.model.change(*typed)

    def back(self) -> bool:
        """To everything."""
        within = bool(self.step)
        self.model.cancel()
        return within

    def on_leave(self, *_: object) -> None:
        """Nothing typed stays behind, and the next visit begins anew."""
        self.ids.place.clear_widgets()
        self.model.cancel()


def part(shell: Shell) -> Part:
    """The screen, its row in the settings, and the lock that falls by itself."""
    session, taps, navigation = shell.session, shell.taps, shell.navigation
    idle = IdleLock(session, lambda: taps.running or navigation.touched)
    return Part(
        kv=("mypin",),
        screens={MyPinScreen: MyPinModel(session, navigation)},
        links=lambda: [Action("go:mypin", session.texts.tr("mypin.title"), "key")],
        tick=idle.tick,
        touched=idle.touched,
    )
