"""Min PIN och telefonen: another PIN, how soon the app locks itself, who else is here, and leaving it."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.errors import EngineError, WeakPinError
from mobile.engine.storage.pin import check_new_pin
from mobile.viewmodels.forms import Form, slug_of
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.preferences import IDLE_MINUTES
from mobile.viewmodels.session import Session


@dataclass(frozen=True, slots=True)
class MyPinView:
    """`step` is "" (everything), "pin" (three fields) or "leave" (the question before leaving)."""

    step: str = ""
    message: str = ""
    done: str = ""
    working: bool = False
    guard: str = ""
    """What a copied vault is worth on this phone, and what to do about it."""
    minutes: tuple[tuple[str, str], ...] = ()
    chosen_minutes: str = ""
    others: str = ""
    leaves: str = ""


class MyPinModel(Form):
    """PINs pass through; they are not kept."""

    def __init__(self, session: Session, navigation: Navigation) -> None:
        super().__init__(session)
        self._navigation = navigation
        self._step = self._done = ""
        self._error: EngineError | None = None

    def view(self) -> MyPinView:
        """What to show now."""
        state, texts = self._session.state, self._session.texts
        others = [card.label or card.id[:4] for card in state.bearers if card.id != state.active_bearer]
        return MyPinView(
            step=self._step,
            message=self._why() or self.message(),
            done=texts.tr(self._done) if self._done else "",
            working=self.working,
            guard=texts.tr("mypin.guarded" if state.hardware_key else "mypin.unguarded"),
            minutes=tuple((str(one), texts.count("mypin.minutes", one)) for one in IDLE_MINUTES),
            chosen_minutes=str(self._session.preferences.idle_minutes),
            others=texts.tr("mypin.others", names=", ".join(others)) if others else texts.tr("mypin.alone"),
            leaves=self._leaves(),
        )

    def begin(self, step: str) -> None:
        """Show the fields for another PIN, or the question before leaving."""
        self._step, self._done = step, ""
        self._forget()
        self._session.changed()

    def cancel(self) -> None:
        """Back to everything."""
        self.begin("")

    def change(self, old: str, new: str, again: str) -> None:
        """Another PIN or a passphrase; a weak one is refused before anything is tried."""
        self._forget()
        try:
            check_new_pin(new)
        except WeakPinError as error:
            return self.complain(slug_of(error))
        if new != again:
            return self.complain("pin_mismatch")
        return self.submit(lambda: self._session.engine.change_pin(old, new), lambda _: self._changed())

    def choose_minutes(self, minutes: str) -> None:
        """How soon the app locks itself."""
        self._session.preferences.idle_minutes = int(minutes)
        self._session.preferences.save()
        self._session.changed()

    def add_person(self) -> None:
        """A colleague enrols; this vault stays open until theirs is made, so that it is the same phone."""
        self._navigation.enrol_another(True)

    def leave(self) -> None:
        """Yes: erase the open vault from this phone."""
        bearer = self._session.state.active_bearer
        self.submit(lambda: self._session.engine.remove_bearer(bearer), lambda _: self._left())

    def _left(self) -> None:
        self._session.farewell = "bearer_removed"
        self.cancel()

    def _changed(self) -> None:
        self._step, self._done = "", "mypin.changed"

    def _failed(self, error: EngineError) -> None:
        super()._failed(error)
        self._error = error
        if error.code == "vault_wiped":
            self._step, self._session.farewell = "", error.code

    def _forget(self) -> None:
        self._error = None
        self.clear()

    def _why(self) -> str:
        """A wrong PIN says how many tries are left, and how long to wait."""
        error, texts = self._error, self._session.texts
        if error is None or error.code not in {"wrong_pin", "pin_delay"}:
            return ""
        wait, left = int(error.details.get("wait_seconds", 0)), int(error.details.get("attempts_left", 0))
        words = [texts.reason("wrong_pin").title] if error.code == "wrong_pin" else []
        words.append(texts.tr("pin.last_try") if left == 1 else texts.count("pin.left", left))
        if wait:
            words.append(texts.tr("pin.wait", time=texts.duration(wait)))
        return " ".join(word.rstrip(".") + "." for word in words)

    def _leaves(self) -> str:
        texts, waiting = self._session.texts, self._session.state.sync.waiting_logs
        logs = texts.count("mypin.leave_logs", waiting) if waiting else ""
        return f"{texts.tr('mypin.leave_ask')} {logs}".strip()
