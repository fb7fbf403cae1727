"""The person's own screens: their taps, their choices, and what there is to know about the app."""

from __future__ import annotations

from typing import Any

from kivy.app import App

from mobile.ui.frame import ModelScreen
from mobile.ui.rows import (
    Action,
    Empty,
    EmptyCard,
    FactLine,
    HistoryLine,
    LinkLine,
    NoteLine,
    NoticeLine,
    PointLine,
    RoutineLine,
)


class HistoryScreen(ModelScreen):
    """Own taps."""

    def on_pre_enter(self, *_: object) -> None:
        """Read the vault's log anew each time the screen comes up."""
        self.model.refresh()

    def on_leave(self, *_: object) -> None:
        """Nothing of the vault stays on a screen that is not shown."""
        self.model.forget()

    def refresh(self) -> None:
        """Rows by place: the log only grows at its top."""
        tr = App.get_running_app().words
        rows = list(enumerate(self.model.rows()))
        items: list[Any] = [row for _, row in rows]
        empty = [Empty("history", tr("history.empty_title"), tr("history.empty_text"))]
        self.ids.rows.show(
            items or empty,
            key=lambda item: id(item) if isinstance(item, Empty) else items.index(item),
            make=lambda item: EmptyCard() if isinstance(item, Empty) else HistoryLine(),
        )


class SettingsScreen(ModelScreen):
    """Choices, and the two ways to leave."""

    def refresh(self) -> None:
        """Sign in, sign out, or the question before signing out."""
        super().refresh()
        view, tr = self.view, App.get_running_app().words
        items: list[Any]
        lock = Action("lock_app", tr("settings.lock"), "locked")
        if view.asking:
            items = [
                tr("settings.sign_out_ask"),
                view.leaves,
                Action("sign_out_yes", tr("settings.sign_out_yes"), "warning", kind="danger"),
                Action("sign_out_no", tr("common.cancel"), kind="plain"),
            ]
        elif view.signed_in:
            items = [
                lock,
                tr("settings.lock_text"),
                Action("sign_out", tr("settings.sign_out"), "sign_out"),
                view.leaves,
            ]
        else:
            items = [lock, tr("settings.lock_text"), Action("sign_in", tr("settings.sign_in"), "person")]
        self.ids.account.show(
            items,
            key=lambda item: item if isinstance(item, str) else item.name,
            make=lambda item: NoteLine() if isinstance(item, str) else NoticeLine(),
        )
        links = App.get_running_app().links()
        self.ids.links.show(links, key=lambda action: action.name, make=lambda _: LinkLine())


class AboutScreen(ModelScreen):
    """Om och hjälp."""

    def refresh(self) -> None:
        """Lists of sentences, steps and pairs."""
        super().refresh()
        view, ids = self.view, self.ids
        steps = list(enumerate(view.routine, start=1))
        ids.routine.show(steps, key=lambda step: step[0], make=lambda _: RoutineLine())
        ids.kept.show(view.kept, key=str, make=lambda _: PointLine())
        ids.not_kept.show(view.not_kept, key=str, make=lambda _: PointLine(icon="cross"))
        ids.facts.show(view.facts, key=lambda fact: fact[0], make=lambda _: FactLine())
        ids.licences.show(view.licences, key=lambda fact: fact[0], make=lambda _: FactLine())
