"""What is better looked at than read about locks: battery levels."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Case, Count, IntegerField, Value, When
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from server.config.charts import BarChart, chart
from server.locks.models import Lock, LockStatus

STEP = 20


@chart(permission="locks.view_lock")
def batteries(at: datetime) -> BarChart | None:
    """How many mounted locks read how high, as last told."""
    band = Case(
        *(When(battery_percent__lt=top, then=Value(top)) for top in range(STEP, 100, STEP)),
        default=Value(100),
        output_field=IntegerField(),
    )
    rows = LockStatus.objects.filter(
        battery_percent__isnull=False, lock__state=Lock.State.MOUNTED, lock__is_practice=False
    )
    counted = rows.order_by().annotate(band=band).values("band").annotate(n=Count("pk"))
    found = dict(counted.values_list("band", "n"))
    bars = [
        (f"{top - STEP}–{top - 1 if top < 100 else 100}", float(found.get(top, 0)))
        for top in range(STEP, 101, STEP)
    ]
    url = reverse("admin:locks_lock_changelist")
    return BarChart(_("Battery levels, %"), bars, unit=_("locks"), url=url)
