"""App configuration of `server.config`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
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
        post_migrate.connect(_learn_anew, sender=self)


def _learn_anew(**_kwargs: Any) -> None:
    """A migration that makes a table anew leaves SQLite knowing nothing of it."""
    from server.config import statistics

    statistics.keep_up()
