"""Exposure: what can still be opened by something that is lost or revoked, until when, and who knows.

Asked before and after a revocation, by token and binding, as of now. A provider's doors are thousands: a page
takes its piece from `exposed_until` and asks about that piece only, in a constant number of queries.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Case, F, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, Value, When, Window
from django.db.models.functions import RowNumber

from protocol import bulletin
from protocol.bulletin import Bulletin as ProtocolBulletin
from server.access.models import ExtraRight, Token
from server.access.token_queries import live_tokens, of_duties, tokens_not_over
from server.locks.models import Binding, Bulletin
from server.people.models import Bearer, CareProvider, Phone, StaffMember
from server.places.models import Door

Source = Token | ExtraRight | Bearer | Phone | StaffMember | CareProvider
"""What may be lost or revoked."""

COURIERS_NAMED = 3
"""Couriers told per lock: the first matter, the rest are reserve."""
KEYS_EACH = 3
"""Keys that one courier may have for the same lock: this shift's, the next one's, one beside the plan."""


@dataclass(frozen=True)
class Exposed:
    """One door that a token may still open."""

    door: Door
    binding: Binding
    until: datetime
    lock_knows: bool
    """Whether the newest bulletin that the lock is known to have taken in kills every one of these tokens."""


@dataclass(frozen=True)
class Courier:
    """A phone that will bring the news to a lock when its bearer opens there."""

    phone: str
    staff: str
    carries: bool
    """Whether it has synced since the newest bulletin was made; otherwise it must sync first."""
    from_when: datetime
    """When its bearer may first open there."""


def exposed_until(of: Source, *, at: datetime) -> QuerySet[Any, Any]:
    """Return {binding: id, until} for each binding that may still be opened, the longest exposed first."""
    tokens = tokens_not_over(at=at).filter(_belongs(of)).order_by()
    return tokens.values("binding").annotate(until=Max("expires")).order_by("-until", "binding")


def exposure(of: Source, *, at: datetime, binding_ids: Collection[int] | None = None) -> list[Exposed]:
    """Return the doors that tokens of `of` may still open, the longest exposed first.

    With `binding_ids` (a page of `exposed_until`) only those; without, all of them.
    """
    rows = tokens_not_over(at=at).filter(_belongs(of))
    if binding_ids is not None:
        rows = rows.filter(binding__in=binding_ids)
    rows = rows.defer("document").select_related("binding__door", "binding__lock")
    tokens = list(rows.order_by("-expires", "binding"))
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


def couriers(
    binding_ids: Collection[int], *, besides: Source, at: datetime, most: int = COURIERS_NAMED
) -> dict[int, list[Courier]]:
    """Return, by binding id, which phones will carry the news next: those that have it first, then by time.

    A courier's bearer holds a key of the same lock and opens there anyway; what is revoked (`besides`)
    carries nothing. Shows what the scope's viewer may see: a provider its own phones only.
    """
    made = Bulletin.objects.filter(binding=OuterRef("binding")).order_by("-seq").values("created_at")[:1]
    carries = When(bearer__phone__contact__last_sync_at__gte=F("news_at"), then=Value(0))
    rows = (
        live_tokens(at=at)
        .filter(
            binding__in=binding_ids, bearer__revoked_at__isnull=True, bearer__phone__revoked_at__isnull=True
        )
        .exclude(_belongs(besides))
        .annotate(news_at=Subquery(made))
        .annotate(later=Case(carries, default=Value(1), output_field=IntegerField()))
        .annotate(place=Window(RowNumber(), [F("binding_id")], [F("later"), F("not_before"), F("pk")]))
        .filter(place__lte=most * KEYS_EACH)
        .select_related("bearer__phone", "bearer__staff")
        .defer("document")
        .order_by("binding", "place")
    )
    found: dict[int, dict[int, Courier]] = defaultdict(dict)
    for token in rows:
        bearer, named = token.bearer, found[token.binding_id]
        if bearer.pk not in named and len(named) < most:
            when = max(at, token.not_before)
            named[bearer.pk] = Courier(str(bearer.phone), bearer.staff.name, not token.later, when)
    return {binding: list(named.values()) for binding, named in found.items()}


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


def _belongs(of: Source) -> Q:
    """Return the condition that a token is lost together with `of`."""
    if isinstance(of, Token):
        duty = of_duties([(of.shift_id, of.extra_id)])
        return Q(pk=of.pk) | duty & Q(bearer=of.bearer_id, binding=of.binding_id)
    if isinstance(of, ExtraRight):
        return Q(extra=of)
    if isinstance(of, Bearer):
        return Q(bearer=of)
    if isinstance(of, Phone):
        return Q(bearer__phone=of)
    if isinstance(of, StaffMember):
        return Q(bearer__staff=of)
    return Q(provider=of)
