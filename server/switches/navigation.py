"""What provider switches add to the menu."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:switches_providerswitch_changelist",
    _("Provider switches"),
    permission="switches.view_providerswitch",
    group=Group.CARE,
    hint=_("clients who change provider, with proof"),
)
navigation.add(
    "admin:switches_providerswitch_add",
    _("New provider switch"),
    permission="switches.add_providerswitch",
    group=Group.CARE,
)
