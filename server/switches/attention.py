"""What provider switches put on the start page."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _

from server.config.attention import Card, Tone, card
from server.switches.models import ProviderSwitch

SOON = timedelta(days=7)


@card(permission="switches.view_providerswitch")
def coming(at: datetime) -> Card | None:
    """Switches in the week to come."""
    rows = ProviderSwitch.objects.filter(cancelled_at__isnull=True, at__gt=at, at__lte=at + SOON)
    counts = list(rows.order_by("at").values_list("client_count", flat=True))
    if not counts:
        return None
    url = reverse("admin:switches_providerswitch_changelist") + "?state=planned"
    hint = _("%(clients)s clients") % {"clients": sum(counts)}
    return Card(_("provider switches within a week"), len(counts), url, Tone.INFO, hint)
