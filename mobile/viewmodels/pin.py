"""The first login: the PIN or passphrase that opens the vault."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.errors import EngineError
from mobile.engine.storage.attempts import MAX_FAILURES
from mobile.engine.storage.pin import MIN_DIGITS
from mobile.viewmodels.session import Session

MAX_DIGITS = 16


@dataclass(frozen=True, slots=True)
class PinView:
    """`filled` dots of at least `places`; the digits themselves never leave the model."""

    prompt: str = ""
    hello: str = ""
    filled: int = 0
    places: int = MIN_DIGITS
    message: str = ""
    trouble: bool = False
    working: bool = False
    waiting: bool = False
    can_open: bool = False
    phrase: bool = False
    people: tuple[tuple[str, str], ...] = ()
    person: str = ""


class PinModel:
    """Collects digits, asks the engine, says how many tries are left and how long to wait."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._digits = ""
        self._working = False
        self._phrase = False
        self._error: EngineError | None = None

    def __repr__(self) -> str:
        return "<pin model>"

    def view(self) -> PinView:
        """What to show now."""
        state, texts = self._session.state, self._session.texts
        name = next((card.label for card in state.bearers if card.id == state.active_bearer), "")
        waiting = self._wait() > 0
        message, trouble = self._message()
        return PinView(
            prompt=texts.tr("pin.phrase_prompt" if self._phrase else "pin.prompt"),
            hello=texts.tr("pin.hello", name=name) if name else "",
            filled=len(self._digits),
            places=max(MIN_DIGITS, len(self._digits)),
            message=message,
            trouble=trouble,
            working=self._working,
            waiting=waiting,
            can_open=not self._working and not waiting and (self._phrase or len(self._digits) >= MIN_DIGITS),
            phrase=self._phrase,
            people=tuple((card.id, card.label or card.id[:4]) for card in state.bearers)
            if len(state.bearers) > 1
            else (),
            person=state.active_bearer,
        )

    def press(self, digit: str) -> None:
        """One key of the pad."""
        if not self._working and len(self._digits) < MAX_DIGITS:
            self._digits += digit
            self._error = None
            self._session.changed()

    def erase(self) -> None:
        """The last digit away."""
        if not self._working:
            self._digits = self._digits[:-1]
            self._session.changed()

    def choose(self, bearer_id: str) -> None:
        """Another person of a pool phone."""
        if not self._working and bearer_id != self._session.state.active_bearer:
            self._digits, self._error = "", None
            self._session.call(self._session.engine.select_bearer(bearer_id))

    def toggle_phrase(self) -> None:
        """Between the pad and a text field."""
        self._digits, self._phrase, self._error = "", not self._phrase, None
        self._session.changed()

    def open(self, phrase: str = "") -> None:
        """Try; the digits are forgotten at once, whatever comes of it."""
        secret = phrase if self._phrase else self._digits
        if not self.view().can_open or not secret:
            return
        self._digits, self._working, self._error = "", True, None
        self._session.changed()
        self._session.call(self._session.engine.unlock(secret), self._opened, self._failed)

    def _opened(self, _: None) -> None:
        self._working, self._error, self._phrase = False, None, False

    def _failed(self, error: EngineError) -> None:
        self._working, self._error = False, error
        if error.code == "vault_wiped":
            self._session.farewell = error.code

    def _wait(self) -> int:
        return max(0, self._session.state.pin_wait_until - self._session.wall())

    def _message(self) -> tuple[str, bool]:
        """One line under the dots, and whether it tells of trouble."""
        texts, left = self._session.texts, self._session.state.pin_attempts_left
        wait, error = self._wait(), self._error
        if self._working:
            return texts.tr("pin.opening"), False
        if wait:
            return texts.tr("pin.wait", time=texts.duration(wait)), True
        if error is not None and error.code != "wrong_pin":
            words = texts.reason(error.code)
            return f"{words.title}. {words.next}", True
        return self._tries(left, error is not None)

    def _tries(self, left: int, failed: bool) -> tuple[str, bool]:
        texts = self._session.texts
        if left == 1:
            return texts.tr("pin.last_try"), True
        if failed:
            return f"{texts.reason('wrong_pin').title}. {texts.count('pin.left', left)}", True
        if left < MAX_FAILURES:
            return texts.count("pin.left", left), False
        return "", False
