"""App configuration of `server.locks`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LocksConfig(AppConfig):
    """Locks, where they are mounted and what the server tells them."""

    name = "server.locks"
    label = "locks"
    verbose_name = _("Locks")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Note what changes that locks must hear of."""
        from server.locks import receivers  # noqa: F401
