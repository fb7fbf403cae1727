"""Who is calling: a phone by its device token, a person by a session with a second factor.

What a phone may call at all is an allowlist of (method, URL name): a new view is closed to phones until it is
named here. A revoked phone may still hand in logs: they are sealed and signed by locks, and no passage is to
be lost because its courier was lost and found.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.headless.internal.sessionkit import authenticate_by_x_session_token
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from server.config.rest.views import ApiView
from server.people.domain.enrolment import hash_device_token
from server.people.models import Bearer, Phone, User
from server.people.queries import bearer_on_phone, phone_by_token_hash
from server.problems import Problem

PHONES_MAY = frozenset(
    {
        ("POST", "api-sync"),
        ("POST", "api-sync-look"),
        ("POST", "api-sync-revoked"),
        ("POST", "api-logs"),
        ("POST", "api-fresh-time"),
        ("POST", "api-leave"),
        ("POST", "api-break-glass"),
        ("POST", "api-practice"),
        ("POST", "api-deviations"),
        ("POST", "api-alarm-take"),
        ("POST", "api-alarm-decline"),
        ("POST", "api-alarm-hand-over"),
    }
)
REVOKED_PHONES_MAY = frozenset({("POST", "api-logs")})
MAX_TOKEN_LENGTH = 128


@dataclass(frozen=True)
class Device:
    """A phone as DRF's request.user."""

    phone: Phone
    is_authenticated: bool = field(default=True, init=False)


def bearing(request: Request | HttpRequest, scheme: str) -> str:
    """Return what follows `scheme` in the Authorization header, or an empty string."""
    name, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip()[:MAX_TOKEN_LENGTH] if name == scheme else ""


def phone_of(request: Request) -> tuple[Phone | None, str]:
    """Return the phone of the request's device token, and the token."""
    token = bearing(request, "Device")
    return (phone_by_token_hash(hash_device_token(token)) if token else None), token


class DeviceAuthentication(BaseAuthentication):
    """`Authorization: Device <device token>`."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Return the phone; raises `Problem` device_unknown, phone_revoked or not_permitted."""
        phone, _token = phone_of(request)
        if phone is None:
            raise Problem("device_unknown")
        match = request.resolver_match
        call = (request.method or "", match.url_name if match and match.url_name else "")
        if phone.revoked_at is not None and call not in REVOKED_PHONES_MAY:
            raise Problem("phone_revoked")
        if call not in PHONES_MAY and request.method != "OPTIONS":
            raise Problem("not_permitted")
        return Device(phone), None

    def authenticate_header(self, _request: Request) -> str:
        """Name the scheme."""
        return "Device"


class DeviceScheme(OpenApiAuthenticationExtension):
    """How the schema tells of device tokens."""

    target_class = DeviceAuthentication
    name = "device"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, Any]:
        """Return the OpenAPI security scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Device followed by a space and the device token from enrolment",
        }


def signed_in_user(token: str) -> User:
    """Return the user of an allauth app session; raises `Problem` as `signed_in` does."""
    return signed_in(token)[0]


def signed_in(token: str) -> tuple[User, SessionBase]:
    """Return the user of an allauth app session, and the session; raises `Problem`.

    session_missing when there is no such session or the account is closed, second_factor_required when
    the session was opened with a password alone.
    """
    # Session keys are letters and digits; anything else would only reach the database to be refused there.
    found = authenticate_by_x_session_token(token) if token.isascii() and token.isalnum() else None
    if found is None or not found[0].is_active:
        raise Problem("session_missing")
    user, session = found
    request = HttpRequest()
    request.session = session
    methods = {entry.get("method") for entry in get_authentication_records(request, user)}
    if "mfa" not in methods:
        raise Problem("second_factor_required")
    return user, session


def keep_signed_in(session: SessionBase, *, until: datetime) -> None:
    """Let a session last at least so long: nobody signs in twice in one shift, however long it is.

    Raises `Problem` session_missing when its person has signed out meanwhile.
    """
    # Asked of the row: `get_expiry_date` counts a session's hours from now, not from when it was opened.
    if Session.objects.filter(pk=session.session_key, expire_date__lt=until).exists():
        session.set_expiry(until)
        try:
            session.save()
        except UpdateError:
            raise Problem("session_missing") from None


class DeviceView(ApiView):
    """A view for phones, in their municipality's scope."""

    authentication_classes = (DeviceAuthentication,)
    phone: Phone

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Take the phone from the authentication and enter its scope."""
        super().initial(request, *args, **kwargs)
        self.phone = request.user.phone  # type: ignore[union-attr]
        self.enter_scope(self.phone.municipality_id)


class BearerView(DeviceView):
    """A view for a signed-in person on a phone."""

    bearer: Bearer
    session: SessionBase

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Find out which bearer the signed-in person is on this phone."""
        super().initial(request, *args, **kwargs)
        user, self.session = signed_in(request.headers.get("X-Session-Token", "")[:MAX_TOKEN_LENGTH])
        bearer = bearer_on_phone(self.phone, user.pk)
        if bearer is None:
            raise Problem("bearer_unknown")
        if bearer.revoked_at is not None:
            raise Problem("bearer_revoked")
        self.bearer = bearer
