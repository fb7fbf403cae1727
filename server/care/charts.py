"""Charts about how far consents and locks have come, area by area."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Count
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from server.care.metal_keys import with_live_locks
from server.care.missing import coverage
from server.config.charts import BarChart, chart

MOST_AREAS = 14


@chart(permission="care.view_client")
def consents_by_area(at: datetime) -> BarChart | None:
    """Share of clients for whom every signature is there."""
    covered = coverage(at)
    if not covered:
        return None
    bars = _shares({area: held for area, (held, _all) in covered.items()}, _totals(covered))
    url = reverse("admin:care_consent_missing")
    return BarChart(_("Clients with every consent, by area"), bars, _("per cent"), url=url)


@chart(permission="care.view_client")
def rollout_by_area(at: datetime) -> BarChart | None:
    """Share of clients who can be reached by phone through every door."""
    totals = _totals(coverage(at))
    if not totals:
        return None
    live = with_live_locks(at).order_by().values_list("door__property__area").annotate(n=Count("pk"))
    bars = _shares(dict(live), totals)
    return BarChart(_("Clients with live locks all the way, by area"), bars, _("per cent"))


def _totals(covered: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Return how many clients each area has, the largest areas only: a chart has room for so many."""
    largest = sorted(covered, key=lambda area: -covered[area][1])[:MOST_AREAS]
    return {area: covered[area][1] for area in sorted(largest)}


def _shares(counts: Mapping[str, int], totals: Mapping[str, int]) -> list[tuple[str, float | None]]:
    return [(area or "–", round(100 * counts.get(area, 0) / total)) for area, total in totals.items()]
