"""What the forms share: a verb under way, and one error in plain words."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mobile.engine.errors import EngineError, LockedError
from mobile.viewmodels.session import Session
from mobile.viewmodels.texts import slug_from_server

T = TypeVar("T")
LOCKED = LockedError.code


class Form:
    """Base of the enrol and sign-in models. One verb at a time: a second tap joins the first."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.working = False
        self._slug = ""
        self._turn = 0

    def start_anew(self) -> None:
        """Another person, or another door: what is under way is no business of theirs."""
        self._turn += 1
        self.working = False
        self.clear()

    def message(self) -> str:
        """The error line, or ''."""
        if not self._slug:
            return ""
        words = self._session.texts.reason(self._slug)
        return f"{words.title}. {words.next}"

    def complain(self, slug: str) -> None:
        """Show an error that needed no engine."""
        self._slug = slug
        self._session.changed()

    def clear(self) -> None:
        """No error any more."""
        self._slug = ""

    def submit(self, verb: Callable[[], Coroutine[Any, Any, T]], done: Callable[[T], None]) -> None:
        """Run a verb unless one is under way."""
        if self.working:
            return
        self.working, self._slug = True, ""
        turn = self._turn
        self._session.changed()

        def finished(result: T) -> None:
            if turn == self._turn:
                self.working = False
                done(result)

        def failed(error: EngineError) -> None:
            if turn == self._turn:
                self._failed(error)

        self._session.call(verb(), finished, failed)

    def _failed(self, error: EngineError) -> None:
        """What to tell; nothing when the app was locked under it, for whoever asked is gone."""
        self.working, self._slug = False, "" if error.code == LOCKED else slug_of(error)


def slug_of(error: EngineError) -> str:
    """The slug with the plainest words for an error: a weak PIN says in which way it is weak."""
    why = error.details.get("why")
    if error.code == "weak_pin" and why:
        return f"{error.code}_{why}"
    return slug_from_server(error.code)
