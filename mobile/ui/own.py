"""The person's own screens: their taps, their choices, and what there is to know about the app."""

from __future__ import annotations

from typing import Any

from kivy.app import App
from kivy.metrics import dp

from mobile.ui.frame import ModelScreen
from mobile.ui.rows import (
    Action,
    CallLine,
    Empty,
    EmptyCard,
    FactLine,
    HistoryLine,
    LinkLine,
    Note,
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
        self.ids.rows.shrink()
        self.ids.page.scroll_y = 1

    def forget(self) -> None:
        """The vault is shut: an answer that is on its way is for nobody."""
        super().forget()
        self.model.forget()

    def choose(self, which: str) -> None:
        """Another list, from its top."""
        self.ids.rows.shrink()
        self.ids.page.scroll_y = 1
        self.model.choose(which)

    def refresh(self) -> None:
        """Rows by place: the log only grows at its top."""
        super().refresh()
        tr = App.get_running_app().words
        empty = Empty("history", tr("history.empty_title"), tr("history.empty_text"))
        items: list[Any] = list(enumerate(self.view.rows)) or [("empty", empty)]
        self.ids.rows.show(
            items,
            key=lambda item: item[0],
            make=lambda item: EmptyCard() if item[1] is empty else HistoryLine(),
            row=lambda item: item[1],
        )


class SettingsScreen(ModelScreen):
    """Choices, and the two ways to leave."""

    def refresh(self) -> None:
        """Sign in, sign out, or the question before signing out."""
        super().refresh()
        view, tr = self.view, App.get_running_app().words
        items: list[Note | Action]
        lock = Action("lock_app", tr("settings.lock"), "locked")
        if view.asking:
            items = [
                Note(tr("settings.sign_out_ask"), asks=True),
                Note(view.leaves),
                Action("sign_out_yes", tr("settings.sign_out_yes"), "warning", kind="danger"),
                Action("sign_out_no", tr("common.cancel"), kind="plain"),
            ]
        elif view.signed_in:
            items = [
                lock,
                Note(tr("settings.lock_text")),
                Action("sign_out", tr("settings.sign_out"), "sign_out"),
                Note(view.leaves),
            ]
        else:
            items = [
                lock,
                Note(tr("settings.lock_text")),
                Action("sign_in", tr("settings.sign_in"), "person"),
            ]
        self.ids.account.show(
            items,
            key=lambda item: item.text if isinstance(item, Note) else item.name,
            make=lambda item: NoteLine() if isinstance(item, Note) else NoticeLine(),
        )
        links = App.get_running_app().links()
        self.ids.links.show(links, key=lambda action: action.name, make=lambda _: LinkLine())

    def back(self) -> bool:
        """No to the question."""
        asking = bool(self.view and self.view.asking)
        self.model.ask_sign_out(False)
        return asking

    def on_leave(self, *_: object) -> None:
        """A question that was walked away from is answered."""
        self.model.ask_sign_out(False)


class AboutScreen(ModelScreen):
    """Om och hjälp."""

    def refresh(self) -> None:
        """Lists of sentences, steps and pairs."""
        super().refresh()
        view, ids = self.view, self.ids
        steps = list(enumerate(view.routine, start=1))
        calls = [(view.support_phone, view.support_call)] if view.support_phone else []
        strong = {"kind": "primary", "min_height": dp(72)}
        ids.calls.show(calls, key=lambda call: call[0], make=lambda _: CallLine(**strong))
        ids.routine.show(steps, key=lambda step: step[0], make=lambda _: RoutineLine())
        ids.kept.show(view.kept, key=str, make=lambda _: PointLine())
        ids.not_kept.show(view.not_kept, key=str, make=lambda _: PointLine(icon="cross"))
        ids.facts.show(view.facts, key=lambda fact: fact[0], make=lambda _: FactLine())
        ids.licences.show(view.licences, key=lambda fact: fact[0], make=lambda _: FactLine())
