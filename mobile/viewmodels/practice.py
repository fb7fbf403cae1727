"""Övningsläge: a guided first opening at a practice lock, whose steps follow what really happens.

A step is done when the lock or the person has done it, never because a button was pressed: near is heard,
granted and open are said by the lock, a refusal is one. Done steps are kept in the vault: whoever is called
away goes on where it was left, and a colleague on a pool phone begins at the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mobile.engine.errors import EngineError
from mobile.engine.state import AppState, DoorKind, DoorView, Nearby, Opening, OpeningState, Operation, Stage
from mobile.viewmodels import doors
from mobile.viewmodels.forms import LOCKED
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session
from mobile.viewmodels.taps import Taps
from mobile.viewmodels.texts import slug_from_server


class Step(StrEnum):
    """What is learnt, in order."""

    NEAR = "near"
    TAP = "tap"
    GRANTED = "granted"
    OPEN = "open"
    LOCK = "lock"
    REFUSED = "refused"
    HELP = "help"


STEPS = tuple(Step)
_ASKED = frozenset({Step.NEAR, Step.TAP})
_GRANTED = _ASKED | {Step.GRANTED}
_SEEN = {
    (Operation.OPEN, OpeningState.SEARCHING): frozenset({Step.TAP}),
    (Operation.OPEN, OpeningState.CONNECTING): _ASKED,
    (Operation.OPEN, OpeningState.GRANTED_UNLOCKING): _GRANTED,
    (Operation.OPEN, OpeningState.OPEN): _GRANTED | {Step.OPEN},
    (Operation.OPEN, OpeningState.ALREADY_OPEN): _GRANTED | {Step.OPEN},
    (Operation.LOCK, OpeningState.LOCKED): frozenset({Step.LOCK}),
    (Operation.LOCK, OpeningState.ALREADY_LOCKED): frozenset({Step.LOCK}),
    (Operation.OPEN, OpeningState.REFUSED): frozenset({Step.REFUSED}),
}
_ACTS = {
    Step.NEAR: "open",
    Step.TAP: "open",
    Step.GRANTED: "open",
    Step.OPEN: "open",
    Step.LOCK: "lock",
    Step.REFUSED: "early",
    Step.HELP: "help",
}
_RANK = {Nearby.HERE: 0, Nearby.NEAR: 1, Nearby.NO: 2}


@dataclass(frozen=True, slots=True)
class StepRow:
    """One line of the guide; `text` is empty unless it is the one to do now."""

    step: str
    number: int
    title: str
    text: str
    done: bool
    current: bool


@dataclass(frozen=True, slots=True)
class PracticeView:
    """The whole screen. `act` is begin, open, lock, early, help or finish; `can`: whether it may be now."""

    headline: str = ""
    intro: str = ""
    trouble: str = ""
    steps: tuple[StepRow, ...] = ()
    places: tuple[str, ...] = ()
    """Where the practice locks are, while none is heard."""
    act: str = "begin"
    words: str = ""
    can: bool = True
    can_skip: bool = False
    can_repeat: bool = False


class PracticeModel:
    """Watches the practice locks' taps from the moment there are any, whichever screen is up."""

    def __init__(self, session: Session, navigation: Navigation, taps: Taps) -> None:
        self._session, self._navigation, self._taps = session, navigation, taps
        self._noted: frozenset[str] = frozenset()
        self._working = False
        self._error = ""
        self._known: tuple[object, list[DoorView]] = (None, [])
        self._old: Mapping[str, Opening] = {}
        """What had been said before practice was begun anew: it shows nothing of what is done now."""
        session.listen(self._follow)

    # -- what is shown --------------------------------------------------------------------------------------

    def view(self) -> PracticeView:
        """What to show now."""
        texts, state = self._session.texts, self._session.state
        done, places = self._done(), self._places(state)
        door = self._door(state)
        current = next((step for step in STEPS if step not in done), None)
        over = current is None
        act = "finish" if over else "begin" if door is None else _ACTS[current] if current else ""
        heard = door is not None and door.nearby is not Nearby.NO
        seeking = door is not None and act == "open" and not heard
        return PracticeView(
            headline=texts.tr("practice.over") if over else texts.tr("practice.headline"),
            intro=self._intro(state, door, over, heard),
            trouble=self._trouble(state, door),
            steps=tuple(self._row(step, done, current if door else None) for step in STEPS),
            places=() if heard or over else tuple(self._place(one) for one in places),
            act=act,
            words=texts.tr(f"practice.{'seeking' if seeking else 'working' if self._working else act}"),
            can=not self._working and not seeking,
            can_skip=act in {"early", "lock"},
            can_repeat=over,
        )

    @property
    def steps_done(self) -> int:
        """How many steps are done."""
        return len(self._done())

    @property
    def going_on(self) -> bool:
        """True when practice is begun, not over, and a practice lock may be opened now."""
        return 0 < self.steps_done < len(STEPS) and self._door(self._session.state) is not None

    def _intro(self, state: AppState, door: DoorView | None, over: bool, heard: bool) -> str:
        texts = self._session.texts
        if over:
            return texts.tr("practice.over_text")
        if door is not None:
            right = doors.right_text(door, texts, self._session.now())
            return f"{right} · {texts.tr('practice.heard')}" if heard else right
        return texts.tr("practice.time_is_up" if self._places(state) else "practice.intro")

    def _trouble(self, state: AppState, door: DoorView | None) -> str:
        slug = self._error or (doors.BLUETOOTH_SLUGS.get(state.bluetooth, "") if door else "")
        words = self._session.texts.reason(slug) if slug else None
        return f"{words.title}. {words.next}" if words else ""

    def _row(self, step: Step, done: frozenset[str], current: Step | None) -> StepRow:
        texts, now = self._session.texts, step is current
        return StepRow(
            step=step.value,
            number=STEPS.index(step) + 1,
            title=texts.tr(f"practice.{step.value}_title"),
            text=texts.tr(f"practice.{step.value}_text") if now else "",
            done=step in done,
            current=now,
        )

    def _place(self, door: DoorView) -> str:
        where = doors.place(door, self._session.texts)
        return " · ".join(part for part in (door.label, door.address, where) if part)

    # -- what is done ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Fetch the right to the practice locks."""
        if not self._working:
            self._working, self._error = True, ""
            self._session.changed()
            self._session.call(self._session.engine.begin_practice(), self._begun, self._failed)

    def act(self) -> None:
        """Do what the big button says."""
        view = self.view()
        door = self._door(self._session.state)
        if view.act == "begin":
            self.begin()
        elif view.act == "finish":
            self._navigation.back()
        elif door is not None and view.act == "help":
            self._navigation.go("help", door.id)
        elif door is not None:
            self._navigation.go("result", door.id)
            operation = Operation.LOCK if view.act == "lock" else Operation.OPEN
            self._taps.act(door.id, operation, early=view.act == "early")

    def skip(self) -> None:
        """Leave out the step that is to be done now."""
        current = next((step for step in STEPS if step not in self._done()), None)
        if current is not None:
            self._note(frozenset({current}))

    def repeat(self) -> None:
        """Begin at the beginning; the right is asked for again when it is over."""
        self._noted, self._old = frozenset(), self._session.state.openings
        self._session.call(self._session.engine.note_practice(frozenset()))

    def _begun(self, _none: None) -> None:
        self._working = False

    def _failed(self, error: EngineError) -> None:
        self._working = False
        self._error = "" if error.code == LOCKED else slug_from_server(error.code)

    # -- what has happened ----------------------------------------------------------------------------------

    def _follow(self) -> None:
        state = self._session.state
        if state.stage is not Stage.UNLOCKED:
            self._noted, self._error, self._known = frozenset(), "", (None, [])
            self._working, self._old = False, {}
            return
        seen = self._seen(state)
        if seen - self._done():
            self._note(seen)

    def _seen(self, state: AppState) -> frozenset[str]:
        found: frozenset[str] = frozenset()
        for door in self._places(state):
            opening = state.openings.get(door.id)
            if opening is not None and opening is not self._old.get(door.id):
                found |= _SEEN.get((opening.operation, opening.state), frozenset())
            if door.nearby is not Nearby.NO:
                found |= {Step.NEAR}
            if self._navigation.screen == "help" and self._navigation.door_id == door.id:
                found |= {Step.HELP}
        return found

    def _note(self, steps: frozenset[str]) -> None:
        self._noted = self._done() | steps
        self._session.call(self._session.engine.note_practice(self._noted))

    def _done(self) -> frozenset[str]:
        return self._session.state.practised | self._noted

    def _places(self, state: AppState) -> list[DoorView]:
        """The practice locks, the nearest first; looked for once in each list of doors, which may be long."""
        if self._known[0] is not state.doors:
            found = [door for door in state.doors.values() if door.kind is DoorKind.PRACTICE]
            found.sort(key=lambda door: (_RANK[door.nearby], door.address, door.id))
            self._known = (state.doors, found)
        return self._known[1]

    def _door(self, state: AppState) -> DoorView | None:
        """The nearest practice lock that may be opened now."""
        now = self._session.now()
        return next((door for door in self._places(state) if doors.allowed(door, now)), None)
