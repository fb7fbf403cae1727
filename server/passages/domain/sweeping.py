"""Forgetting: passages older than they may be become counts. Running it twice, late or halfway is harmless.

A piece at a time, oldest first; counting and erasing are one transaction, so a power cut leaves neither a
passage that is counted and still there nor one that is gone uncounted. The heads that the locks signed go
with the last of their entries. What remains is still chained and signed, from the first whole batch on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.functions import TruncMonth

from server.passages.models import BatchHead, Deviation, Passage, PassageCount, SealedBatch
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of

DAYS_IN_A_MONTH = 30.44
KEEP_BATCHES = timedelta(days=90)
"""The digest of a stored or rejected batch is remembered this long, so that a late courier is recognised."""
PIECE = 1000
MOST_PIECES = 200
"""Per run: what is left is taken by the next one."""


def kept_from(municipality: Municipality, *, at: datetime) -> datetime:
    """Return the moment before which passages are kept as counts only."""
    return at - timedelta(days=policy_of(municipality).retention_months * DAYS_IN_A_MONTH)


def sweep(municipality: Municipality, *, at: datetime) -> int:
    """Turn passages beyond the retention time into counts and forget old batches; returns passages erased.

    Must run in the municipality's scope.
    """
    oldest = kept_from(municipality, at=at)
    erased = 0
    for _piece in range(MOST_PIECES):
        piece = _erase_piece(municipality, oldest, at)
        erased += piece
        if piece < PIECE:
            break
    forgotten = Q(received_at__lt=at - KEEP_BATCHES) & ~Q(status=SealedBatch.Status.HELD)
    # What waits for a hole that nobody filled in all that time holds passages too.
    SealedBatch.objects.filter(forgotten | Q(received_at__lt=oldest)).delete()
    return erased


@transaction.atomic
def _erase_piece(municipality: Municipality, oldest: datetime, at: datetime) -> int:
    """Count and erase the oldest passages, one sweep at a time; returns how many."""
    Municipality.objects.select_for_update(no_key=True).get(pk=municipality.pk)
    old = Passage.objects.filter(happened_at__lt=oldest, known_at__lt=oldest).order_by("happened_at", "pk")
    ids = list(old.values_list("pk", flat=True)[:PIECE])
    if not ids:
        return 0
    piece = Passage.objects.filter(pk__in=ids)
    _count(municipality, ids)
    Deviation.objects.filter(passage__in=ids, closed_at__isnull=True).update(
        closed_at=at, resolution=Deviation.Resolution.BY_ITSELF
    )
    spans = set(piece.values_list("lock_id", "epoch"))
    piece.delete()
    _forget_heads(spans)
    return len(ids)


def _count(municipality: Municipality, ids: list[int]) -> None:
    """Add passages to the counts of their door, provider, month and kind."""
    lines = (
        Passage.objects.filter(pk__in=ids)
        .order_by()
        .annotate(month=TruncMonth("happened_at", tzinfo=ZoneInfo(settings.TIME_ZONE)))
        .values_list("binding__door", "provider", "month", "kind")
        .annotate(count=Count("pk"), before=Count("pk", filter=Q(opened_before_known_revocation=True)))
    )
    for door, provider, month, kind, count, before in lines:
        line = {"door_id": door, "provider_id": provider, "month": month.date(), "kind": kind}
        found = PassageCount.objects.filter(**line).update(
            count=F("count") + count, before_known_revocation=F("before_known_revocation") + before
        )
        if not found:
            PassageCount.objects.create(
                municipality=municipality, **line, count=count, before_known_revocation=before
            )


def _forget_heads(logs: set[tuple[int, int]]) -> None:
    """Delete signed heads none of whose entries is left; one that only states a gap names nobody."""
    wanted = Q(pk__in=())
    for lock, epoch in logs:
        wanted |= Q(lock=lock, epoch=epoch)
    left = Passage.objects.filter(
        lock=OuterRef("lock"),
        epoch=OuterRef("epoch"),
        seq__gte=OuterRef("first_seq"),
        seq__lte=OuterRef("last_seq"),
    )
    BatchHead.objects.filter(wanted, ~Exists(left), last_seq__gte=F("first_seq")).delete()
