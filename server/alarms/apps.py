"""App configuration of `server.alarms`."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlarmsConfig(AppConfig):
    """Alarms."""

    name = "server.alarms"
    label = "alarms"
    verbose_name = _("Alarms")
