"""Charts of alarms on the start page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.alarms.queries import alarms_reached
from server.config.charts import LineChart, chart

WEEKS = 12
P90 = 0.9


@chart(permission="alarms.view_alarm")
def time_to_door(at: datetime) -> LineChart:
    """Minutes from the alarm to the open door, by week: the middle one, and that which nine of ten beat."""
    this_week = _monday(at)
    weeks = [this_week - timedelta(weeks=back) for back in range(WEEKS - 1, -1, -1)]
    minutes: dict[date, list[float]] = defaultdict(list)
    since = timezone.make_aware(datetime.combine(weeks[0], datetime.min.time()))
    for raised_at, arrived_at in alarms_reached(since=since):
        if arrived_at >= raised_at:
            minutes[_monday(raised_at)].append((arrived_at - raised_at).total_seconds() / 60)
    return LineChart(
        _("Time to reach an alarm"),
        [f"{_('week')} {week.isocalendar().week}" for week in weeks],
        [
            (_("half of them within"), [quantile(minutes[week], 0.5) for week in weeks]),
            (_("nine of ten within"), [quantile(minutes[week], P90) for week in weeks]),
        ],
        unit=_("minutes"),
        note=_("by the locks' own logs"),
        url=reverse("admin:alarms_alarm_changelist"),
    )


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest of the values that at least `share` of them do not exceed; None of nothing."""
    if not values:
        return None
    in_order = sorted(values)
    place = max(-(-len(in_order) * share // 1), 1)
    return round(in_order[int(place) - 1], 1)


def _monday(moment: datetime) -> date:
    day = timezone.localdate(moment)
    return day - timedelta(days=day.weekday())
