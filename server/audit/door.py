"""The database's own guard over the audit trail, and the one door in it.

Triggers refuse to change an entry, whoever asks and however: code of ours, another program, a person at the
database's prompt. PostgreSQL refuses to delete one too; SQLite cannot (its way of emptying tables between
tests is DELETE), there the models refuse alone. The door lets `before` and `after` be rewritten, by
`server.audit.redaction` and nobody else, and only inside the transaction that opened it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction


@contextmanager
def door_open() -> Iterator[None]:
    """Let `before` and `after` of entries be rewritten within the block, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO audit_door (opened) VALUES (1)")
        yield
        cursor.execute("DELETE FROM audit_door")
