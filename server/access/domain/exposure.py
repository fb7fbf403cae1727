"""Exposure: what can still be opened by something that is lost or revoked, until when, and who knows.

The narrow version: by token and binding, as of now. The pages about it come with their own queries.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from protocol import bulletin
from protocol.bulletin import Bulletin as ProtocolBulletin
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
    """Whether the newest bulletin that the lock is known to have taken in kills every one of these tokens."""


def exposure(of: Bearer | Phone | StaffMember | CareProvider, *, at: datetime) -> list[Exposed]:
    """Return the doors that tokens of `of` may still open, the longest exposed first."""
    tokens = list(
        _tokens(of, at)
        .defer("document")
        .select_related("binding__door", "binding__lock")
        .order_by("-expires", "pk")
    )
    news = _news_in_locks({token.binding_id for token in tokens})
    longest: dict[int, Exposed] = {}
    for token in tokens:
        dead = _kills(news.get(token.binding_id), token)
        found = longest.get(token.binding_id)
        if found is None:
            longest[token.binding_id] = Exposed(token.binding.door, token.binding, token.expires, dead)
        elif not dead:
            longest[token.binding_id] = replace(found, lock_knows=False)
    return list(longest.values())


def _news_in_locks(bindings: set[int]) -> dict[int, ProtocolBulletin]:
    """The newest bulletin each lock said it has; what it says counts, not when it was made."""
    newest = (
        Bulletin.objects.filter(binding=OuterRef("binding"), known_at__isnull=False)
        .order_by("-seq")
        .values("seq")[:1]
    )
    rows = Bulletin.objects.filter(binding__in=bindings, seq=Subquery(newest))
    return {row.binding_id: bulletin.parse(bytes(row.document)).body for row in rows}


def _kills(news: ProtocolBulletin | None, token: Token) -> bool:
    if news is None:
        return False
    return news.revokes(bytes(token.token_id)) or news.ends(token.grp, int(token.issued_at.timestamp()))


def _tokens(of: Bearer | Phone | StaffMember | CareProvider, at: datetime) -> QuerySet[Token]:
    tokens = tokens_not_over(at=at)
    if isinstance(of, Bearer):
        return tokens.filter(bearer=of)
    if isinstance(of, Phone):
        return tokens.filter(bearer__phone=of)
    if isinstance(of, StaffMember):
        return tokens.filter(bearer__staff=of)
    return tokens.filter(provider=of)
