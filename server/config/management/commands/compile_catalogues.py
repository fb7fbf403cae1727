"""`manage.py compile_catalogues`: for set-ups that do not run `serve`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from server.config.catalogues import compile_catalogues


class Command(BaseCommand):
    """Compile the message catalogues without gettext's tools."""

    help = "Compiles the message catalogues (.po to .mo); needs no gettext tools."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Compile what is older than its source, and say which."""
        for path in compile_catalogues():
            self.stdout.write(str(path))
