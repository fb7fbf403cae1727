"""The person's own taps, failed ones too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mobile.engine.state import HistoryEntry
from mobile.viewmodels import results
from mobile.viewmodels.session import Session


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One tap; `heading` is set on the first row of a day."""

    time: str
    door: str
    outcome: str
    detail: str
    tone: str
    icon: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class HistoryView:
    """`filters` are (value, words) pairs; none when nothing has failed."""

    rows: tuple[HistoryRow, ...] = ()
    filters: tuple[tuple[str, str], ...] = ()
    chosen: str = "all"


class HistoryModel:
    """Fetched from the vault when the screen comes up; forgotten when the app is locked."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: Sequence[HistoryEntry] = ()
        self._failed_only = False
        self._asked = 0
        """Only the answer to the newest question counts, and none that comes when nobody looks any more."""

    def view(self) -> HistoryView:
        """What to show now."""
        texts, rows = self._session.texts, tuple(self.rows())
        failed = sum(not entry.state.done_well for entry in self._entries)
        filters = (("all", texts.tr("history.all")), ("failed", texts.tr("history.failed", count=failed)))
        return HistoryView(rows, filters if failed else (), "failed" if self._failed_only else "all")

    def choose(self, which: str) -> None:
        """All, or only what did not go well."""
        self._failed_only = which == "failed"
        self._session.changed()

    def refresh(self) -> None:
        """Read the log anew."""
        self._asked += 1
        asked = self._asked

        def arrived(entries: Sequence[HistoryEntry]) -> None:
            if asked == self._asked:
                self._entries = entries

        self._session.call(self._session.engine.history(), arrived, lambda _: self.forget())

    def forget(self) -> None:
        """Keep nothing on screen that the vault guards."""
        self._entries, self._failed_only = (), False
        self._asked += 1

    def rows(self) -> list[HistoryRow]:
        """Newest first, with a heading a day."""
        rows: list[HistoryRow] = []
        last_day = 0
        for entry in self._entries:
            if self._failed_only and entry.state.done_well:
                continue
            day = self._session.texts.day_number(entry.at)
            rows.append(self._row(entry, self._heading(entry.at) if day != last_day else ""))
            last_day = day
        return rows

    def _row(self, entry: HistoryEntry, heading: str) -> HistoryRow:
        texts = self._session.texts
        well = entry.state.done_well
        asked = texts.tr(f"history.{entry.operation.value}")
        reason = texts.reason(entry.reason).title if entry.reason else ""
        return HistoryRow(
            time=texts.clock(entry.at),
            door=entry.door_label,
            outcome=texts.tr(f"opening.{entry.state.value}"),
            detail="" if well else " · ".join(part for part in (asked, reason) if part),
            tone=results.tone(entry.state),
            icon=results.icon(entry.state),
            heading=heading,
        )

    def _heading(self, at: int) -> str:
        texts = self._session.texts
        age = texts.day_number(self._session.now()) - texts.day_number(at)
        named = {0: "history.today", 1: "history.yesterday"}.get(age)
        return texts.tr(named) if named else texts.day(at)
