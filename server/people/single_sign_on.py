"""Single sign-on for the municipality's own staff, by OpenID Connect (Core 1.0, code flow with PKCE).

Only what the ID token says counts: it comes straight from the identity provider over TLS, for our client id
and from the configured issuer (Core 1.0 section 3.1.3.7). It signs in only people whom an administrator has
made here without a password, so an identity provider can never take over an account that has one.
"""

from __future__ import annotations

from typing import Any, NoReturn

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.audit import actions
from server.audit.domain import record
from server.people.models import User

FIRST_SIGN_ON = actions.register("people.first_sign_on", gettext_lazy("first single sign-on"))


class SingleSignOnAdapter(DefaultSocialAccountAdapter):
    """Lets in whom an administrator expects, at the level the municipality asks for."""

    def is_open_for_signup(self, _request: HttpRequest, _sociallogin: SocialLogin) -> bool:
        """Nobody signs up."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the person the ID token names, or refuse in plain words."""
        claims: dict[str, Any] = sociallogin.account.extra_data.get("id_token") or {}
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            _refuse(request, _("Sign-ins are connected by an administrator."))
        if settings.OIDC_REQUIRED_ACR and claims.get("acr") not in settings.OIDC_REQUIRED_ACR:
            _refuse(request, _("Sign in with your e-identification: this sign-in was not strong enough."))
        name = claims.get(settings.OIDC_USERNAME_CLAIM)
        known = sociallogin.user if sociallogin.is_existing else _expected(name)
        if known is None or not _may_sign_on(known):
            _refuse(
                request, _("No account here waits for your single sign-on. Ask an administrator for one.")
            )
        if not sociallogin.is_existing:
            sociallogin.connect(request, known)
            record(action=FIRST_SIGN_ON, target=known, actor=known)

    def on_authentication_error(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> None:
        """Say that it failed and what to do; the log has why."""
        _refuse(request, _("The identity provider did not let you in. Try again."))


def _expected(name: object) -> User | None:
    if not isinstance(name, str) or not name:
        return None
    return User.objects.filter(username__iexact=name, municipality__slug=settings.OIDC_MUNICIPALITY).first()


def _may_sign_on(user: User) -> bool:
    return (
        user.is_active
        and not user.has_usable_password()
        and user.municipality is not None
        and user.municipality.slug == settings.OIDC_MUNICIPALITY
    )


def _refuse(request: HttpRequest, why: str) -> NoReturn:
    raise ImmediateHttpResponse(render(request, "account/sign_on_refused.html", {"why": why}, status=403))
