"""Storing what was drawn, many rows at a time, with a word now and then on how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from server.tenancy.base import TenantModel

Row = TypeVar("Row", bound=TenantModel)
Tell = Callable[[str], None]

CHUNK = 2000


class Store:
    """Writes rows of one municipality and counts them."""

    def __init__(self, municipality_id: int, tell: Tell) -> None:
        self.municipality_id = municipality_id
        self.tell = tell
        self.counts: dict[str, int] = {}

    def add(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Insert rows, which get their primary keys; returns them."""
        if not rows:
            return rows
        model = type(rows[0])
        label, name = model._meta.label, str(model._meta.verbose_name_plural)
        before = self.counts.get(label, 0)
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            for row in chunk:
                row.municipality_id = self.municipality_id
            model.unscoped.bulk_create(chunk)
            self.counts[label] = before + start + len(chunk)
            if self.counts[label] % (5 * CHUNK) == 0 or start + len(chunk) == len(rows):
                self.tell(f"{name}: {self.counts[label]}")
        return rows
