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


class HistoryModel:
    """Fetched from the vault when the screen comes up; forgotten when the app is locked."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._entries: Sequence[HistoryEntry] = ()

    def refresh(self) -> None:
        """Read the log anew."""
        self._session.call(self._session.engine.history(), self._arrived, lambda _: self.forget())

    def forget(self) -> None:
        """Keep nothing on screen that the vault guards."""
        self._entries = ()

    def rows(self) -> list[HistoryRow]:
        """Newest first, with a heading a day."""
        rows: list[HistoryRow] = []
        last_day = 0
        for entry in self._entries:
            day = self._session.texts.day_number(entry.at)
            rows.append(self._row(entry, self._heading(entry.at) if day != last_day else ""))
            last_day = day
        return rows

    def _arrived(self, entries: Sequence[HistoryEntry]) -> None:
        self._entries = entries

    def _row(self, entry: HistoryEntry, heading: str) -> HistoryRow:
        texts = self._session.texts
        well = entry.state.done_well
        reason = "" if well or not entry.reason else texts.reason(entry.reason).title
        return HistoryRow(
            time=texts.clock(entry.at),
            door=entry.door_label,
            outcome=texts.tr(f"opening.{entry.state.value}"),
            detail=reason,
            tone=results.tone(entry.state),
            icon=results.icon(entry.state),
            heading=heading,
        )

    def _heading(self, at: int) -> str:
        texts = self._session.texts
        age = texts.day_number(self._session.now()) - texts.day_number(at)
        named = {0: "history.today", 1: "history.yesterday"}.get(age)
        return texts.tr(named) if named else texts.day(at)
