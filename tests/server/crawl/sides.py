"""Whose rows are whose, by primary keys that tell: no number belongs to two tables, or to anything else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from django.db import connection

from tests.server.crawl.addresses import own_models
from tests.server.neighbours import MARKER

FIRST = 70_000_000
APART = 10_000

Rows = Mapping[str, Mapping[int, tuple[Any, ...]]]
"""Every row by model label and primary key, as the values of all its columns."""


def number_rows_apart() -> None:
    """Let every table count from a number of its own, so that a number on a page names its table."""
    with connection.cursor() as cursor:
        for place, model in enumerate(own_models()):
            start, table = FIRST + place * APART, model._meta.db_table
            if connection.vendor == "sqlite":
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, start])
            else:
                column = model._meta.pk.column
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, %s), %s)", [table, column, start])


def all_rows() -> Rows:
    """Return a picture of every table of ours, to see afterwards what has changed."""
    return {
        model._meta.label_lower: {
            row[0]: tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)
            for row in model._base_manager.order_by().values_list("pk", *_columns(model))
        }
        for model in own_models()
    }


def _columns(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def keys_of(rows: Rows) -> dict[str, list[int]]:
    """Return the primary keys by model label."""
    return {label: sorted(found) for label, found in rows.items()}


def added(before: Rows, after: Rows) -> dict[str, list[int]]:
    """Return the primary keys of rows that came between two pictures."""
    return {label: sorted(set(found) - set(before[label])) for label, found in after.items()}


def differences(before: Rows, after: Rows, *, but: Iterable[str] = ()) -> list[str]:
    """Return in words which rows changed, came or went; models in `but` may."""
    found = []
    for label in before.keys() - set(but):
        for pk in before[label].keys() | after[label].keys():
            if before[label].get(pk) != after[label].get(pk):
                found.append(f"{label} {pk}")
    return found


class Leak:
    """Finds in an answer what belongs to somebody else."""

    def __init__(self, foreign: Mapping[str, Iterable[int]]) -> None:
        keys = "|".join(str(pk) for found in foreign.values() for pk in found)
        self._found = re.compile(rf"\b(?:{keys})\b|{MARKER}")

    def in_text(self, text: str, *, asked: Iterable[object] = ()) -> list[str]:
        """Return foreign names and numbers in a text, apart from what was itself asked for."""
        for word in map(str, asked):
            for written in {word, quote(word), quote_plus(word), html.escape(word)}:
                text = text.replace(written, "")
        return sorted(set(self._found.findall(text)))
