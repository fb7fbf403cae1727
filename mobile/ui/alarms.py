"""The alarm card: an alarm over the whole screen, the doors of a taken one, and the news that it is over."""

from __future__ import annotations

from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.core.window import Window
from kivy.input.motionevent import MotionEvent
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, ObjectProperty, StringProperty
from kivy.uix.behaviors import FocusBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.ui.frame import ModelScreen
from mobile.ui.part import Part, Shell
from mobile.ui.rows import Action
from mobile.ui.widgets import Btn, Card
from mobile.viewmodels.alarmcard import AlarmCard
from mobile.viewmodels.alarms import AlarmModel

ARM_S = 0.7
"""A finger on its way to what was there before must land on nothing."""


class AlarmOffered(BoxLayout):
    """Somebody needs help: where, and one tap to take it."""

    view = ObjectProperty(None, allownone=True)


class AlarmTaken(BoxLayout):
    """The person's own alarm: its doors in walking order."""

    view = ObjectProperty(None, allownone=True)


class AlarmOver(BoxLayout):
    """It is over for the person, and why."""

    view = ObjectProperty(None, allownone=True)


class AlarmDoor(Card):
    """A door with its opening button; `row` is a DoorRow, `card` the model that opens it."""

    row = ObjectProperty(None, allownone=True)
    card = ObjectProperty(None)


class TimeLeft(Widget):
    """A bar that shrinks: what is left of the time to answer."""

    share = NumericProperty(1.0)
    ink = ColorProperty([1, 1, 1, 1])


PARTS: dict[str, type[Widget]] = {"offered": AlarmOffered, "taken": AlarmTaken, "over": AlarmOver}


class AlarmScreen(ModelScreen):
    """One of three parts. What has just come up takes no touches for a moment."""

    counts_seconds = True
    armed = BooleanProperty(False)
    key = StringProperty("")

    def __init__(self, model: Any) -> None:
        self.part: Any = None
        self._arming: Any = Clock.create_trigger(self._arm, ARM_S)
        super().__init__(model)

    def refresh(self) -> None:
        """The part for the stage that the alarm is in."""
        super().refresh()
        view = self.view
        if not view.part:
            return
        if not isinstance(self.part, PARTS[view.part]):
            self.ids.place.clear_widgets()
            self.part = PARTS[view.part]()
            self.ids.place.add_widget(self.part)
        if self.key != f"{view.part} {view.alarm_id}":
            self.key = f"{view.part} {view.alarm_id}"
            self._disarm()
        self.part.view = view
        if view.part == "taken":
            model = self.model.model
            self.part.ids.doors.show(
                view.rows, key=lambda row: row.door_id, make=lambda _: AlarmDoor(card=model)
            )
        tr, full = App.get_running_app().words, view.part == "offered"
        boxes = {"actions": _actions(view, tr), "question": _question(view, tr)}
        for name, actions in boxes.items():
            if name in self.part.ids:
                self.part.ids[name].show(actions, key=_name, make=lambda _: AlarmButton(full=full))

    def on_pre_enter(self, *_: object) -> None:
        """Nobody types on: the keyboard would lie over the card."""
        self._disarm()
        for widget in Window.children[:]:
            for each in widget.walk():
                if isinstance(each, FocusBehavior):
                    each.focus = False

    def on_leave(self, *_: object) -> None:
        """The next card begins anew."""
        self._arming.cancel()
        self.armed = False

    def forget(self) -> None:
        """The vault is shut: the card goes with all that stands on it."""
        super().forget()
        self.ids.place.clear_widgets()
        self.part, self.key = None, ""

    def on_touch_down(self, touch: MotionEvent) -> bool:
        """Not before the person can have seen it."""
        if not self.armed:
            return bool(self.collide_point(*touch.pos))
        return bool(super().on_touch_down(touch))

    def act(self, name: str) -> None:
        """What a button asks for, about the alarm that is on the card."""
        model, alarm_id = self.model.model, self.view.alarm_id
        verbs = {
            "take": lambda: model.take(alarm_id),
            "decline": lambda: model.decline(alarm_id),
            "hand_over": lambda: model.ask_hand_over(True),
            "hand_over_no": lambda: model.ask_hand_over(False),
            "hand_over_yes": lambda: model.hand_over(alarm_id),
            "read": model.read,
            "fetch": model.fetch,
            "help": lambda: model.help(self.view.help_door),
            "call": lambda: App.get_running_app().call(self.view.phone),
            "sign_in": model.navigation.sign_in,
        }
        verbs[name]()

    def back(self) -> bool:
        """No to the question whether it is to be handed over."""
        confirming = bool(self.view and self.view.confirming)
        if confirming:
            self.act("hand_over_no")
        return confirming

    def _disarm(self) -> None:
        self.armed = False
        self._arming.cancel()
        self._arming()

    def _arm(self, _: float) -> None:
        self.armed = True


class AlarmButton(Btn):
    """A button of the card; `row` is an Action. `full`: it lies on the alarm's full colour."""

    row = ObjectProperty(None, allownone=True)
    full = BooleanProperty(True)
    strong = BooleanProperty(False)


def _actions(view: Any, tr: Any) -> list[Action]:
    """From top to bottom; the likeliest lies lowest, under the thumb."""
    if view.part == "over":
        return [Action("read", tr("common.done"), "check", strong=True)]
    if view.part == "offered":
        actions = [Action("sign_in", tr("settings.sign_in"), "person")] if view.can_sign_in else []
        if view.phone and (view.message or not view.place):
            actions.append(Action("call", view.phone_call, "phone"))
        return [
            *actions,
            Action("decline", tr("alarm.decline"), "cross"),
            Action("take", view.take, "check", strong=True),
        ]
    actions = [Action("fetch", tr("alarm.fetch"), "sync", strong=True)] if view.can_fetch else []
    if view.help_door:
        actions.append(Action("help", tr("door.help"), "help"))
    if view.phone:
        actions.append(Action("call", view.phone_call, "phone"))
    return [*actions, Action("hand_over", tr("alarm.hand_over"), "person")]


def _question(view: Any, tr: Any) -> list[Action]:
    """Whether the alarm is really to be handed over."""
    if not view.confirming:
        return []
    return [
        Action("hand_over_no", tr("alarm.keep"), "back"),
        Action("hand_over_yes", tr("alarm.hand_over_yes"), "person", strong=True),
    ]


def _name(action: Action) -> str:
    return action.name


def part(shell: Shell) -> Part:
    """The card, its strip on every other screen, and its sound."""
    model = AlarmModel(shell.session, shell.navigation, shell.taps)
    card = AlarmCard(model)
    return Part(
        kv=("alarm",),
        screens={AlarmScreen: card},
        acts={"alarm": model.show},
        strip=card.strip,
        rings=model.rings,
        tick=model.tick,
    )
