"""Pages about locks and the work at them in the menu."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from server.config import navigation
from server.config.navigation import Group

navigation.add(
    "admin:locks_lock_changelist",
    _("Locks"),
    permission="locks.view_lock",
    group=Group.LOCKS,
    hint=_("Silent, low on battery, uncertain of the time, with gaps in their logs"),
)
navigation.add(
    "admin:locks_firmwarerelease_changelist",
    _("Firmware"),
    permission="locks.view_firmwarerelease",
    group=Group.LOCKS,
    hint=_("Signed releases, and how many locks run each"),
)
navigation.add(
    "admin:passages_deviation_changelist",
    _("Deviations"),
    permission="passages.view_deviation",
    group=Group.LOCKS,
    hint=_("What went wrong at a door, and who handles it"),
)
navigation.add(
    "admin:passages_deviation_report",
    _("Report what is wrong at a door"),
    permission="passages.change_deviation",
    group=Group.LOCKS,
)
navigation.add(
    "admin:locks_workorder_day",
    _("The day's work"),
    permission="locks.change_workorder",
    group=Group.LOCKS,
    hint=_("The installer's day, building by building"),
)
navigation.add(
    "admin:locks_workorder_changelist",
    _("Work orders"),
    permission="locks.view_workorder",
    group=Group.LOCKS,
)
navigation.add(
    "admin:locks_workorder_plan",
    _("Plan installations"),
    permission="locks.plan_workorder",
    group=Group.LOCKS,
    hint=_("Orders for a property or an area, with what blocks each"),
)
