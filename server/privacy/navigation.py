"""The page about personal data, in the menu."""

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:privacy_overview",
    _("Personal data"),
    permission="privacy.shred_personal_data",
    group=Group.OVERSIGHT,
    hint=_("What is held, what is due, one person's extract"),
)
