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
