"""Inserting many rows at once, skipping those that are there already and saying which were new.

Django's `bulk_create(ignore_conflicts=True)` does not tell which rows it inserted; ON CONFLICT DO NOTHING
RETURNING does, in one statement, on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connections, router

from server.passages.models import Passage

Key = tuple[int, int, int]
"""Lock, log epoch, number."""

ROWS_PER_STATEMENT = 500


def insert_new_passages(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[tuple[int, Key]]:
    """Insert `rows` (values of the passage fields `columns`); returns (primary key, key) of the new ones.

    A row whose (lock, epoch, number) is stored already is left as it is.
    """
    connection = connections[router.db_for_write(Passage)]
    by_name = {field.name: field for field in Passage._meta.concrete_fields}
    fields = [by_name[name] for name in columns]
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column or field.name) for field in fields)
    place = "(" + ", ".join(["%s"] * len(fields)) + ")"
    inserted: list[tuple[int, Key]] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            chunk = rows[start : start + ROWS_PER_STATEMENT]
            values = [
                field.get_db_prep_save(value, connection)
                for row in chunk
                for field, value in zip(fields, row, strict=True)
            ]
            cursor.execute(
                # Only names of our own model are put together here; every value is a parameter.
                f"INSERT INTO {quote(Passage._meta.db_table)} ({names}) "  # noqa: S608
                f"VALUES {', '.join([place] * len(chunk))} "
                "ON CONFLICT DO NOTHING RETURNING id, lock_id, epoch, seq",
                values,
            )
            inserted += [(pk, (lock, epoch, seq)) for pk, lock, epoch, seq in cursor.fetchall()]
    return inserted
