"""What keys put on the start page."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from server.config.attention import Card, Tone, card
from server.tenancy.models import ManifestDraft


@card(permission="tenancy.hold_ceremony")
def waiting(at: datetime) -> Card | None:
    """A manifest that the roots have not signed yet; worse when it answers a leak."""
    draft = ManifestDraft.objects.filter(outcome=ManifestDraft.Outcome.OPEN).first()
    if draft is None:
        return None
    url = reverse("admin:tenancy_manifestdraft_change", args=[draft.pk])
    hint = _("since %(day)s") % {"day": f"{draft.created_at:%Y-%m-%d}"}
    tone = Tone.BAD if draft.leaked else Tone.WARN
    return Card(_("key manifest waits for the roots"), 1, url, tone, hint)
