"""Break-glass: the reason, the confirmation, and the doors."""

from __future__ import annotations

from typing import Any

from kivy.app import App
from kivy.properties import BooleanProperty, ObjectProperty, StringProperty

from mobile.ui.alarms import AlarmDoor
from mobile.ui.frame import ModelScreen
from mobile.ui.part import Part, Shell
from mobile.ui.rows import Action, RoutineLine
from mobile.ui.widgets import Btn, Tappable
from mobile.viewmodels.emergency import EmergencyModel


class ReasonLine(Tappable):
    """One reason to choose; `row` is (slug, words)."""

    row = ObjectProperty(None, allownone=True)


class EmergencyButton(Btn):
    """What can be done at this step; `row` is an Action."""

    row = ObjectProperty(None, allownone=True)


class EmergencyScreen(ModelScreen):
    """Four steps on one screen."""

    step = StringProperty("why")
    asks_code = BooleanProperty(False)

    def refresh(self) -> None:
        """What belongs to the step."""
        super().refresh()
        view, tr = self.view, App.get_running_app().words
        self.step, self.asks_code = view.step, view.asks_code and view.step == "why"
        self.ids.reasons.show(
            view.reasons if view.step == "why" else (), key=lambda row: row[0], make=lambda _: ReasonLine()
        )
        steps = list(enumerate(view.steps, start=1)) if view.step != "why" else []
        self.ids.steps.show(steps, key=lambda step: step[0], make=lambda _: RoutineLine())
        self.ids.doors.show(view.rows, key=lambda row: row.door_id, make=lambda _: AlarmDoor(card=self.model))
        self.ids.actions.show(
            _actions(view, tr), key=lambda action: action.name, make=lambda _: EmergencyButton()
        )

    def choose(self, reason: str) -> None:
        """A reason, with the code that was typed."""
        self.model.choose(reason, self.ids.code.text if self.asks_code else "")

    def act(self, name: str) -> None:
        """What a button asks for."""
        verbs = {
            "take": self.model.take,
            "fetch": self.model.fetch,
            "change": self.model.change,
            "call": lambda: App.get_running_app().call(self.view.phone),
        }
        verbs.get(name, lambda: App.get_running_app().act(name))()

    def back(self) -> bool:
        """From the confirmation to the choice."""
        if self.step != "confirm":
            return False
        self.model.change()
        return True

    def forget(self) -> None:
        """The vault is shut: neither door nor choice stays."""
        super().forget()
        self.ids.code.clear()
        self.model.forget()

    def on_leave(self, *_: object) -> None:
        """Nothing typed stays behind, but an alarm that came over it takes nothing away."""
        if self.model.forget():
            self.ids.code.clear()


def _actions(view: Any, tr: Any) -> list[Action]:
    """From top to bottom; the likeliest lies lowest, under the thumb."""
    call = [Action("call", view.phone_call, "phone")] if view.phone else []
    if not view.signed_in and view.step in {"why", "confirm"}:
        return [*call, Action("sign_in", tr("settings.sign_in"), "person", strong=True)]
    if view.step == "why":
        return call
    if view.step == "confirm":
        words = tr("common.working") if view.working else tr("emergency.take")
        change = Action("change", tr("emergency.change"), "back", kind="plain")
        return [
            *(call if view.message else []),
            change,
            Action("take", words, "key", strong=True, kind="danger"),
        ]
    if view.step == "waits":
        return [*call, Action("fetch", tr("alarm.fetch"), "sync", strong=True)]
    return call


def part(shell: Shell) -> Part:
    """From the help card of a door without a right, and from today's list when the door is not there."""
    model = EmergencyModel(shell.session, shell.navigation, shell.taps)

    def helps() -> list[Action]:
        door_id, words = shell.navigation.door_id, shell.session.texts.tr("emergency.title")
        return [Action(f"go:emergency:{door_id}", words, "key", kind="danger")] if model.helps() else []

    def misses() -> list[Action]:
        return [Action("go:emergency", shell.session.texts.tr("emergency.missing_door"), "key", kind="plain")]

    return Part(kv=("emergency",), screens={EmergencyScreen: model}, helps=helps, misses=misses)
