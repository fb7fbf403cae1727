"""The page of the municipality's keys in the menu."""

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:tenancy_keys",
    _("Keys of the municipality"),
    permission="tenancy.view_rolekey",
    group=Group.OVERSIGHT,
    hint=_("What the server signs with, who has taken in what, changing them, a leaked key"),
)
