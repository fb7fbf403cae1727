"""What a proof of completeness reads of one lock's log, without loading more than it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q, QuerySet

from server.locks.models import Binding, LogPosition
from server.passages.models import BatchHead, LogGap, Passage, SealedBatch
from server.places.models import Door


@dataclass(frozen=True)
class Span:
    """What one epoch of a log holds of a binding's passages in a period."""

    epoch: int
    first: int
    last: int
    count: int
    uncertain: int


def bindings_at(door: Door, start: datetime, end: datetime) -> list[Binding]:
    """Return the door's bindings that touch the period, oldest first."""
    touching = Q(ends_at__isnull=True) | Q(ends_at__gt=start)
    rows = Binding.objects.filter(touching, door=door, starts_at__lt=end).select_related("lock")
    return list(rows.order_by("starts_at", "pk"))


def spans(binding: Binding, start: datetime, end: datetime) -> list[Span]:
    """Return, by epoch, what a binding's log holds of the period."""
    found = (
        Passage.objects.filter(binding=binding, happened_at__gte=start, happened_at__lt=end)
        .order_by("epoch")
        .values("epoch")
        .annotate(
            first=Min("seq"),
            last=Max("seq"),
            count=Count("pk"),
            uncertain=Count("pk", filter=Q(time_uncertain=True)),
        )
    )
    return [Span(**row) for row in found]


def around(binding: Binding, start: datetime, end: datetime) -> Span | None:
    """Return the neighbours of a period in which the log has nothing: they prove that there was nothing."""
    log = Passage.objects.filter(lock=binding.lock_id)
    before = log.filter(happened_at__lt=start).order_by("-epoch", "-seq").values_list("epoch", "seq").first()
    if before is None:
        return None
    epoch, seq = before
    return Span(epoch, seq, neighbour_after(binding.lock_id, epoch, seq) or seq, 0, 0)


def neighbour_before(lock: int, epoch: int, seq: int) -> int | None:
    """Return the stored number next below `seq`."""
    below = Passage.objects.filter(lock=lock, epoch=epoch, seq__lt=seq)
    return below.order_by("-seq").values_list("seq", flat=True).first()


def neighbour_after(lock: int, epoch: int, seq: int) -> int | None:
    """Return the stored number next above `seq`."""
    above = Passage.objects.filter(lock=lock, epoch=epoch, seq__gt=seq)
    return above.order_by("seq").values_list("seq", flat=True).first()


def numbers(lock: int, epoch: int, first: int, last: int) -> list[int]:
    """Return the stored numbers from `first` through `last`, in order."""
    rows = Passage.objects.filter(lock=lock, epoch=epoch, seq__range=(first, last))
    return list(rows.order_by("seq").values_list("seq", flat=True))


def entries(lock: int, epoch: int, first: int, last: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Yield (number, entry, chain hash after it) of what is stored, in order."""
    rows = Passage.objects.filter(lock=lock, epoch=epoch, seq__range=(first, last)).order_by("seq")
    for seq, entry, digest in rows.values_list("seq", "entry_bytes", "entry_hash").iterator(2000):
        yield seq, bytes(entry), bytes(digest)


def heads(lock: int, epoch: int, first: int, last: int) -> list[BatchHead]:
    """Return the signed heads of batches that touch the numbers, and the first one beyond."""
    mine: QuerySet[BatchHead] = BatchHead.objects.filter(lock=lock, epoch=epoch, last_seq__gte=first)
    touching = list(mine.filter(first_seq__lte=last).order_by("first_seq", "last_seq"))
    beyond = mine.filter(first_seq__gt=last).order_by("first_seq", "last_seq").first()
    return [*touching, beyond] if beyond is not None else touching


def gaps(lock: int, epoch: int, first: int, last: int) -> list[LogGap]:
    """Return the gaps that touch the numbers and are not filled."""
    rows = LogGap.objects.filter(lock=lock, epoch=epoch, closed_at__isnull=True)
    return list(rows.filter(first_seq__lte=last, last_seq__gte=first).order_by("first_seq"))


def positions(locks: set[int]) -> dict[tuple[int, int], LogPosition]:
    """Return how far each log is receipted, by lock and epoch."""
    rows = LogPosition.objects.filter(lock__in=locks).order_by("epoch")
    return {(row.lock_id, row.epoch): row for row in rows}


def waiting(lock: int, epoch: int) -> tuple[int, int] | None:
    """Return the numbers that have come home ahead of others, from the first to the last of them."""
    held = SealedBatch.objects.filter(lock=lock, epoch=epoch, status=SealedBatch.Status.HELD)
    found = held.aggregate(first=Min("first_seq"), last=Max("last_seq"))
    return (found["first"], found["last"]) if found["first"] is not None else None


def last_moment(lock: int, epoch: int) -> datetime | None:
    """Return when the newest stored entry of an epoch happened."""
    rows = Passage.objects.filter(lock=lock, epoch=epoch).order_by("-seq")
    return rows.values_list("happened_at", flat=True).first()
