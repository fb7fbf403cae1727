"""App configuration of `server.care`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CareConfig(AppConfig):
    """Clients known by alarm code, assignments, shifts, visits and consents."""

    name = "server.care"
    label = "care"
    verbose_name = _("Care and planning")
    default_auto_field = "django.db.models.BigAutoField"
