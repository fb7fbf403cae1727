"""How people sign in: no self-service sign-up, sealed TOTP secrets, a second factor for every phone."""

from __future__ import annotations

import json
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import LoginForm as StockLoginForm
from allauth.account.internal.stagekit import clear_login
from allauth.account.stages import LoginStage
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import is_headless_request
from allauth.headless.internal.restkit.response import APIResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from server.people.second_factor import has_typed_factor
from server.tenancy import custody

TOTP_CONTEXT = "mfa.totp"


class AccountAdapter(DefaultAccountAdapter):
    """Users are made in the admin, never by themselves."""

    def is_open_for_signup(self, _request: HttpRequest) -> bool:
        """Nobody signs up."""
        return False

    def get_login_stages(self) -> list[str]:
        """Ask for a second factor before anything else lets the person in."""
        return ["server.people.accounts.SecondFactorStage", *super().get_login_stages()]


class SecondFactorStage(LoginStage):
    """Refuses a phone's sign-in by somebody who has no second factor.

    At a browser such a person gets in, but only to the pages where one is set up (`SecondFactorMiddleware`);
    a phone has no such pages.
    """

    key = "second_factor_required"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        """Go on, or refuse."""
        if is_headless_request(self.request) and not has_typed_factor(self.login.user):
            clear_login(self.request)
            raise ImmediateHttpResponse(SecondFactorRefusal(self.request))
        return None, True


class LoginForm(StockLoginForm):
    """The sign-in form; offers a forgotten password only when mail can be sent."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.MAIL_CONFIGURED:
            self.fields["password"].help_text = ""


class SecondFactorRefusal(APIResponse):
    """The refusal in allauth's form, with the fields every other error of our API has beside it."""

    def __init__(self, request: HttpRequest) -> None:
        code = SecondFactorStage.key
        texts = {
            "message_sv": "Ditt konto saknar tvåstegsverifiering. Slå på den i webbläsaren först.",
            "message_en": "Your account has no second factor. Set one up in the browser first.",
        }
        super().__init__(request, errors=[{"code": code, "message": texts["message_en"]}], status=403)
        body = {**json.loads(self.getvalue()), "code": code, **texts, "details": {}}
        self.content = json.dumps(body).encode()


class SealingMFAAdapter(DefaultMFAAdapter):
    """TOTP secrets and recovery seeds rest encrypted; allauth itself would store them in clear."""

    def encrypt(self, text: str) -> str:
        """Seal a secret for the database."""
        return custody.seal(text.encode(), TOTP_CONTEXT).hex()

    def decrypt(self, encrypted_text: str) -> str:
        """Open a sealed secret."""
        return custody.unseal(bytes.fromhex(encrypted_text), TOTP_CONTEXT).decode()
