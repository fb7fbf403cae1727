"""Who was offered a lock's log and brought none of it: couriers that drop what they carry.

Which range a phone was about to be offered stands in the outcome entry of its opening. A phone that breaks
off before the log comes, or is still without coverage, is no liar: so only several offers, each older than a
day, of which nothing came through that phone, are named. Nothing is lost by it, for the lock offers the same
to others; but whoever stands here should be asked.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.locks.models import Lock
from server.passages.models import Passage, SealedBatch
from server.people.models import Bearer

LOOKED_AT = timedelta(days=30)
PATIENCE = timedelta(days=1)
FEWEST = 3


@dataclass(frozen=True)
class Withheld:
    """A bearer whose phone brought nothing of what it was offered so many times."""

    bearer: Bearer
    times: int


def withheld(lock: Lock, *, at: datetime) -> list[Withheld]:
    """Return who withheld, most often first; in three queries."""
    offers = _offers(lock, at)
    brought = set(
        SealedBatch.objects.filter(lock=lock, courier__isnull=False, received_at__gt=at - LOOKED_AT)
        .exclude(status=SealedBatch.Status.REJECTED)
        .values_list("courier", flat=True)
    )
    bearers = {one.pk: one for one in Bearer.objects.filter(pk__in=offers).select_related("staff", "phone")}
    found = [
        Withheld(bearers[pk], times)
        for pk, times in offers.items()
        if times >= FEWEST and bearers[pk].phone_id not in brought
    ]
    return sorted(found, key=lambda one: -one.times)


def _offers(lock: Lock, at: datetime) -> dict[int, int]:
    """Return how often each bearer was offered something, by bearer; the last day is left out."""
    rows = Passage.objects.filter(
        lock=lock,
        kind="outcome",
        bearer__isnull=False,
        happened_at__gt=at - LOOKED_AT,
        happened_at__lt=at - PATIENCE,
    )
    times: dict[int, int] = defaultdict(int)
    for bearer, detail in rows.values_list("bearer", "detail"):
        if bearer is not None and detail.get("offered"):
            times[bearer] += 1
    return dict(times)
