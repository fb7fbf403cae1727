"""App configuration of `server.config`."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _

from server.config.visibility import SIGHTS
from server.tenancy.scoping import use_sights


class ServerConfig(AppConfig):
    """The server as a whole."""

    name = "server.config"
    label = "config"
    verbose_name = _("Server")

    def ready(self) -> None:
        """Make the Celery application the current one, so that shared tasks belong to it; gather the pages.

        Each app adds to menu and start page in modules of its own (`navigation`, `attention`, `charts`).
        """
        import_module("server.config.celery")
        use_sights(SIGHTS)
        autodiscover_modules("navigation", "attention", "charts")
