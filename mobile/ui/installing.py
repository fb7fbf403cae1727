"""Montering: today's orders, the label, the steps as they happen, and what came of it."""

from __future__ import annotations

from kivy.properties import ObjectProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from mobile.ui.frame import ModelScreen
from mobile.ui.part import Part, Shell
from mobile.ui.rows import Action
from mobile.ui.widgets import Tappable
from mobile.viewmodels.installing import InstallModel


class OrderLine(Tappable):
    """One order; `row` is an OrderRow."""

    row = ObjectProperty(None, allownone=True)


class StepPoint(BoxLayout):
    """A step that has begun; `row` is a DoneStep."""

    row = ObjectProperty(None, allownone=True)


class LabelPlace(BoxLayout):
    """Where the label is written."""


class InstallScreen(ModelScreen):
    """Four phases on one screen."""

    phase = StringProperty("orders")
    _typed = ""

    def refresh(self) -> None:
        """What belongs to the phase."""
        super().refresh()
        view = self.view
        self.phase = view.phase
        self.ids.orders.show(
            view.orders if view.phase == "orders" else (),
            key=lambda row: row.order_id,
            make=lambda _: OrderLine(),
        )
        self.ids.steps.show(
            view.steps, key=lambda step: (step.number, step.current), make=lambda _: StepPoint()
        )
        self._show_field(view.phase == "order")

    def forward(self) -> None:
        """The one button of each phase."""
        if self.phase == "orders":
            self.model.fetch()
        elif self.phase == "order":
            self._typed = self.ids.place.children[0].ids.label.text
            self.model.begin(self._typed)
        elif self.phase == "done":
            self.back()

    def on_pre_enter(self, *_: object) -> None:
        """Today's work is asked for when the screen comes up."""
        self.model.fetch()

    def back(self) -> bool:
        """From an order to the list; while a lock is worked on there is nothing to go back to."""
        left: bool = self.model.leave()
        if not self.model.working:
            self._typed = ""
        return left

    def forget(self) -> None:
        """The vault is shut: neither address nor label stays."""
        super().forget()
        self._typed = ""
        self.ids.place.clear_widgets()
        self.model.forget()

    def on_leave(self, *_: object) -> None:
        """The next time begins with the list."""
        self._typed = ""
        self.ids.place.clear_widgets()
        self.model.forget()

    def _show_field(self, wanted: bool) -> None:
        there = bool(self.ids.place.children)
        if wanted and not there:
            place = LabelPlace()
            place.ids.label.ids.entry.text = self._typed  # it is not read anew because the lock was not heard
            self.ids.place.add_widget(place)
        elif there and not wanted:
            self.ids.place.clear_widgets()


def part(shell: Shell) -> Part:
    """A row of the settings leads here; the server says who is an installer."""
    model = InstallModel(shell.session)
    return Part(
        kv=("installing",),
        screens={InstallScreen: model},
        links=lambda: [Action("go:installing", shell.session.texts.tr("install.link"), "key")],
    )
