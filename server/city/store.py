"""Storing what was drawn, many rows at a time, with a word now and then on how far it has come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
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
        name = str(model._meta.verbose_name_plural)
        begun = perf_counter()
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            for row in chunk:
                row.municipality_id = self.municipality_id
            model.unscoped.bulk_create(chunk)
            self._progress(name, start + len(chunk), len(rows), begun)
        self.counts[model._meta.label] = self.counts.get(model._meta.label, 0) + len(rows)
        return rows

    def _progress(self, name: str, done: int, of: int, begun: float) -> None:
        if done == of or done % (10 * CHUNK) == 0:
            self.tell(f"{name}: {done} / {of} ({perf_counter() - begun:.1f} s)")
