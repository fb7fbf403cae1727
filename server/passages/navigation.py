"""The pages about passages, in the menu."""

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
navigation.add(
    "admin:passages_search",
    _("Search passages"),
    permission="passages.view_passage",
    group=Group.PASSAGES,
    hint=_("By door, alarm code, person and time, with gaps shown in place"),
)
navigation.add(
    "admin:passages_visits",
    _("Arrivals and departures"),
    permission="passages.view_visit_times",
    group=Group.PASSAGES,
    hint=_("Per visit, from what the doors told"),
)
