"""Whether somebody has a second factor: one of their own here, or one the identity provider proved."""

from __future__ import annotations

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from server.people.models import User

TYPED = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
"""What can be typed into a phone; a security key cannot."""
HELD = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
"""What is asked for at sign-in. Recovery codes stand in for one of these; alone nobody asks for them."""


def has_second_factor(user: User, session: SessionBase) -> bool:
    """Return whether the person has set one up here, or signed on with a level that includes one."""
    own = bool(is_mfa_enabled(user, types=list(HELD)))
    return own or (bool(settings.OIDC_REQUIRED_ACR) and signed_on(user, session))


def has_typed_factor(user: User) -> bool:
    """Return whether the person can sign in on a phone."""
    return bool(is_mfa_enabled(user, types=list(TYPED)))


def signed_on(user: User, session: SessionBase) -> bool:
    """Return whether this session began at the municipality's identity provider."""
    request = HttpRequest()
    request.session = session
    records = get_authentication_records(request, user)
    return any(record.get("method") == "socialaccount" for record in records)
