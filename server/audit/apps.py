"""App configuration of `server.audit`."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

import server

ELSEWHERE = ("server.people.single_sign_on", "server.config.management.commands.serve")
"""Modules outside `domain` that register actions of their own."""


class AuditConfig(AppConfig):
    """Who changed what, when and why: entries that nobody can edit or delete."""

    name = "server.audit"
    label = "audit"
    verbose_name = _("Audit trail")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every verb register what it writes: the trail names actions that this process never does."""
        for folder in sorted(Path(server.__path__[0]).glob("*/domain")):
            for module in iter_modules([str(folder)]):
                import_module(f"server.{folder.parent.name}.domain.{module.name}")
        for name in ELSEWHERE:
            import_module(name)
