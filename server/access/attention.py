"""Cards about rights on the start page."""

from __future__ import annotations

from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from server.access.queries import running_extras, unreviewed
from server.config.attention import Card, Tone, card


@card(permission="access.review_extraright")
def emergency_rights(at: datetime) -> Card | None:
    """Emergency rights that nobody has reviewed."""
    count = unreviewed().count()
    hint = _("Somebody took a right and gave a reason. Say whether it was justified.")
    return (
        Card(_("Emergency rights to review"), count, reverse("admin:access_review"), Tone.WARN, hint)
        if count
        else None
    )


@card(permission="access.give_extraright")
def beside_the_plan(at: datetime) -> Card | None:
    """Rights given by hand that are running."""
    count = running_extras(at=at).count()
    hint = _("They end by themselves, or at once from the list.")
    return (
        Card(_("Rights beside the plan"), count, reverse("admin:access_give"), Tone.INFO, hint)
        if count
        else None
    )
