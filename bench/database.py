"""A server's database made for one measurement: SQLite as the embedded server has it, on a real disk."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import django
from django.core.management import call_command


@contextmanager
def fresh_database() -> Iterator[None]:
    """Set Django up on an empty migrated database that is gone afterwards. Once per process."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NYCKELFRI_VAR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "server.config.settings")
        django.setup()
        call_command("migrate", interactive=False, verbosity=0)
        yield
