"""Which business system is calling: `Authorization: ApiKey <token>`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from server.config.rest.views import ApiView
from server.integrations.domain.keys import hash_token
from server.integrations.models import ApiKey
from server.integrations.queries import key_by_hash, note_use
from server.people.api.callers import bearing
from server.problems import Problem

SCHEME = "ApiKey"
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """A business system as DRF's request.user."""

    key: ApiKey
    is_authenticated: bool = field(default=True, init=False)


class KeyAuthentication(BaseAuthentication):
    """`Authorization: ApiKey <token>`."""

    def authenticate(self, request: Request) -> tuple[Any, None]:
        """Return the key; raises `Problem` api_key_unknown, for one shut out as well."""
        token = bearing(request, SCHEME)
        key = key_by_hash(hash_token(token)) if token else None
        if key is None or key.revoked_at is not None or (key.provider and not key.provider.active):
            raise Problem("api_key_unknown")
        return Caller(key), None

    def authenticate_header(self, _request: Request) -> str:
        """Name the scheme."""
        return SCHEME


class KeyScheme(OpenApiAuthenticationExtension):
    """How the schema tells of business systems' keys."""

    target_class = KeyAuthentication
    name = "apiKey"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, Any]:
        """Return the OpenAPI security scheme."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "ApiKey followed by a space and the key made in the administration",
        }


class KeyView(ApiView):
    """A view for business systems, in their municipality's scope."""

    authentication_classes = (KeyAuthentication,)
    key: ApiKey

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Take the key from the authentication and enter its scope."""
        super().initial(request, *args, **kwargs)
        self.key = request.user.key  # type: ignore[union-attr]
        self.enter_scope(self.key.municipality_id)
        now = timezone.now()
        if self.key.last_used_at is None or self.key.last_used_at < now - USE_NOTED_EVERY:
            note_use(self.key, at=now)
