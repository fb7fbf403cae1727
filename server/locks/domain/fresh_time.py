"""Fresh time: server time signed over one session's m0, for a phone that stands at the lock and is online."""

from __future__ import annotations

from datetime import datetime

from protocol import freshtime
from protocol.freshtime import FreshTime
from server.access.models import Token
from server.people.models import Phone
from server.problems import Problem
from server.tenancy.domain import keyring
from server.tenancy.models import RoleKey


def state_time(*, phone: Phone, binding_id: bytes, m0_hash: bytes, at: datetime) -> bytes:
    """Return the signed statement; raises `Problem` binding_unknown where the phone holds no right."""
    holds = Token.objects.filter(
        bearer__phone=phone, binding__binding_id=binding_id, revoked_at__isnull=True, expires__gt=at
    )
    if not holds.exists():
        raise Problem("binding_unknown")
    key = keyring.signing_key(phone.municipality_id, RoleKey.Role.BULLETIN)
    return freshtime.sign(FreshTime(binding_id, m0_hash, int(at.timestamp())), key)
