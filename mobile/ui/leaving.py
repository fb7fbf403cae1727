"""The question on leaving: is the door locked?"""

from __future__ import annotations

from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.input.motionevent import MotionEvent
from kivy.properties import BooleanProperty, ObjectProperty

from mobile.ui.alarms import ARM_S
from mobile.ui.frame import ModelScreen
from mobile.ui.part import Part, Shell
from mobile.ui.rows import Action
from mobile.ui.widgets import Btn
from mobile.viewmodels.leaving import LeavingModel


class LeavingButton(Btn):
    """One of the three answers; `row` is an Action."""

    row = ObjectProperty(None, allownone=True)


class LeavingScreen(ModelScreen):
    """Full colour, as a result that wants attention. What has just come up takes no touches for a moment."""

    armed = BooleanProperty(False)

    def __init__(self, model: Any) -> None:
        self._arming: Any = Clock.create_trigger(self._arm, ARM_S)
        super().__init__(model)

    def on_pre_enter(self, *_: object) -> None:
        """A finger on its way to what was there before must land on nothing."""
        self.armed = False
        self._arming()

    def on_leave(self, *_: object) -> None:
        """The next question begins anew."""
        self._arming.cancel()
        self.armed = False

    def on_touch_down(self, touch: MotionEvent) -> bool:
        """Not before the person can have seen it."""
        if not self.armed:
            return bool(self.collide_point(*touch.pos))
        return bool(super().on_touch_down(touch))

    def _arm(self, _: float) -> None:
        self.armed = True

    def refresh(self) -> None:
        """From top to bottom; locking lies lowest, under the thumb."""
        super().refresh()
        tr = App.get_running_app().words
        actions = [
            Action("later", tr("leaving.later"), "back"),
            Action("is_locked", tr("leaving.is_locked"), "check"),
            Action("lock", tr("leaving.lock"), "locked", strong=True),
        ]
        self.ids.actions.show(actions, key=lambda action: action.name, make=lambda _: LeavingButton())

    def act(self, name: str) -> None:
        """What a button asks for."""
        verbs: dict[str, Any] = {
            "later": self.model.later,
            "is_locked": self.model.is_locked,
            "lock": self.model.lock,
        }
        verbs[name]()


def part(shell: Shell) -> Part:
    """The question and its sound."""
    model = LeavingModel(shell.session, shell.navigation, shell.taps)
    return Part(kv=("leaving",), screens={LeavingScreen: model}, rings=model.rings, tick=model.tick)
