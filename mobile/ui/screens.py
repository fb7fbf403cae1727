"""The screens of the work: each asks its view-model what to show and hands back what fingers do."""

from __future__ import annotations

from typing import Any

from kivy.app import App
from kivy.clock import Clock
from kivy.graphics import Color, SmoothRoundedRectangle
from kivy.input.motionevent import MotionEvent
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.widget import Widget

from mobile.ui.frame import ModelScreen
from mobile.ui.rows import (
    Action,
    CallLine,
    Empty,
    EmptyCard,
    FactLine,
    FoundLine,
    HeadingLine,
    NearCard,
    Note,
    NoteLine,
    NoticeLine,
    ResultButton,
    RoutineLine,
    VisitBox,
)


class TodayScreen(ModelScreen):
    """The day."""

    def refresh(self) -> None:
        """Lists keep their widgets, so nothing moves under a finger."""
        super().refresh()
        view, tr = self.view, App.get_running_app().words
        notices = []
        if view.left_unlocked:
            notices.append(
                Action(f"go:door:{view.left_unlocked_id}", view.left_unlocked, "unlocked", kind="notice")
            )
        if view.signed_out:
            notices.append(Action("sign_in", tr("today.signed_out"), "person"))
        notices += App.get_running_app().notices()
        self.ids.notices.show(notices, key=lambda action: action.name, make=lambda _: NoticeLine())
        near = (
            [tr("today.nearby"), *(view.nearby or [view.near_hint])] if view.nearby or view.near_hint else []
        )
        self.ids.nearby.show(near, key=_key, make=_near)
        empty = _no_doors() if view.empty == "none" else _no_visits()
        coming = [card for card in view.visits if not card.past]
        past = [card for card in view.visits if card.past]
        cards = [tr("today.visits"), *coming] if coming else []
        cards += [tr("today.earlier"), *past] if past else []
        self.ids.visits.show(cards or [empty], key=_key, make=_visit)

        _show_misses(self.ids.misses)

    def on_touch_down(self, touch: MotionEvent) -> bool:
        """From here on nothing may move."""
        if self.collide_point(*touch.pos):
            self.model.touch(True)
        return bool(super().on_touch_down(touch))

    def on_touch_up(self, touch: MotionEvent) -> bool:
        """The finger has landed and left; now the order may improve."""
        taken = bool(super().on_touch_up(touch))
        self.model.touch(False)
        return taken


def _show_misses(place: Any) -> None:
    misses = App.get_running_app().misses()
    place.show(misses, key=lambda action: action.name, make=lambda _: NoticeLine())


def _no_doors() -> Empty:
    tr = App.get_running_app().words
    sync = Action("sync", tr("today.sync"), "sync")
    return Empty("today", tr("today.empty_title"), tr("today.empty_text"), sync)


def _no_visits() -> Empty:
    tr = App.get_running_app().words
    find = Action("go:finder", tr("finder.title"), "find")
    return Empty("today", tr("today.no_visits_title"), tr("today.no_visits_text"), find)


def _key(item: Any) -> str:
    if isinstance(item, str):
        return f"heading {item}"
    if isinstance(item, Note):
        return "note"
    return "empty" if isinstance(item, Empty) else str(getattr(item, "door_id", None) or item.id)


def _near(item: Any) -> Widget:
    if isinstance(item, Note):
        return NoteLine()
    return HeadingLine() if isinstance(item, str) else NearCard()


def _visit(item: Any) -> Widget:
    if isinstance(item, Empty):
        return EmptyCard()
    return HeadingLine() if isinstance(item, str) else VisitBox()


