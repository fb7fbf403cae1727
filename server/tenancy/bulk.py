"""Inserting many rows at once from plain values: what issuing and log intake need beyond `bulk_create`.

`bulk_create` builds a model instance per row, prepares every value on its own and, with `ignore_conflicts`,
does not tell which rows it inserted. Here a column's preparation is chosen once, moments that repeat are
prepared once, and ON CONFLICT DO NOTHING RETURNING says what was new, on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import connections, models, router

ROWS_PER_STATEMENT = 500

Prepare = Callable[[Any], Any]


def insert_rows(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    new: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Insert `rows`, the values of the fields `columns`; foreign keys as primary keys.

    With `new` (names of plain fields), rows that conflict with a unique constraint are left as they are, and
    the named fields of those inserted are returned. Without it a conflict raises IntegrityError.
    """
    connection = connections[router.db_for_write(model)]
    by_name = {field.name: field for field in model._meta.concrete_fields}
    fields = [by_name[name] for name in columns]
    prepare = [_preparation(field, connection) for field in fields]
    quote = connection.ops.quote_name
    names = ", ".join(quote(field.column or field.name) for field in fields)
    place = "(" + ", ".join(["%s"] * len(fields)) + ")"
    tail = ""
    if new:
        returned = ", ".join(quote(by_name[name].column or name) for name in new)
        tail = f" ON CONFLICT DO NOTHING RETURNING {returned}"
    found: list[tuple[Any, ...]] = []
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_PER_STATEMENT):
            chunk = rows[start : start + ROWS_PER_STATEMENT]
            places = ", ".join([place] * len(chunk))
            values = [one(value) for row in chunk for one, value in zip(prepare, row, strict=True)]
            # Only names of our own models are put together here; every value is a parameter.
            statement = f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES {places}{tail}"  # noqa: S608
            cursor.execute(statement, values)
            if new:
                found += cursor.fetchall()
    return found


def _preparation(field: models.Field[Any, Any], connection: Any) -> Prepare:
    """Return how values of a field become what the driver takes."""
    if isinstance(field, models.DateTimeField):
        return _remembering(lambda moment: field.get_db_prep_save(moment, connection))
    if isinstance(field, models.JSONField):
        return lambda value: field.get_db_prep_save(value, connection)
    # Whole numbers, texts, truth values and bytes go to either driver as they are.
    return _as_it_is


def _as_it_is(value: Any) -> Any:
    return value


def _remembering(prepare: Prepare) -> Prepare:
    known: dict[datetime | None, Any] = {}

    def prepared(moment: datetime | None) -> Any:
        if moment not in known:
            known[moment] = prepare(moment)
        return known[moment]

    return prepared
