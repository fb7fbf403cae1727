"""What about personal data needs somebody's attention today."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_scopes.state import get_scope

from server.config.attention import Card, Tone, card
from server.privacy.domain.people import Staff
from server.privacy.rules import times
from server.tenancy.models import Municipality


@card(permission="privacy.shred_personal_data")
def still_named(at: datetime) -> Card | None:
    """People who left long ago and could not be pseudonymised: something is unfinished."""
    municipality = get_scope().get("municipality")
    if municipality is None:
        return None
    pk = municipality.pk if isinstance(municipality, Municipality) else municipality
    count = Staff().due(times(Municipality(pk=pk), at=at)).count()
    if not count:
        return None
    title = _("People who left and are still named")
    return Card(
        title, count, reverse("admin:privacy_overview"), Tone.INFO, _("Due, or something is unfinished.")
    )
