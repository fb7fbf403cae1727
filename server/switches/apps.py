"""App configuration of `server.switches`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SwitchesConfig(AppConfig):
    """Provider switches, planned, carried out, taken back and proved."""

    name = "server.switches"
    label = "switches"
    verbose_name = _("Provider switches")
    default_auto_field = "django.db.models.BigAutoField"
