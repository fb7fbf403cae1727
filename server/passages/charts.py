"""Charts about passages."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count, Q
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from server.config.charts import BarChart, LineChart, chart
from server.passages.models import Passage

DAYS = 14


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
    """Return (day, openings, of them before a known revocation) of the last two weeks, in one query."""
    zone = ZoneInfo(settings.TIME_ZONE)
    today = timezone.localdate(at, zone)
    first = today - timedelta(days=DAYS - 1)
    start = datetime.combine(first, datetime.min.time(), zone)
    rows = (
        Passage.objects.filter(
            kind="granted", detail__command="open", happened_at__gte=start, happened_at__lte=at
        )
        .order_by()
        .annotate(day=TruncDate("happened_at", tzinfo=zone))
        .values_list("day")
        .annotate(opened=Count("pk"), meanwhile=Count("pk", filter=Q(opened_before_known_revocation=True)))
    )
    found = {day: (opened, meanwhile) for day, opened, meanwhile in rows}
    days = [first + timedelta(days=number) for number in range(DAYS)]
    return [(date_format(day, "j M"), *found.get(day, (0, 0))) for day in days]
