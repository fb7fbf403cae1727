"""Which screen is up: the engine's stage decides the first ones, the person the rest.

A screen that must be seen at once (an alarm) may come by itself over any other, but neither under a finger
nor while a tap is being carried out: it waits for that.
"""

from __future__ import annotations

from collections.abc import Callable

from mobile.engine.state import LoginState, Stage
from mobile.viewmodels.session import Session

TABS = ("today", "history", "settings")


class Navigation:
    """The current screen (enrol, pin, signin, a tab, door, result, help) and the door it is about."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._stack: list[tuple[str, str]] = [("today", "")]
        self._work_offline = False
        self._callers: list[tuple[str, Callable[[], bool]]] = []
        self._put_aside: dict[str, Callable[[], None]] = {}
        self._busy: list[Callable[[], bool]] = []
        self._called = ""
        self.touched = False
        """A finger is on the glass."""
        self.enrolling = False
        """Another person enrols on a phone that has vaults already."""
        self._stage = session.state.stage
        session.listen(self._follow)

    @property
    def screen(self) -> str:
        """The name of the screen to show."""
        state = self._session.state
        if state.stage is Stage.NOT_ENROLLED or self.enrolling:
            return "enrol"
        if state.stage is Stage.LOCKED:
            return "pin"
        if state.login is not LoginState.SIGNED_IN and not self._work_offline:
            return "signin"
        return self._called or self._stack[-1][0]

    @property
    def door_id(self) -> str:
        """The door that the door, result and help screens are about, else ''."""
        return self._stack[-1][1]

    @property
    def under(self) -> str:
        """The screen that the person chose, whatever has come up over it."""
        return self._stack[-1][0]

    @property
    def tab(self) -> str:
        """Which tab is lit, or '' when the tabs are hidden."""
        return self.screen if self.screen in TABS else ""

    def go(self, screen: str, door_id: str = "") -> None:
        """Show a screen; a tab starts over from there, the same screen twice is one."""
        if screen in TABS:
            self._stack = [(screen, "")]
        elif self._stack[-1] != (screen, door_id):
            self._stack.append((screen, door_id))
        self._session.changed()

    def call_up(
        self, screen: str, when: Callable[[], bool], put_aside: Callable[[], None] | None = None
    ) -> None:
        """Show `screen` over every other for as long as `when()` is true; going back calls `put_aside`."""
        self._callers.append((screen, when))
        if put_aside is not None:
            self._put_aside[screen] = put_aside

    def wait_while(self, busy: Callable[[], bool]) -> None:
        """Call nothing up while `busy()` is true."""
        self._busy.append(busy)

    def back(self) -> bool:
        """One screen back; False when there is nowhere to go (the app may then close)."""
        if self.screen == self._called:
            # What has come by itself is answered, or put aside where it can be: never passed over.
            self._put_aside.get(self._called, lambda: None)()
            return True
        if len(self._stack) == 1 or self.screen != self._stack[-1][0]:
            return False
        self._stack.pop()
        self._session.changed()
        return True

    def holds(self, screen: str) -> bool:
        """Whether a screen is up or on the way back."""
        return any(place[0] == screen for place in self._stack)

    def drop(self, screen: str) -> None:
        """There is nothing left on a screen: it is no longer on the way back from any other."""
        self._stack = [place for place in self._stack if place[0] != screen] or [("today", "")]

    @property
    def _reading_a_result(self) -> bool:
        """Whoever is revoked at the door must read so there, though the door is gone, and what to do."""
        return self.holds("result") and self.under in {"result", "help"}

    def enrol_another(self, enrolling: bool) -> None:
        """Begin or give up enrolling one more person on this phone."""
        self.enrolling = enrolling
        self._session.changed()

    def sign_in(self) -> None:
        """Show the second login again."""
        self._work_offline = False
        self._session.changed()

    def work_offline(self) -> None:
        """Go on without the second login: rights that the vault holds still open doors."""
        self._work_offline = True
        self._stack = [("today", "")]
        self._session.changed()

    def _follow(self) -> None:
        state = self._session.state
        if state.stage is Stage.UNLOCKED is not self._stage:
            self.enrolling = False
        self._stage = state.stage
        if state.stage is not Stage.UNLOCKED:
            self._stack, self._work_offline = [("today", "")], False
        elif self.door_id and self.door_id not in state.doors and not self._reading_a_result:
            self._stack = [("today", "")]
        if state.login is LoginState.SIGNED_IN:
            # A session that ends during the shift must not throw anybody out of a door's screen.
            self._work_offline = True
        self._listen_for_calls()

    def _listen_for_calls(self) -> None:
        wanted = next((screen for screen, when in self._callers if when()), "")
        if not wanted or wanted == self._called or not (self.touched or any(busy() for busy in self._busy)):
            self._called = wanted
