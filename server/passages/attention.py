"""What about passages needs somebody's attention today."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from server.config.attention import Card, Tone, card
from server.passages.models import Deviation, LogGap, Passage, SealedBatch

WEEK = timedelta(days=7)
TOO_LONG = timedelta(hours=24)


@card(permission="passages.view_passage")
def before_known(at: datetime) -> Card | None:
    """Openings with keys that were revoked, before the lock could know."""
    count = Passage.objects.filter(opened_before_known_revocation=True, happened_at__gt=at - WEEK).count()
    if not count:
        return None
    day = (at - WEEK).date().isoformat()
    return Card(
        _("Opened before known revocation, last 7 days"),
        count,
        f"{reverse('admin:passages_search')}?revoked=on&start={day}",
        Tone.WARN,
        _("The key was revoked, but no phone had brought the news to the lock."),
    )


@card(permission="passages.view_deviation")
def opened_revoked(_at: datetime) -> Card | None:
    """Locks that opened although they knew."""
    kind = Deviation.Kind.OPENED_REVOKED
    count = Deviation.objects.filter(kind=kind, closed_at__isnull=True).count()
    if not count:
        return None
    url = f"{reverse('admin:passages_deviation_changelist')}?kind__exact={kind}"
    return Card(_("Locks that opened a key they knew was revoked"), count, url, Tone.BAD)


@card(permission="passages.prove_log")
def unsigned_gaps(_at: datetime) -> Card | None:
    """Numbers that are lost here and that no lock says it overwrote."""
    count = LogGap.objects.filter(signed=False, closed_at__isnull=True).count()
    if not count:
        return None
    url = f"{reverse('admin:passages_loggap_changelist')}?signed__exact=0&closed_at__isempty=1"
    return Card(
        _("Gaps that no lock has signed"), count, url, Tone.BAD, _("Receipted, but not in the database.")
    )


@card(permission="passages.prove_log")
def awaited(at: datetime) -> Card | None:
    """Logs that came home ahead of what belongs before them, and wait since yesterday."""
    held = SealedBatch.objects.filter(status=SealedBatch.Status.HELD, received_at__lt=at - TOO_LONG)
    held = held.exclude(lock__is_practice=True)
    count = held.values("lock").distinct().count()
    if not count:
        return None
    url = f"{reverse('admin:passages_sealedbatch_changelist')}?status__exact=held"
    return Card(_("Locks whose earlier log is awaited"), count, url, Tone.INFO)
