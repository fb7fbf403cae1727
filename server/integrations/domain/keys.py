"""Business systems' keys: made once, shown once, taken back."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.integrations.models import PROVIDERS_OWN, ApiKey, Kind
from server.people.models import CareProvider, User
from server.tenancy.models import Municipality

CREATED = actions.register("integrations.key_made", _("key of a business system made"), needs_actor=True)
REVOKED = actions.register(
    "integrations.key_revoked", _("key of a business system revoked"), needs_actor=True
)

TOKEN_BYTES = 32
SHOWN = 8
"""So much of a key's beginning is kept, to tell keys apart: 32 bytes leave enough that nobody knows."""


def hash_token(token: str) -> bytes:
    """Return what is kept of a key."""
    return hashlib.sha256(token.encode()).digest()


def may_import(kind: str, provider: CareProvider | None) -> bool:
    """Return whether rows of this kind can be a single provider's."""
    return provider is None or kind in PROVIDERS_OWN


@transaction.atomic
def make_key(
    *,
    municipality: Municipality,
    name: str,
    source: str,
    scopes: Sequence[str],
    actor: User,
    at: datetime,
    provider: CareProvider | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; returns it with the token, of which only the hash is kept."""
    allowed = [kind for kind in Kind.values if kind in scopes and may_import(kind, provider)]
    token = secrets.token_urlsafe(TOKEN_BYTES)
    key: ApiKey = ApiKey.objects.create(
        municipality=municipality,
        name=name,
        source=source,
        provider=provider,
        scopes=allowed,
        token_hash=hash_token(token),
        beginning=token[:SHOWN],
        created_at=at,
        created_by=actor,
    )
    said = {"name": name, "source": source, "provider": str(provider or ""), "scopes": allowed}
    record(action=CREATED, target=key, actor=actor, after=said)
    return key, token


@transaction.atomic
def revoke_key(*, key: ApiKey, at: datetime, actor: User) -> None:
    """Shut a key out; what it imported stays. Twice is once."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=at):
        record(action=REVOKED, target=key, actor=actor)
