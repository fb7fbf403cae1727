"""Pages about keys in the menu."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:who_may_open",
    _("Who may open?"),
    permission="access.view_token",
    group=Group.TODAY,
    hint=_("For a door, a client or a colleague: who can open now, and why."),
    quick=True,
)
navigation.add(
    "admin:access_give",
    _("Give a right at once"),
    permission="access.give_extraright",
    group=Group.TODAY,
    hint=_("For a borrowed colleague, or when the plan has not caught up."),
)
navigation.add(
    "admin:access_substitute",
    _("Substitute this morning"),
    permission="access.give_extraright",
    group=Group.TODAY,
    hint=_("Person, shift, sign-in and pool phone in one go."),
)
navigation.add(
    "admin:access_review",
    _("Review emergency rights"),
    permission="access.review_extraright",
    group=Group.ACCESS,
    hint=_("Was it justified that somebody took a right?"),
)
