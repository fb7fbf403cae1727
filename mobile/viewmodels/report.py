"""Telling the municipality that something is wrong with a door: which of four things, and then it is sent.

A dead lock gets its work order at once, so it takes two taps and no free text. Without coverage nothing is
sent, and the screen says so rather than promise it.
"""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.emergencies import DoorFault
from mobile.engine.state import Stage
from mobile.viewmodels import doors
from mobile.viewmodels.forms import Form
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session


@dataclass(frozen=True, slots=True)
class ReportView:
    """`step` is what, confirm or sent."""

    step: str = "what"
    door: str = ""
    faults: tuple[tuple[str, str], ...] = ()
    fault: str = ""
    then: str = ""
    message: str = ""
    working: bool = False


class ReportModel(Form):
    """One report at a time."""

    def __init__(self, session: Session, navigation: Navigation) -> None:
        super().__init__(session)
        self._navigation = navigation
        self._about: str | None = None
        self._fault: DoorFault | None = None
        self._sent = False

    def view(self) -> ReportView:
        """What to show now."""
        self._follow()
        state, texts = self._session.state, self._session.texts
        door, fault = state.doors.get(self._about or ""), self._fault
        return ReportView(
            step="sent" if self._sent else "confirm" if fault else "what",
            door=f"{door.address} · {doors.title(door, texts)}" if door else "",
            faults=tuple((one.value, texts.tr(f"report.{one.value}")) for one in DoorFault),
            fault=texts.tr(f"report.{fault.value}") if fault else "",
            then=texts.tr(f"report.{fault.value}_then") if fault else "",
            message=self.message(),
            working=self.working,
        )

    def helps(self) -> bool:
        """Whether there is a door to report: the server hears of it only from who holds a right there."""
        door = self._session.state.doors.get(self._navigation.door_id)
        return door is not None and doors.allowed(door, self._session.now())

    def choose(self, fault: str) -> None:
        """What is wrong."""
        self._follow()
        self._fault = DoorFault(fault)
        self._session.changed()

    def change(self) -> None:
        """Something else is wrong."""
        if not self.working:
            self._fault = None
            self.clear()
            self._session.changed()

    def send(self) -> None:
        """Confirmed."""
        if self._fault is not None and self._about and not self._sent:
            about, fault = self._about, self._fault
            self.submit(lambda: self._session.engine.report_door(about, fault), self._done)

    def forget(self) -> None:
        """The screen was left: the next time begins anew."""
        if not self._navigation.holds("report"):
            self._begin(None)

    def _done(self, _: None) -> None:
        self._sent = True

    def _follow(self) -> None:
        if self._session.state.stage is not Stage.UNLOCKED:
            self._begin(None)
        elif self._navigation.under == "report" and self._navigation.door_id != self._about:
            self._begin(self._navigation.door_id)

    def _begin(self, door_id: str | None) -> None:
        self._about, self._fault, self._sent = door_id, None, False
        self.start_anew()
