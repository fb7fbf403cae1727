"""The owner contact's page in the menu."""

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:places_own_portfolio",
    _("My properties"),
    permission="places.view_own_portfolio",
    group=Group.TODAY,
    hint=_("For property owners: consents, locks and counts of passages"),
)
