"""App configuration of `server.keys`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class KeysConfig(AppConfig):
    """What happens to the keys of a municipality."""

    name = "server.keys"
    label = "keys"
    verbose_name = _("Keys of the municipality")
    default_auto_field = "django.db.models.BigAutoField"
