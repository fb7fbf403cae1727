"""App configuration of `server.tenancy`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TenancyConfig(AppConfig):
    """Municipalities: the tenants, their keys and the walls between them."""

    name = "server.tenancy"
    label = "tenancy"
    verbose_name = _("Municipality")
    default_auto_field = "django.db.models.BigAutoField"
