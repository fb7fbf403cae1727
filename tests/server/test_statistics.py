"""The database is told to look at its own tables, without which SQLite loses its way in a city."""

from __future__ import annotations

from django.db import connection

from server.config import statistics
from server.config.tasks import refresh_statistics
from tests.server.world import World


def test_indexes_are_known_by_how_much_they_narrow(world: World) -> None:
    statistics.refresh()
    refresh_statistics()
    known = "sqlite_stat1" if connection.vendor == "sqlite" else "pg_statistic"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {known}")  # noqa: S608
        assert cursor.fetchone()[0] > 0
