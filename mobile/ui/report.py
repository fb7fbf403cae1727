"""Reporting what is wrong with a door."""

from __future__ import annotations

from typing import Any

from kivy.app import App
from kivy.properties import StringProperty

from mobile.ui.emergency import EmergencyButton, ReasonLine
from mobile.ui.frame import ModelScreen
from mobile.ui.part import Part, Shell
from mobile.ui.rows import Action
from mobile.viewmodels.report import ReportModel


class ReportScreen(ModelScreen):
    """Three steps on one screen."""

    step = StringProperty("what")

    def refresh(self) -> None:
        """What belongs to the step."""
        super().refresh()
        view, tr = self.view, App.get_running_app().words
        self.step = view.step
        self.ids.faults.show(
            view.faults if view.step == "what" else (), key=lambda row: row[0], make=lambda _: ReasonLine()
        )
        self.ids.actions.show(
            _actions(view, tr), key=lambda action: action.name, make=lambda _: EmergencyButton()
        )

    def choose(self, fault: str) -> None:
        """A finger chose what is wrong."""
        self.model.choose(fault)

    def act(self, name: str) -> None:
        """What a button asks for."""
        verbs = {
            "send": self.model.send,
            "change": self.model.change,
            "done": App.get_running_app().navigation.back,
        }
        verbs[name]()

    def back(self) -> bool:
        """From the confirmation to the choice."""
        if self.step != "confirm":
            return False
        self.model.change()
        return True

    def forget(self) -> None:
        """The vault is shut: neither door nor choice stays."""
        super().forget()
        self.model.forget()

    def on_leave(self, *_: object) -> None:
        """The next report begins anew."""
        self.model.forget()


def _actions(view: Any, tr: Any) -> list[Action]:
    if view.step == "sent":
        return [Action("done", tr("common.done"), "check", strong=True)]
    if view.step == "confirm":
        words = tr("common.working") if view.working else tr("report.send")
        return [
            Action("change", tr("emergency.change"), "back", kind="plain"),
            Action("send", words, "check", strong=True),
        ]
    return []


def part(shell: Shell) -> Part:
    """From the help card of a door that there is a right to."""
    model = ReportModel(shell.session, shell.navigation)

    def helps() -> list[Action]:
        words = shell.session.texts.tr("report.title")
        name = f"go:report:{shell.navigation.door_id}"
        return [Action(name, words, "warning")] if model.helps() else []

    return Part(kv=("report",), screens={ReportScreen: model}, helps=helps)
