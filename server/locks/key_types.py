"""Which types of phone keys a municipality can take: those that every lock in use can shake hands with."""

from __future__ import annotations

from django.db.models import F

from protocol import suites
from server.locks.models import Lock


def key_types_taken(municipality_id: int) -> list[int]:
    """Return the key types that open every lock in use; X25519 always does (protocol, section 24)."""
    in_use = Lock.unscoped.filter(municipality=municipality_id).exclude(state=Lock.State.RETIRED)
    return [
        int(suite.key_type)
        for suite in suites.SUITES
        if suite is suites.SUITE_1
        or not in_use.annotate(offers=F("suites").bitand(suite.bit)).filter(offers=0).exists()
    ]
