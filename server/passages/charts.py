"""Charts about passages."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django_scopes.state import get_scope

from server.config.charts import BarChart, LineChart, chart
from server.passages.models import Passage

DAYS = 14
REMEMBERED_S = 6 * 3600


@chart(permission="passages.view_passage")
def openings(at: datetime) -> BarChart | None:
    """Openings a day."""
    counted = _by_day(at)
    bars = [(label, float(opened)) for label, opened, _meanwhile in counted]
    return BarChart(
        _("Openings a day"),
        bars,
        _("openings"),
        note=_("What has come home so far: the last days may still grow."),
        url=reverse("admin:passages_search"),
    )


@chart(permission="passages.view_passage")
def before_known(at: datetime) -> LineChart | None:
    """The share of openings that came before the lock knew of a revocation."""
    counted = _by_day(at)
    if not any(meanwhile for _label, _opened, meanwhile in counted):
        return None
    shares = [1000 * meanwhile / opened if opened else None for _label, opened, meanwhile in counted]
    return LineChart(
        _("Opened before known revocation"),
        [label for label, _opened, _meanwhile in counted],
        [(_("per 1,000 openings"), shares)],
        _("per 1,000 openings"),
        url=f"{reverse('admin:passages_search')}?revoked=on",
    )


def _by_day(at: datetime) -> list[tuple[str, int, int]]:
    """Return (day, openings, of them before a known revocation) of the last two weeks, in one query.

    A city has some hundred thousand a day, and what is older than yesterday hardly grows any more: those days
    are counted a few times a day and remembered, for each viewer apart.
    """
    zone = ZoneInfo(settings.TIME_ZONE)
    today = timezone.localdate(at, zone)
    days = [today - timedelta(days=number) for number in reversed(range(DAYS))]
    keys = {day: _key(day) for day in days[:-2]}
    kept = cache.get_many(keys.values())
    found: dict[date, tuple[int, int]] = {day: kept[key] for day, key in keys.items() if key in kept}
    missing = [day for day in days if day not in found]
    counted = _count(missing[0], at, zone)
    new = {day: counted.get(day, (0, 0)) for day in missing}
    cache.set_many({keys[day]: value for day, value in new.items() if day in keys}, REMEMBERED_S)
    return [(date_format(day, "j b"), *(found | new)[day]) for day in days]


def _key(day: date) -> str:
    seen = {name: getattr(value, "pk", value) for name, value in get_scope().items()}
    digest = hashlib.sha256(f"{sorted(seen.items(), key=str)}".encode()).hexdigest()
    return f"openings:{day}:{digest}"


def _count(first: date, at: datetime, zone: ZoneInfo) -> dict[date, tuple[int, int]]:
    start = datetime.combine(first, datetime.min.time(), zone)
    rows = (
        Passage.objects.filter(
            kind="granted",
            detail__command="open",
            happened_at__gte=start,
            happened_at__lte=at,
            lock__is_practice=False,
        )
        .order_by()
        .annotate(day=TruncDate("happened_at", tzinfo=zone))
        .values_list("day")
        .annotate(opened=Count("pk"), meanwhile=Count("pk", filter=Q(opened_before_known_revocation=True)))
    )
    return {day: (opened, meanwhile) for day, opened, meanwhile in rows}
