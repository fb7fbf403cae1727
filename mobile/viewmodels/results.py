"""The one place that turns a tap's state into colour, words and next steps. Green only when it is true."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.state import Opening, OpeningState, Operation
from mobile.viewmodels import doors
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session
from mobile.viewmodels.taps import Taps
from mobile.viewmodels.texts import Texts

TONES = {
    **dict.fromkeys(
        (
            OpeningState.JAMMED,
            OpeningState.MOTOR_TIMEOUT,
            OpeningState.BY_HAND,
            OpeningState.AJAR,
            OpeningState.NOT_FOUND,
            OpeningState.NO_ANSWER,
            OpeningState.OUTCOME_UNKNOWN,
            OpeningState.BLUETOOTH_OFF,
        ),
        "warn",
    ),
    OpeningState.REFUSED: "bad",
    OpeningState.FAILED: "bad",
}
SHAPES = {
    OpeningState.BLUETOOTH_OFF: "bluetooth",
    OpeningState.NOT_FOUND: "offline",
    OpeningState.NO_ANSWER: "offline",
    OpeningState.OUTCOME_UNKNOWN: "help",
    OpeningState.BY_HAND: "person",
}
STEPS = {
    OpeningState.SEARCHING: 1,
    OpeningState.CONNECTING: 2,
    OpeningState.GRANTED_UNLOCKING: 3,
    OpeningState.GRANTED_LOCKING: 3,
}


@dataclass(frozen=True, slots=True)
class ResultView:
    """The full-colour screen. `tone` is running, good, warn or bad; `step` 1–3 while running, else 0."""

    door_id: str = ""
    door: str = ""
    tone: str = "running"
    icon: str = "search"
    title: str = ""
    happened: str = ""
    next: str = ""
    step: int = 0
    can_retry: bool = False
    can_lock: bool = False
    can_help: bool = False


def tone(state: OpeningState) -> str:
    """The colour class; 'good' belongs to what the lock itself confirmed and to nothing else."""
    if state.done_well:
        return "good"
    return TONES.get(state, "running")


def icon(state: OpeningState) -> str:
    """A shape per class, so that colour is never alone in telling."""
    if state in {OpeningState.OPEN, OpeningState.ALREADY_OPEN}:
        return "unlocked"
    if state in {OpeningState.LOCKED, OpeningState.ALREADY_LOCKED}:
        return "locked"
    if state in SHAPES:
        return SHAPES[state]
    return {"running": "search", "warn": "warning", "bad": "cross"}[tone(state)]


def words(opening: Opening, texts: Texts) -> tuple[str, str, str]:
    """Title, what happened, what to do next."""
    state = opening.state
    title = texts.tr(f"opening.{state.value}")
    if state.running or state is OpeningState.IDLE:
        key = {1: "result.searching", 2: "result.connecting"}.get(STEPS.get(state, 1), "result.granted")
        return title, texts.tr(key), ""
    if state.done_well:
        return title, texts.tr(f"result.{state.value}"), ""
    reason = texts.reason(opening.reason or _default_slug(state))
    if state in {OpeningState.REFUSED, OpeningState.FAILED}:
        return title, f"{reason.title}. {reason.happened}", reason.next
    return title, reason.happened, reason.next


def _default_slug(state: OpeningState) -> str:
    return {OpeningState.REFUSED: "unexpected", OpeningState.FAILED: "unexpected"}.get(state, state.value)


class ResultModel:
    """The result screen: from the tap until the person has read what came of it."""

    def __init__(self, session: Session, navigation: Navigation, taps: Taps) -> None:
        self._session, self._navigation, self._taps = session, navigation, taps

    def opening(self) -> Opening:
        """The tap that is shown."""
        return self._taps.current(self._navigation.door_id)

    def view(self) -> ResultView:
        """What to show now."""
        texts, opening = self._session.texts, self.opening()
        door = self._session.state.doors.get(opening.door_id)
        title, happened, next_step = words(opening, texts)
        over, well = not opening.state.running, opening.state.done_well
        return ResultView(
            door_id=opening.door_id,
            door=f"{door.address} · {doors.title(door, texts)}" if door else "",
            tone=tone(opening.state),
            icon=icon(opening.state),
            title=title,
            happened=happened,
            next=next_step,
            step=STEPS.get(opening.state, 0),
            can_retry=over and not well,
            can_lock=well and opening.operation is Operation.OPEN and door is not None and door.may_lock,
            can_help=over and not well,
        )

    def retry(self) -> None:
        """Ask again: the engine repeats the same request, so nothing happens twice."""
        opening = self.opening()
        self._taps.act(opening.door_id, opening.operation, early=opening.early)

    def lock(self) -> None:
        """Lock the door that was just opened."""
        self._taps.act(self._navigation.door_id, Operation.LOCK)

    def done(self) -> None:
        """Read and understood: back to where the person came from."""
        door_id = self._navigation.door_id
        self._taps.forget(door_id)
        self._navigation.back()
        self._session.call(self._session.engine.dismiss_opening(door_id))
