"""Forgetting: tokens, revocations, extra rights and enrolment codes that nothing needs any more.

Who asks about an opening needs the token while the passage is kept, so a token with passages stays as long
as they do. All others, and they are nearly all, are needed for two things once they have ended: that a
lock's log which comes home late finds whose token it was, and that an exposure or a provider switch can be
looked into. Half a year is enough for both (a passage names the phone's key beside the token), and a
shorter retention is respected. What a provider switch proved it wrote down itself. A revocation goes with
the token it is about, any other when passages of its time go. The audit trail keeps who did what.

Work is bounded: a run looks at so many rows and remembers where it was; lost memory only means starting over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from server.access.models import ExtraRight, Revocation, Token
from server.passages.models import Passage
from server.people.models import EnrolmentCode
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of

KEEP_UNUSED = timedelta(days=180)
KEEP_CODES = timedelta(days=30)
DAYS_IN_A_MONTH = 30.44
CHUNK = 2000
CHUNKS_A_RUN = 100
WHERE_WE_WERE = "access.forgetting.{}"

Place = tuple[datetime, int]
"""(expires, primary key) of the last token looked at."""


def forget(municipality: Municipality, *, at: datetime) -> int:
    """Delete what is past its usefulness; returns how many tokens. Must run in the municipality's scope."""
    kept = timedelta(days=policy_of(municipality).retention_months * DAYS_IN_A_MONTH)
    forgotten = _tokens(municipality, before=at - min(KEEP_UNUSED, kept))
    oldest = at - kept
    over = Q(matters_until__isnull=True) | Q(matters_until__lt=oldest)
    _some(Revocation.objects.filter(over, token__isnull=True, at__lt=oldest))
    with_tokens = Exists(Token.objects.filter(extra=OuterRef("pk")))
    _some(ExtraRight.objects.filter(~with_tokens, ends_at__lt=oldest))
    _some(EnrolmentCode.objects.filter(expires_at__lt=at - KEEP_CODES))
    return forgotten


def _some(rows: object) -> None:
    """Delete a bounded number of rows."""
    pks = list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK])  # type: ignore[attr-defined]
    if pks:
        rows.model.objects.filter(pk__in=pks).delete()  # type: ignore[attr-defined]


def _tokens(municipality: Municipality, *, before: datetime) -> int:
    key = WHERE_WE_WERE.format(municipality.pk)
    place: Place | None = cache.get(key)
    forgotten = 0
    for _number in range(CHUNKS_A_RUN):
        seen = _next_tokens(place, before)
        forgotten += _forget_unused([pk for _expires, pk, used in seen if not used])
        place = seen[-1][:2] if len(seen) == CHUNK else None
        if place is None:
            break
    cache.set(key, place, timeout=None)
    return forgotten


def _next_tokens(place: Place | None, before: datetime) -> list[tuple[datetime, int, bool]]:
    """Return (expires, primary key, whether a passage refers to it) of the next tokens in order."""
    rows = Token.objects.filter(expires__lt=before)
    if place is not None:
        expires, pk = place
        rows = rows.filter(Q(expires__gt=expires) | Q(expires=expires, pk__gt=pk), expires__gte=expires)
    rows = rows.annotate(used=Exists(Passage.objects.filter(token=OuterRef("pk")).order_by()))
    return list(rows.order_by("expires", "pk").values_list("expires", "pk", "used")[:CHUNK])


@transaction.atomic
def _forget_unused(pks: list[int]) -> int:
    if not pks:
        return 0
    Revocation.objects.filter(token__in=pks).delete()
    Token.objects.filter(pk__in=pks).delete()
    return len(pks)
