"""Leaving: a door that this phone unlocked, did not lock, and no longer hears.

Only while somebody holds the app: a locked phone neither listens nor knows its doors. What the phone cannot
know is whether somebody has locked by hand; so it asks, and "it is locked" is an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.state import Bluetooth, DoorView, Nearby, Operation, Stage
from mobile.viewmodels import doors
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session
from mobile.viewmodels.taps import Taps

LISTEN_SECONDS = 12
"""A door not heard for so long after the app was opened is out of earshot; adverts come four a second."""


@dataclass(frozen=True, slots=True)
class LeavingView:
    """The question, and the door it is about."""

    door_id: str = ""
    title: str = ""
    address: str = ""
    door: str = ""
    happened: str = ""
    next: str = ""
    more: str = ""


class LeavingModel:
    """Comes up by itself over other screens, once for each door and leaving."""

    def __init__(self, session: Session, navigation: Navigation, taps: Taps) -> None:
        self._session, self._navigation, self._taps = session, navigation, taps
        self._listened = 0
        self._put_aside: set[str] = set()
        self._rung: set[str] = set()
        session.listen(self._follow)
        navigation.call_up("leaving", lambda: bool(self._behind()), self.later)

    def tick(self) -> None:
        """A second has passed."""
        before, state = bool(self._behind()), self._session.state
        if state.stage is Stage.UNLOCKED and state.bluetooth is Bluetooth.ON:
            self._listened += 1
        if bool(self._behind()) is not before:
            self._session.changed()

    def rings(self) -> str:
        """The sound that is due: one warning for each door, when its question comes up."""
        due = {door.id for door in self._behind()} - self._rung
        if not due or self._navigation.screen != "leaving":
            return ""
        self._rung |= due
        return "warn"

    def view(self) -> LeavingView:
        """The door unlocked last, and how many there are beside it."""
        behind, texts = self._behind(), self._session.texts
        if not behind:
            return LeavingView()
        door, others = behind[0], len(behind) - 1
        return LeavingView(
            door_id=door.id,
            title=texts.tr("leaving.title"),
            address=door.address,
            door=doors.title(door, texts),
            happened=texts.tr("leaving.happened", time=texts.clock(door.unlocked_at)),
            next=texts.tr("leaving.next"),
            more=texts.count("leaving.more", others) if others else "",
        )

    def lock(self) -> None:
        """Lock it now; where that fails, the result says so and today's list keeps the door."""
        door_id = self.view().door_id
        self._put_aside.add(door_id)
        self._navigation.go("result", door_id)
        self._taps.act(door_id, Operation.LOCK)

    def is_locked(self) -> None:
        """The person knows better: nothing to remind of any more."""
        door_id = self.view().door_id
        self._put_aside.add(door_id)
        self._session.call(self._session.engine.note_locked(door_id))
        self._session.changed()

    def later(self) -> None:
        """Not now: the list keeps the door, and the next opening of the app asks again."""
        self._put_aside |= {door.id for door in self._behind()}
        self._session.changed()

    def _behind(self) -> list[DoorView]:
        if self._listened < LISTEN_SECONDS:
            return []
        left = [door for door in self._session.state.doors.values() if door.left_unlocked]
        gone = [door for door in left if door.nearby is Nearby.NO and door.id not in self._put_aside]
        return sorted(gone, key=lambda door: -door.unlocked_at)

    def _follow(self) -> None:
        """A locked app forgets; and whoever is back at a door may leave it, and be asked, a second time."""
        state = self._session.state
        if state.stage is not Stage.UNLOCKED or state.bluetooth is not Bluetooth.ON:
            self._listened = 0
        if state.stage is not Stage.UNLOCKED:
            self._put_aside.clear()
            self._rung.clear()
        here = {door.id for door in state.doors.values() if door.nearby is Nearby.HERE}
        self._put_aside -= here
        self._rung -= here
