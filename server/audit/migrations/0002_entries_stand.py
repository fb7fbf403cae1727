"""Triggers: the database itself refuses to change or delete audit entries. See `server.audit.door`.

Whoever alters the table on SQLite later must make the trigger again: SQLite alters by copying, without it.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

FIXED = (
    "id",
    "municipality_id",
    "at",
    "actor_id",
    "acting_as",
    "action",
    "object_type",
    "object_id",
    "reason",
)
WORDS = "audit entries can neither be changed nor deleted"
TABLE = "CREATE TABLE audit_door (opened integer NOT NULL)"


def _changed() -> str:
    return " OR ".join(f'OLD."{name}" IS DISTINCT FROM NEW."{name}"' for name in FIXED)


def _on_postgresql() -> list[str]:
    refuse = f"NOT EXISTS (SELECT 1 FROM audit_door) OR {_changed()}"  # noqa: S608
    return [
        TABLE,
        "CREATE FUNCTION audit_entry_stands() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'DELETE' THEN RAISE EXCEPTION '{WORDS}'; END IF; "
        f"IF {refuse} THEN RAISE EXCEPTION '{WORDS}'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER audit_entry_stands BEFORE UPDATE OR DELETE ON audit_auditentry "
        "FOR EACH ROW EXECUTE FUNCTION audit_entry_stands()",
    ]


def _on_sqlite() -> list[str]:
    changed = " OR ".join(f'OLD."{name}" IS NOT NEW."{name}"' for name in FIXED)
    return [
        TABLE,
        "CREATE TRIGGER audit_entry_stands BEFORE UPDATE ON audit_auditentry "
        f"WHEN NOT EXISTS (SELECT 1 FROM audit_door) OR {changed} "  # noqa: S608
        f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END",
    ]


def put_up(_apps: Any, schema_editor: Any) -> None:
    """Make the door and the triggers."""
    for statement in _on_postgresql() if schema_editor.connection.vendor == "postgresql" else _on_sqlite():
        schema_editor.execute(statement)


def take_down(_apps: Any, schema_editor: Any) -> None:
    """Drop them again."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER audit_entry_stands ON audit_auditentry")
        schema_editor.execute("DROP FUNCTION audit_entry_stands()")
    else:
        schema_editor.execute("DROP TRIGGER audit_entry_stands")
    schema_editor.execute("DROP TABLE audit_door")


class Migration(migrations.Migration):
    """Guard the table."""

    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunPython(put_up, take_down)]
