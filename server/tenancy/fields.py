"""Column types and constraints for bytes of fixed length: ids, keys, hashes."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.lookups import Exact


class BytesField(models.BinaryField):
    """A BinaryField that always reads as `bytes` (drivers differ: some hand out memoryview)."""

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> bytes | None:
        """Turn what the driver gives into bytes."""
        return None if value is None else bytes(value)


class ByteLength(models.Func):
    """Number of bytes in a binary column, the same on SQLite and PostgreSQL."""

    function = "LENGTH"
    output_field = models.IntegerField()


def has_length(name: str, field: str, length: int) -> models.CheckConstraint:
    """Return a constraint: binary `field` is exactly `length` bytes (or NULL)."""
    return models.CheckConstraint(condition=Exact(ByteLength(field), length), name=name)
