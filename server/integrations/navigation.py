"""What business systems add to the menu."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:integrations_importrun_add",
    _("Import a file"),
    permission="integrations.add_importrun",
    group=Group.OVERSIGHT,
    hint=_("staff, clients, assignments, shifts and visits as CSV"),
)
navigation.add(
    "admin:integrations_importrun_changelist",
    _("Imports"),
    permission="integrations.view_importrun",
    group=Group.OVERSIGHT,
)
navigation.add(
    "admin:integrations_apikey_changelist",
    _("Keys of business systems"),
    permission="integrations.view_apikey",
    group=Group.OVERSIGHT,
)
