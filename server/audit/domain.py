"""Writing the audit trail; called by domain verbs and the admin, in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db import models

from server.audit import actions
from server.audit.models import AuditEntry
from server.people.models import User
from server.tenancy.fields import BytesField
from server.tenancy.models import Municipality

SERVER = "server"
ROWS_PER_STATEMENT = 500

Values = dict[str, Any]


class ActorMissingError(ValueError):
    """An action that only a person can do was recorded without one."""


def record(
    *,
    action: str,
    target: models.Model,
    actor: User | None = None,
    acting_as: str = "",
    before: Values | None = None,
    after: Values | None = None,
    reason: str = "",
) -> AuditEntry:
    """Add an entry: who did what to `target`, as what, and why.

    `action` must be registered; `before` and `after` hold plain values of what changed. The municipality is
    the target's own. Raises `UnknownActionError` and `ActorMissingError`.
    """
    [entry] = record_many(
        action=action, rows=[(target, before, after)], actor=actor, acting_as=acting_as, reason=reason
    )
    return entry


def record_many(
    *,
    action: str,
    rows: Iterable[tuple[models.Model, Values | None, Values | None]],
    actor: User | None = None,
    acting_as: str = "",
    reason: str = "",
) -> list[AuditEntry]:
    """Add one entry for each (target, before, after), in as few statements as they need.

    For one act that changes many rows: a switch of 500 clients, an import. Like `record` otherwise.
    """
    if actions.get(action).needs_actor and actor is None:
        raise ActorMissingError(action)
    role = acting_as or acting_role(actor)
    entries = [
        AuditEntry(
            municipality_id=_municipality_of(target),
            actor=actor,
            acting_as=role,
            action=action,
            object_type=target._meta.label_lower,
            object_id=str(target.pk),
            before=before or {},
            after=after or {},
            reason=reason,
        )
        for target, before, after in rows
    ]
    return list(AuditEntry.unscoped.bulk_create(entries, batch_size=ROWS_PER_STATEMENT))


def _municipality_of(target: models.Model) -> int:
    own: int = target.pk if isinstance(target, Municipality) else target.municipality_id  # type: ignore[attr-defined]
    return own


def acting_role(actor: User | None) -> str:
    """Return what somebody acts as: a `Role`, `administrator`, `staff` (a phone's sign-in) or `server`."""
    if actor is None:
        return SERVER
    if actor.is_superuser:
        return "administrator"
    return actor.role or "staff"


def snapshot(row: models.Model) -> dict[str, Any]:
    """Return a row's plain values for `before` and `after`; keys, hashes and documents are left out."""
    values: dict[str, Any] = {}
    for column in row._meta.concrete_fields:
        if isinstance(column, BytesField) or column.name == "password":
            continue
        value = getattr(row, column.attname)
        values[column.name] = value.isoformat() if isinstance(value, datetime | date) else value
    return values


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the two snapshots reduced to what differs."""
    keys = [key for key in after if before.get(key) != after[key]]
    return {key: before.get(key) for key in keys}, {key: after[key] for key in keys}
