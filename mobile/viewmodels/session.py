"""What all screens share: the newest snapshot, the words, the clock, the way to the engine, and listeners."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from datetime import tzinfo
from typing import Any, TypeVar

from mobile.engine.errors import EngineError
from mobile.engine.facade import Engine, Unsubscribe
from mobile.engine.state import AppState
from mobile.viewmodels.preferences import Preferences
from mobile.viewmodels.runner import Runner
from mobile.viewmodels.texts import Texts

T = TypeVar("T")
Listener = Callable[[], None]


def _wall_clock() -> int:
    return int(time.time())


def _nothing() -> None:
    """What an ended subscription has left to end."""


class Session:
    """One running app. Lives on the screens' thread; only `_arrived` hops over from the engine's."""

    def __init__(
        self,
        engine: Engine,
        runner: Runner,
        preferences: Preferences,
        *,
        now: Callable[[], int] = _wall_clock,
        zone: tzinfo | None = None,
    ) -> None:
        self.engine, self.runner, self.preferences = engine, runner, preferences
        self.wall, self._zone = now, zone
        """The phone's own clock, for what the phone itself counts by it (the wait after a wrong PIN)."""
        self.texts = Texts(preferences.language, zone)
        self.state: AppState = engine.state
        self.farewell = ""
        """The slug that explains why the vault is gone, shown by the next enrolment."""
        self._listeners: list[Listener] = []
        self._unsubscribe: Unsubscribe = engine.subscribe(self._arrived)

    def now(self) -> int:
        """What time it is: the phone's clock with its known error taken out, for visits and rights."""
        return self.wall() - self.state.sync.clock_off_seconds

    def listen(self, listener: Listener) -> None:
        """Call `listener` whenever a screen may have something new to show."""
        self._listeners.append(listener)

    def changed(self) -> None:
        """Tell every listener."""
        for listener in tuple(self._listeners):
            listener()

    def speak(self, language: str) -> None:
        """Switch the language while running."""
        self.preferences.language = language
        self.preferences.save()
        self.texts = Texts(language, self._zone)
        self.changed()

    def call(
        self,
        verb: Coroutine[Any, Any, T],
        done: Callable[[T], None] | None = None,
        failed: Callable[[EngineError], None] | None = None,
    ) -> None:
        """Run one verb of the engine and tell the listeners when it is over."""

        def after(result: T) -> None:
            if done:
                done(result)
            self.changed()

        def trouble(error: EngineError) -> None:
            if failed:
                failed(error)
            self.changed()

        self.runner.run(verb, after, trouble)

    def close(self) -> None:
        """Stop listening to the engine; twice is harmless."""
        self._unsubscribe()
        self._unsubscribe = _nothing
        self._listeners.clear()

    def _arrived(self, state: AppState) -> None:
        self.runner.post(lambda: self._take(state))

    def _take(self, state: AppState) -> None:
        self.state = state
        self.changed()
