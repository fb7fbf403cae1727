"""What the forms share: a verb under way, and one error in plain words."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from mobile.engine.errors import EngineError
from mobile.viewmodels.session import Session
from mobile.viewmodels.texts import slug_from_server

T = TypeVar("T")


class Form:
    """Base of the enrol and sign-in models. One verb at a time: a second tap joins the first."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.working = False
        self._slug = ""

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
        self._session.changed()

        def finished(result: T) -> None:
            self.working = False
            done(result)

        self._session.call(verb(), finished, self._failed)

    def _failed(self, error: EngineError) -> None:
        self.working, self._slug = False, slug_of(error)


def slug_of(error: EngineError) -> str:
    """The slug with the plainest words for an error: a weak PIN says in which way it is weak."""
    why = error.details.get("why")
    if error.code == "weak_pin" and why:
        return f"{error.code}_{why}"
    return slug_from_server(error.code)
