"""What of consents and clients needs attention today."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from server.care.missing import blocked
from server.care.models import Consent
from server.config.attention import Card, Tone, card


@card(permission="care.view_client")
def waiting_for_consent(at: datetime) -> Card | None:
    """Clients for whom a signature is missing."""
    count = blocked(at).count()
    if not count:
        return None
    url = reverse("admin:care_consent_missing")
    return Card(_("Clients waiting for consent"), count, url, Tone.WARN, _("Whom to ask first"))


@card(permission="care.withdraw_consent")
def waiting_withdrawals(at: datetime) -> Card | None:
    """Withdrawals that wait until somebody records another way in."""
    count = Consent.objects.filter(withdrawal_waits=True, withdrawn_at__gt=at).count()
    if not count:
        return None
    url = reverse("admin:care_consent_changelist") + "?withdrawal_waits__exact=1"
    hint = _("Record another way in before their day comes")
    return Card(_("Withdrawals waiting for another way in"), count, url, Tone.BAD, hint)
