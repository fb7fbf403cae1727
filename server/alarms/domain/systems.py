"""Letting an alarm system in: a token that is shown once, and taken back."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.alarms.models import AlarmSystem
from server.alarms.queries import hash_token
from server.audit import actions
from server.audit.domain import record
from server.people.models import User
from server.tenancy.models import Municipality

CONNECTED = actions.register("alarms.system_connected", _("alarm system connected"), needs_actor=True)
DISCONNECTED = actions.register("alarms.system_revoked", _("alarm system shut out"), needs_actor=True)

TOKEN_BYTES = 32


@transaction.atomic
def connect(*, municipality: Municipality, name: str, actor: User) -> tuple[AlarmSystem, str]:
    """Make a key for an alarm system; returns it with the token, of which only the hash is kept."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    system = AlarmSystem.objects.create(municipality=municipality, name=name, token_hash=hash_token(token))
    record(action=CONNECTED, target=system, actor=actor, after={"name": name})
    return system, token


@transaction.atomic
def disconnect(*, system: AlarmSystem, at: datetime, actor: User) -> None:
    """Shut a system out; its alarms go on. Twice is once."""
    if AlarmSystem.objects.filter(pk=system.pk, revoked_at__isnull=True).update(revoked_at=at):
        record(action=DISCONNECTED, target=system, actor=actor)
