"""App configuration of `server.integrations`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IntegrationsConfig(AppConfig):
    """Business systems: keys and imports."""

    name = "server.integrations"
    label = "integrations"
    verbose_name = _("Business systems")
    default_auto_field = "django.db.models.BigAutoField"
