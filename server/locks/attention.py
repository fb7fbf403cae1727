"""What needs attention among locks and the work at them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.config.attention import Card, Tone, card
from server.locks import list_queries
from server.locks.models import Lock
from server.locks.order_queries import open_orders
from server.locks.rules import LOW_BATTERY_PERCENT, SILENT_DAYS
from server.passages.models import Deviation


def _locks(
    rows: QuerySet[Lock], title: str | Promise, query: str, *, tone: str = Tone.WARN, hint: str | Promise = ""
) -> Card | None:
    count = rows.count()
    url = f"{reverse('admin:locks_lock_changelist')}?{query}"
    return Card(title, count, url, tone, hint) if count else None


@card(permission="passages.view_deviation")
def dead_locks(at: datetime) -> Card | None:
    """Locks called dead and not settled."""
    count = Deviation.objects.filter(kind=Deviation.Kind.DEAD_LOCK, closed_at__isnull=True).count()
    url = f"{reverse('admin:passages_deviation_changelist')}?state=open&kind__exact=dead_lock"
    hint = _("Use the way in without the phone until they work.")
    return Card(_("Dead locks"), count, url, Tone.BAD, hint) if count else None


@card(permission="passages.view_deviation")
def other_deviations(at: datetime) -> Card | None:
    """Everything else that went wrong and is not handled; emergency rights have a card of their own."""
    apart = (Deviation.Kind.DEAD_LOCK, Deviation.Kind.BREAK_GLASS)
    count = Deviation.objects.filter(closed_at__isnull=True).exclude(kind__in=apart).count()
    url = f"{reverse('admin:passages_deviation_changelist')}?state=open"
    return Card(_("Other open deviations"), count, url, Tone.WARN) if count else None


@card(permission="locks.view_lock")
def silent_locks(at: datetime) -> Card | None:
    """Locks no phone has brought anything from for a week."""
    rows = list_queries.silent(Lock.objects.all(), at=at, days=SILENT_DAYS)
    return _locks(rows, _("Silent locks"), f"silent={SILENT_DAYS}", hint=_("Nothing heard for a week."))


@card(permission="locks.view_lock")
def low_batteries(at: datetime) -> Card | None:
    """Locks that read low."""
    rows = list_queries.low_battery(Lock.objects.all(), percent=LOW_BATTERY_PERCENT)
    return _locks(rows, _("Low batteries"), f"battery={LOW_BATTERY_PERCENT}")


@card(permission="locks.view_lock")
def uncertain_clocks(at: datetime) -> Card | None:
    """Locks that do not know the time."""
    rows = list_queries.clock_uncertain(Lock.objects.all())
    hint = _("Open once with a phone that has coverage.")
    return _locks(rows, _("Uncertain clocks"), "condition=clock", hint=hint)


@card(permission="locks.view_lock")
def gaps(at: datetime) -> Card | None:
    """Locks with numbers missing in their logs."""
    rows = list_queries.with_gap(Lock.objects.all())
    return _locks(rows, _("Logs with a gap"), "condition=gap")


@card(permission="locks.change_lock")
def unconfirmed(at: datetime) -> Card | None:
    """Commissionings that wait for the lock."""
    rows = list_queries.unconfirmed(Lock.objects.all())
    hint = _("They are taken back by themselves after three days.")
    title = _("Commissionings not confirmed")
    return _locks(rows, title, "condition=unconfirmed", tone=Tone.INFO, hint=hint)


@card(permission="locks.change_workorder")
def blocked_orders(at: datetime) -> Card | None:
    """Installations that a signature or a gate stands in the way of."""
    count = list_queries.blocked(open_orders(), at=at).count()
    url = f"{reverse('admin:locks_workorder_changelist')}?state=blocked"
    hint = _("A consent is missing, or a gate comes first.")
    return Card(_("Blocked installations"), count, url, Tone.INFO, hint) if count else None
