"""App configuration of `server.people`."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PeopleConfig(AppConfig):
    """Care providers, teams, staff, their phones and who carries what."""

    name = "server.people"
    label = "people"
    verbose_name = _("Staff and phones")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what people change about their own sign-in."""
        import_module("server.people.sign_in_trail")
