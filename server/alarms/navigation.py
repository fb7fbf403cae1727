"""Pages about alarms in the menu."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:alarms_alarm_add",
    _("Raise an alarm"),
    permission="alarms.add_alarm",
    group=Group.TODAY,
    hint=_("With an alarm code; the nearest on duty are asked at once."),
    quick=True,
)
navigation.add(
    "admin:alarms_alarm_changelist",
    _("Alarms"),
    permission="alarms.view_alarm",
    group=Group.TODAY,
    hint=_("Open and earlier ones, and how long it took to the door."),
)
