"""The second login: name and password, then the code of the authenticator."""

from __future__ import annotations

from dataclasses import dataclass

from mobile.engine.state import LoginState
from mobile.viewmodels.forms import Form
from mobile.viewmodels.navigation import Navigation
from mobile.viewmodels.session import Session

CODE_LENGTHS = frozenset({6, 8})
"""Of a code app's code, and of a recovery code."""


@dataclass(frozen=True, slots=True)
class SignInView:
    """`needs_code` chooses between the two steps."""

    intro: str = ""
    username: str = ""
    needs_code: bool = False
    message: str = ""
    working: bool = False


class SignInModel(Form):
    """The forms of the second login. Passwords and codes pass through; they are not kept."""

    def __init__(self, session: Session, navigation: Navigation) -> None:
        super().__init__(session)
        self._navigation = navigation

    def view(self) -> SignInView:
        """What to show now."""
        state, texts = self._session.state, self._session.texts
        return SignInView(
            intro=texts.tr("signin.intro", municipality=state.municipality_name or texts.tr("about.server")),
            username=state.username,
            needs_code=state.login is LoginState.NEEDS_CODE,
            message=self.message() or self._warning(),
            working=self.working,
        )

    def sign_in(self, username: str, password: str) -> None:
        """First half."""
        if not username.strip() or not password:
            return self.complain("bad_credentials")
        return self.submit(lambda: self._session.engine.sign_in(username.strip(), password), self._went_on)

    def second_factor(self, code: str) -> None:
        """Second half: the code app's six digits, or one of the recovery codes that a substitute gets."""
        digits = "".join(code.split())
        if not (digits.isdigit() and len(digits) in CODE_LENGTHS):
            return self.complain("wrong_second_factor")
        return self.submit(lambda: self._session.engine.second_factor(digits), self._went_on)

    def later(self) -> None:
        """Work with the rights the vault holds."""
        self.clear()
        self._navigation.work_offline()

    def _warning(self) -> str:
        """What was wrong with the vault, and why there is nothing in it until the person has signed in."""
        slug = self._session.state.vault_warning
        if not slug:
            return ""
        words = self._session.texts.reason(slug)
        return f"{words.title}. {words.happened} {words.next}"

    def _went_on(self, _: None) -> None:
        if self._session.state.login is LoginState.SIGNED_IN:
            self._session.call(self._session.engine.sync())
