"""Locks the app when nobody has touched it for a while: a phone left on a table must not stay open."""

from __future__ import annotations

import time
from collections.abc import Callable

from mobile.engine.state import AlarmStage, Stage
from mobile.viewmodels.session import Session


class IdleLock:
    """Asked once a second; `touched` puts the time back. A clock that nobody can set measures it."""

    def __init__(
        self, session: Session, busy: Callable[[], bool], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._session, self._busy, self._monotonic = session, busy, monotonic
        self._last = monotonic()

    def touched(self) -> None:
        """A finger or a key."""
        self._last = self._monotonic()

    def tick(self) -> None:
        """Lock when it is time; never under a tap, nor while an alarm waits for an answer."""
        state = self._session.state
        asked = any(alarm.stage is AlarmStage.OFFERED for alarm in state.alarms)
        if state.stage is not Stage.UNLOCKED or asked or self._busy():
            self.touched()
        elif self._monotonic() - self._last >= self._session.preferences.idle_minutes * 60:
            self.touched()
            self._session.call(self._session.engine.lock_app())
