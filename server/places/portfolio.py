"""What a property owner may see: own properties, their consents, how many locks, and counts of passages.

Never who, never when exactly, never an apartment: one resident behind a gate would be easy to recognise.
Counts are of whole months that have ended, so that nobody learns a day by looking twice, and small ones, zero
included, are not told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import TruncMonth
from django.utils import timezone

from server.care.missing import lacking_properties
from server.care.models import Consent
from server.locks.models import Binding
from server.passages.models import Passage
from server.places.models import Door, Property, PropertyOwner
from server.tenancy.scoping import whole_municipality

FEWEST = 5
"""A smaller number of passages in a month is told as "fewer than five"."""
MONTHS = 6
NOT_SHARED = (Door.Kind.APARTMENT, Door.Kind.PRACTICE)
"""Doors that are no business of the owner's: homes, and practice places, which are no doors."""
KEPT_S = 6 * 60 * 60


@dataclass(frozen=True)
class Estate:
    """One property as its owner sees it."""

    property: Property
    consented: bool
    doors: int
    """Gates and common rooms."""
    locks: int
    """Of them with a commissioned lock."""
    passages: list[int | None]
    """A number for each month of the page; None where it is too small to tell."""


@dataclass(frozen=True)
class Totals:
    """The owner's sums; of passages there is none, since it would tell what was left out."""

    properties: int
    consented: int
    doors: int
    locks: int


def months_before(at: datetime) -> list[date]:
    """Return the first days of the last `MONTHS` months that have ended, oldest first, in local time."""
    first, found = timezone.localdate(at).replace(day=1), []
    for _month in range(MONTHS):
        first = (first - timedelta(days=1)).replace(day=1)
        found.append(first)
    return found[::-1]


def told(count: int) -> int | None:
    """Return a count as it may be told: a few is None, and so is none at all, for it tells as much."""
    return count if count >= FEWEST else None


@whole_municipality()
def properties_of(owner: PropertyOwner) -> QuerySet[Property]:
    """Return an owner's properties, each with `door_count` and `lock_count` of gates and common rooms."""
    shared = ~Q(doors__kind__in=NOT_SHARED) & Q(doors__isnull=False)
    mounted = Exists(
        Binding.objects.filter(door=OuterRef("doors"), ends_at__isnull=True, commissioned_at__isnull=False)
    )
    rows: QuerySet[Property] = Property.objects.filter(owner=owner)
    return rows.annotate(
        door_count=Count("doors", filter=shared, distinct=True),
        lock_count=Count("doors", filter=shared & Q(mounted), distinct=True),
    ).order_by("designation", "pk")


@whole_municipality()
def estates(properties: Sequence[Property], *, at: datetime) -> list[Estate]:
    """Return these properties as their owner sees them."""
    ids = [row.pk for row in properties]
    lacking = set(lacking_properties(at).filter(pk__in=ids).values_list("pk", flat=True))
    months = months_before(at)
    counts = _passages(ids, months)
    return [
        Estate(
            property=row,
            consented=row.pk not in lacking,
            doors=row.door_count,  # type: ignore[attr-defined]
            locks=row.lock_count,  # type: ignore[attr-defined]
            passages=[told(counts.get((row.pk, month), 0)) for month in months],
        )
        for row in properties
    ]


@whole_municipality()
def totals(owner: PropertyOwner, *, at: datetime) -> Totals:
    """Return the owner's sums."""
    properties = Property.objects.filter(owner=owner)
    shared = Door.objects.filter(property__owner=owner).exclude(kind__in=NOT_SHARED)
    mounted = Binding.objects.filter(
        door__in=shared.values("pk"), ends_at__isnull=True, commissioned_at__isnull=False
    )
    total = properties.count()
    lacking = lacking_properties(at).filter(owner=owner).count()
    return Totals(total, total - lacking, shared.count(), mounted.count())


@whole_municipality()
def consents_of(owner: PropertyOwner) -> QuerySet[Consent]:
    """Return the consents given by an owner, or for a property that is the owner's now."""
    rows: QuerySet[Consent] = Consent.objects.filter(Q(owner=owner) | Q(property__owner=owner))
    return rows.select_related("property", "owner").order_by("-valid_from", "pk")


def _passages(properties: Sequence[int], months: Sequence[date]) -> dict[tuple[int, date], int]:
    """Return openings at shared doors by property and month; kept, for they hardly change any more."""
    key = f"portfolio:{timezone.get_current_timezone_name()}:{months[-1]}:"
    known = cache.get_many([f"{key}{pk}" for pk in properties])
    missing = [pk for pk in properties if f"{key}{pk}" not in known]
    fresh: dict[int, dict[date, int]] = defaultdict(dict)
    if missing:
        for pk, month, count in _counted(missing, months):
            fresh[pk][timezone.localdate(month)] = count
        cache.set_many({f"{key}{pk}": fresh[pk] for pk in missing}, KEPT_S)
    found = {pk: known.get(f"{key}{pk}", fresh.get(pk, {})) for pk in properties}
    return {(pk, month): count for pk, by_month in found.items() for month, count in by_month.items()}


def _counted(properties: Sequence[int], months: Sequence[date]) -> QuerySet[Any, Any]:
    start = timezone.make_aware(datetime.combine(months[0], time.min))
    beyond = (months[-1] + timedelta(days=31)).replace(day=1)
    end = timezone.make_aware(datetime.combine(beyond, time.min))
    bindings = Binding.objects.filter(door__property__in=properties).exclude(door__kind__in=NOT_SHARED)
    rows = Passage.objects.filter(
        binding__in=bindings.values("pk"),
        kind="outcome",
        reason__in=("moved", "already"),
        happened_at__gte=start,
        happened_at__lt=end,
    )
    counts: QuerySet[Any, Any] = (
        rows.order_by()
        .annotate(month=TruncMonth("happened_at"))
        .values("binding__door__property", "month")
        .annotate(n=Count("pk"))
        .values_list("binding__door__property", "month", "n")
    )
    return counts
