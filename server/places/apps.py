"""App configuration of `server.places`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlacesConfig(AppConfig):
    """Property owners, properties, doors and the ways in."""

    name = "server.places"
    label = "places"
    verbose_name = _("Doors and properties")
    default_auto_field = "django.db.models.BigAutoField"
