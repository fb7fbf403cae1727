"""Exposure: what can still be opened by something that is lost or revoked, until when, and who knows.

The narrow version: by token and binding, as of now. The pages about it come with their own queries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from server.access.models import Token
from server.access.token_queries import tokens_not_over
from server.locks.models import Binding, Bulletin
from server.people.models import Bearer, CareProvider, Phone, StaffMember
from server.places.models import Door


@dataclass(frozen=True)
class Exposed:
    """One door that a token may still open."""

    door: Door
    binding: Binding
    until: datetime
    lock_knows: bool
    """Whether the lock is known to have taken in a bulletin made since the revocation."""


def exposure(of: Bearer | Phone | StaffMember | CareProvider, *, at: datetime) -> list[Exposed]:
    """Return the doors that tokens of `of` may still open, the longest exposed first."""
    known = Bulletin.objects.filter(
        binding=OuterRef("binding"), created_at__gte=OuterRef("revoked_at"), known_at__isnull=False
    )
    tokens = (
        _tokens(of, at)
        .annotate(lock_knows=Exists(known))
        .defer("document")
        .select_related("binding__door", "binding__lock")
        .order_by("-expires", "pk")
    )
    longest: dict[int, Exposed] = {}
    for token in tokens:
        found = Exposed(token.binding.door, token.binding, token.expires, token.lock_knows)
        longest.setdefault(token.binding_id, found)
    return list(longest.values())


def _tokens(of: Bearer | Phone | StaffMember | CareProvider, at: datetime) -> QuerySet[Token]:
    tokens = tokens_not_over(at=at)
    if isinstance(of, Bearer):
        return tokens.filter(bearer=of)
    if isinstance(of, Phone):
        return tokens.filter(bearer__phone=of)
    if isinstance(of, StaffMember):
        return tokens.filter(bearer__staff=of)
    return tokens.filter(provider=of)
