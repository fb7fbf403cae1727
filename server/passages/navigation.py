"""Pages about passages in the menu."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:live",
    _("Live passages"),
    permission="passages.view_passage",
    group=Group.TODAY,
    hint=_("What happens at the doors, as it becomes known."),
    quick=True,
)
