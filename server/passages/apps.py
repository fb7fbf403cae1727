"""App configuration of `server.passages`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PassagesConfig(AppConfig):
    """What happened at the doors: sealed logs in, passages, gaps, deviations."""

    name = "server.passages"
    label = "passages"
    verbose_name = _("Passages")
    default_auto_field = "django.db.models.BigAutoField"
