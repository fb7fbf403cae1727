"""The second login: django-allauth's headless API for apps, password and then a TOTP code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mobile.engine import answers
from mobile.engine.board import Board
from mobile.engine.content import Identity
from mobile.engine.errors import EngineError, ServerError, SignInError
from mobile.engine.http import Answer, Http
from mobile.engine.keyring import Keyring
from mobile.engine.state import LoginState

PREFIX = "/_allauth/app/v1/auth"
_CODES = {
    "username_password_mismatch": "bad_credentials",
    "email_password_mismatch": "bad_credentials",
    "incorrect_code": "wrong_second_factor",
    "too_many_login_attempts": "too_many_attempts",
    "rate_limited": "too_many_attempts",
}
_OWN_CODES = frozenset({"second_factor_required", "too_many_attempts", "phone_revoked", "app_too_old"})


class SignIn:
    """Signs one person in and out; the session is kept in the vault, the password nowhere."""

    def __init__(self, *, http: Http, keyring: Keyring, board: Board) -> None:
        self._http, self._keyring, self._board = http, keyring, board
        self._half_way = ""

    async def password(self, username: str, password: str) -> None:
        """First half. Raises SignInError, ServerError or LockedError; afterwards a code is needed."""
        self.forget_half()
        answer = await self._post("/login", {"username": username.strip(), "password": password})
        if answer.status == 200:
            # No second factor was asked for: this account has none, and one is required.
            await self._end(_session(answer), self._keyring.content.identity)
            raise SignInError("second_factor_required")
        if answer.status != 401 or not _waits_for_code(answer):
            raise _refusal(answer)
        self._half_way = _session(answer)
        self._board.show(login=LoginState.NEEDS_CODE)

    async def code(self, code: str) -> None:
        """Second half: the six digits. Raises SignInError, ServerError or LockedError."""
        if not self._half_way:
            raise SignInError("session_expired")
        answer = await self._post("/2fa/authenticate", {"code": "".join(code.split())}, self._half_way)
        if answer.status != 200:
            if answer.status in (401, 409, 410):
                self.forget_half()
                raise SignInError("session_expired")
            raise _refusal(answer)
        if not _is_signed_in(answer):
            raise ServerError("server_error")
        session = _session(answer, default=self._half_way)
        await self._keyring.change(lambda content: replace(content, session=session))
        self._half_way = ""
        self._board.show(login=LoginState.SIGNED_IN)

    async def out(self) -> None:
        """End the session here and at the server if it answers; forget rights, doors and visits."""
        content = self._keyring.content
        session = content.session or self._half_way
        self._half_way = ""
        await self._keyring.change(lambda content: content.without_work())
        self._board.show(login=LoginState.SIGNED_OUT)
        if session:
            await self._end(session, content.identity)

    def forget_half(self) -> None:
        """Forget a sign-in that stopped half-way."""
        if self._half_way:
            self._half_way = ""
            self._board.show(login=LoginState.SIGNED_OUT)

    async def _end(self, session: str, identity: Identity) -> None:
        try:
            await self._http.call(
                "DELETE",
                f"{identity.server_url}{PREFIX}/session",
                device_token=identity.device_token,
                session=session,
                expect=(200, 204, 401, 410),
            )
        except ServerError:
            return  # without coverage the server's own expiry ends it; here it is forgotten already

    async def _post(self, path: str, body: dict[str, Any], session: str = "") -> Answer:
        still = self._keyring.hold()
        identity = self._keyring.content.identity
        answer = await self._http.call(
            "POST",
            f"{identity.server_url}{PREFIX}{path}",
            body=body,
            device_token=identity.device_token,
            session=session,
            expect=(200, 400, 401, 403, 409, 410, 429),
        )
        still()
        return answer


def _session(answer: Answer, default: str | None = None) -> str:
    meta = answers.Body(answer.body).optional("meta") or answers.Body({})
    return meta.secret("session_token", default=default)


def _is_signed_in(answer: Answer) -> bool:
    meta = answers.Body(answer.body).optional("meta") or answers.Body({})
    return meta.has("is_authenticated") and meta.flag("is_authenticated")


def _waits_for_code(answer: Answer) -> bool:
    data = answers.Body(answer.body).optional("data") or answers.Body({})
    return any(flow.text("id", default="") == "mfa_authenticate" for flow in data.objects("flows"))


def _refusal(answer: Answer) -> EngineError:
    """The reason behind an answer that signed nobody in."""
    own = answers.Body(answer.body).text("code", default="")
    if own in _OWN_CODES:
        return SignInError(own)
    codes = [one.text("code", default="") for one in answers.Body(answer.body).objects("errors")]
    for code in codes:
        if code in _CODES or code in _OWN_CODES:
            return SignInError(_CODES.get(code, code))
    if answer.status == 429:
        return SignInError("too_many_attempts")
    return SignInError("bad_credentials" if answer.status in (400, 401) else "server_error")
