"""The first login: the PIN or passphrase that opens the vault."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.errors import EngineError
from mobile.engine.storage.attempts import MAX_FAILURES
from mobile.engine.storage.pin import MIN_DIGITS
from mobile.viewmodels.forms import LOCKED
from mobile.viewmodels.session import Session

MAX_DIGITS = 16
CANNOT_BE_OPENED = frozenset({"vault_corrupt", "hardware_key_gone"})


@dataclass(frozen=True, slots=True)
class PinView:
    """`filled` dots of at least `places`; the digits themselves never leave the model.

    `mode` is "pad", "phrase", "people" (whose vault?) or "clear" (remove it? asked also when it is broken).
    """

    mode: str = "pad"
    prompt: str = ""
    hello: str = ""
    filled: int = 0
    places: int = MIN_DIGITS
    message: str = ""
    trouble: bool = False
    working: bool = False
    waiting: bool = False
    can_open: bool = False
    people: tuple[tuple[str, str], ...] = ()
    """All whose vaults are here, when there are several: (bearer, initials)."""
    clear: str = ""
    """Words of the button for whoever may have forgotten the PIN."""
    farewell: str = ""
    """Why there is one vault less than before, shown to the others."""
    clear_title: str = ""
    clear_text: str = ""


class PinModel:
    """Collects digits, asks the engine, says how many tries are left and how long to wait."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._digits = ""
        self._working = False
        self._phrase = self._choosing = self._asking = False
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
            mode=self._mode(),
            prompt=texts.tr("pin.phrase_prompt" if self._phrase else "pin.prompt"),
            hello=texts.tr("pin.hello", name=name) if name else "",
            filled=len(self._digits),
            places=max(MIN_DIGITS, len(self._digits)),
            message=message,
            trouble=trouble,
            working=self._working,
            waiting=waiting,
            can_open=not self._working and not waiting and (self._phrase or len(self._digits) >= MIN_DIGITS),
            people=tuple((card.id, card.label or card.id[:4]) for card in state.bearers)
            if len(state.bearers) > 1
            else (),
            farewell=self._farewell(),
            clear=texts.tr("pin.forgot") if self._may_be_forgotten() else "",
            clear_title=self._clear_words()[0],
            clear_text=self._clear_words()[1],
        )

    def press(self, digit: str) -> None:
        """One key of the pad."""
        takes_more = self._mode() == "pad" and not self._working and not self._wait()
        if takes_more and len(self._digits) < MAX_DIGITS:
            self._digits += digit
            self._error = None
            self._session.changed()

    def erase(self) -> None:
        """The last digit away."""
        if not self._working:
            self._digits = self._digits[:-1]
            self._session.changed()

    def switch(self) -> None:
        """Show all whose vaults are here."""
        self._digits, self._error, self._choosing = "", None, True
        self._session.changed()

    def choose(self, bearer_id: str) -> None:
        """One of them."""
        self._digits, self._error, self._choosing = "", None, False
        self._session.farewell = ""
        if bearer_id == self._session.state.active_bearer:
            self._session.changed()
        else:
            self._session.call(self._session.engine.select_bearer(bearer_id))

    def ask_clear(self, asking: bool) -> None:
        """Show or hide the question before a vault is removed."""
        self._digits, self._asking, self._error = "", asking, None
        self._session.changed()

    def back(self) -> bool:
        """Leave a question or a choice for the pad; False when there is none, or nobody has been chosen."""
        asked, chosen = self._mode(), self._session.state.active_bearer
        if asked == "clear":
            self.ask_clear(False)
        elif asked == "people" and self._choosing and chosen:
            self.choose(chosen)
        return self._mode() != asked

    def clear(self) -> None:
        """Yes: remove the vault that was to be opened."""
        bearer = self._session.state.active_bearer
        self._asking, self._error = False, None
        self._session.call(self._session.engine.remove_bearer(bearer), self._removed, self._failed)

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

    def _removed(self, _: None) -> None:
        self._session.farewell = "bearer_removed"

    def _opened(self, _: None) -> None:
        self._working, self._error, self._phrase, self._choosing = False, None, False, False
        self._session.farewell = ""

    def _failed(self, error: EngineError) -> None:
        self._working, self._error = False, None if error.code == LOCKED else error
        if error.code == "vault_wiped":
            self._session.farewell, self._error = error.code, None

    def _mode(self) -> str:
        state = self._session.state
        several = len(state.bearers) > 1
        if several and (self._choosing or state.active_bearer not in {card.id for card in state.bearers}):
            return "people"
        if self._asking or self._broken():
            return "clear"
        return "phrase" if self._phrase else "pad"

    def _broken(self) -> bool:
        return self._error is not None and self._error.code in CANNOT_BE_OPENED

    def _may_be_forgotten(self) -> bool:
        silent = self._error is not None and self._error.code == "hardware_key_failed"
        return not self._working and (silent or self._session.state.pin_attempts_left < MAX_FAILURES)

    def _clear_words(self) -> tuple[str, str]:
        texts = self._session.texts
        if self._error is not None and self._broken():
            words = texts.reason(self._error.code)
            return words.title, f"{words.happened} {words.next}"
        return texts.tr("pin.clear_title"), texts.tr("pin.clear_text")

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
        if self._session.farewell and not self._digits:
            return self._farewell(), False
        return self._tries(left, error is not None)

    def _farewell(self) -> str:
        """Which vault is gone, for those whose vaults are still here."""
        if not self._session.farewell:
            return ""
        words = self._session.texts.reason(self._session.farewell)
        return f"{words.title}. {words.happened}"

    def _tries(self, left: int, failed: bool) -> tuple[str, bool]:
        texts = self._session.texts
        if left == 1:
            return texts.tr("pin.last_try"), True
        if failed:
            return f"{texts.reason('wrong_pin').title}. {texts.count('pin.left', left)}", True
        if left < MAX_FAILURES:
            return texts.count("pin.left", left), False
        return "", False