class FinderScreen(ModelScreen):
    """Alla dörrar."""

    def on_pre_enter(self, *_: object) -> None:
        """The keyboard is wanted at once, unless one comes back to a list."""
        self.ids.typed.ids.entry.focus = not self.ids.typed.text

    def forget(self) -> None:
        """The vault is shut: what was searched for goes as well."""
        super().forget()
        self.ids.typed.clear()

    def typed(self, text: str) -> None:
        """Another list, from its top."""
        self.ids.rows.shrink()
        self.ids.page.scroll_y = 1
        self.model.type(text)

    def refresh(self) -> None:
        """The doors that match what was typed."""
        super().refresh()
        tr = App.get_running_app().words
        text = tr("finder.empty_text" if self.view.any_doors else "today.empty_text")
        empty = Empty("find", tr("finder.empty_title"), text)
        # By place, so that the next letter gives the same widgets other doors.
        items: list[Any] = list(enumerate(self.view.rows)) or [("empty", empty)]
        self.ids.rows.show(
            items,
            key=lambda item: item[0],
            make=lambda item: EmptyCard() if item[1] is empty else FoundLine(),
            row=lambda item: item[1],
        )
        _show_misses(self.ids.misses)


class DoorScreen(ModelScreen):
    """One door and its big button."""


class Steps(Widget):
    """Three marks for search, contact and granted."""

    step = NumericProperty(0)
    ink = ColorProperty()

    def __init__(self, **properties: object) -> None:
        super().__init__(**properties)
        self.bind(pos=self._draw, size=self._draw, step=self._draw, ink=self._draw)

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        wide, gap = dp(34), dp(8)
        left = self.center_x - (3 * wide + 2 * gap) / 2
        with self.canvas:
            for place in range(3):
                Color(*self.ink[:3], 1 if place < self.step else 0.25)
                SmoothRoundedRectangle(
                    pos=(left + place * (wide + gap), self.center_y - dp(3)),
                    size=(wide, dp(6)),
                    radius=[dp(3)],
                )


class Ring(AnchorLayout):
    """The circle around the result's icon."""

    radius = NumericProperty(72)


class ResultScreen(ModelScreen):
    """Full colour: what the lock itself has said, no more."""

    tone = StringProperty("running")
    fill = ColorProperty()
    ink = ColorProperty()
    running = BooleanProperty(True)
    angle = NumericProperty(0)

    def refresh(self) -> None:
        """Colour, words, and the buttons that make sense now."""
        super().refresh()
        self.tone, self.running = self.view.tone, self.view.tone == "running"
        actions = self._actions()
        self.ids.actions.show(actions, key=lambda action: action.name, make=lambda _: ResultButton())
        for button in self.ids.actions.children:
            button.paint, button.paper = self.ink, self.fill

    def _actions(self) -> list[Action]:
        """From top to bottom; the likeliest lies lowest, under the thumb."""
        view, tr = self.view, App.get_running_app().words
        actions = []
        if view.can_help:
            actions.append(Action(f"go:help:{view.door_id}", tr("door.help"), "help"))
        if view.can_lock:
            actions.append(Action("lock", tr("result.lock_on_leaving"), "locked"))
        if view.can_retry:
            actions += [
                Action("done", tr("common.back"), "back"),
                Action("retry", tr("common.retry"), "sync", strong=True),
            ]
        elif not self.running:
            actions.append(Action("done", tr("common.done"), "check", strong=True))
        else:
            actions.append(Action("back", tr("common.back"), "back"))
        return actions

    def on_enter(self, *_: object) -> None:
        """The ring turns while something is under way, and only then."""
        self._turning = Clock.schedule_interval(self._turn, 1 / 30)

    def on_leave(self, *_: object) -> None:
        """Nothing turns out of sight."""
        self._turning.cancel()

    def _turn(self, seconds: float) -> None:
        if self.running:
            self.angle = (self.angle + 220 * seconds) % 360


class HelpScreen(ModelScreen):
    """Kommer du inte in?"""

    def refresh(self) -> None:
        """Facts and steps as lists."""
        super().refresh()
        view = self.view
        self.ids.facts.show(view.facts, key=lambda fact: fact[0], make=lambda _: FactLine())
        calls = [(view.fallback_phone, view.fallback_call)] if view.fallback_phone else []
        self.ids.calls.show(calls, key=lambda call: call[0], make=lambda _: CallLine())
        steps = list(enumerate(self.view.routine, start=1))
        self.ids.routine.show(steps, key=lambda step: step[0], make=lambda _: RoutineLine())
        more = App.get_running_app().helps()
        self.ids.more.show(more, key=lambda action: action.name, make=lambda _: NoticeLine())
