"""What the database knows about its own tables, by which it chooses how to look things up.

PostgreSQL keeps that up by itself. SQLite does so only when told, and without it takes the first index that
fits, most often the municipality's, which holds every row: with a city loaded the start page then takes
minutes instead of half a second.
"""

from __future__ import annotations

from django.db import connection

ROWS_LOOKED_AT = 1000
"""For each index: enough to tell a good one from a bad one, and done in about a second."""


def refresh() -> None:
    """Let the database look at its tables anew."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
        cursor.execute("ANALYZE")


def keep_up() -> None:
    """Do so where the database does not by itself."""
    if connection.vendor == "sqlite":
        refresh()
