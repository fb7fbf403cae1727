"""Importing rows of one kind: all of them, or none with every bad row named; or the good ones, if asked for.

Rows are known by source and identity, so the same file twice changes nothing. Left out on purpose: deleting.
What is gone ends: an assignment or an employment gets its end, a shift is cancelled. Rights follow within a
minute, by the sweep that issues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record, record_many, snapshot
from server.integrations import queries
from server.integrations.domain.columns import Parsed, Trouble, parse
from server.integrations.domain.resolving import MODELS, BadColumnError, Resolver
from server.integrations.models import ApiKey, ImportRun
from server.integrations.source_queries import is_others_source
from server.people.models import CareProvider, User
from server.problems import Problem
from server.tenancy.models import Municipality
from server.tenancy.scoping import whole_municipality

IMPORTED = actions.register("integrations.imported", _("import from a business system"))
ADDED = actions.register("integrations.added", _("added by an import"))
CHANGED = actions.register("integrations.changed", _("changed by an import"))
ACTING_AS = "business_system"

Rows = list[tuple[int, Mapping[str, Any]]]
"""(row number, values by column)."""


@dataclass(frozen=True)
class Sender:
    """Who brings the rows: a business system by its key, or a person with a file."""

    municipality: Municipality
    source: str
    provider: CareProvider | None = None
    """Whose rows alone; None for the whole municipality."""
    key: ApiKey | None = None
    user: User | None = None


@dataclass
class Outcome:
    """What an import did, or would do."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    troubles: list[Trouble] = field(default_factory=list)
    run: ImportRun | None = None
    """None where nothing was written: a dry run, or refused rows."""

    @property
    def refused(self) -> int:
        """How many rows are bad."""
        return len({trouble.row for trouble in self.troubles})


class _DryRunError(Exception):
    """Takes back what a dry run wrote."""


@whole_municipality()
def may_bring(*, kind: str, source: str, provider: CareProvider | None) -> bool:
    """Return whether somebody with a file may bring rows under this source.

    A provider's own people only under one that is nobody else's; an administrator gives keys theirs.
    """
    return provider is None or not is_others_source(MODELS[kind], kind, source, provider=provider.pk)


@whole_municipality()
def import_rows(
    *,
    kind: str,
    rows: Rows,
    sender: Sender,
    at: datetime,
    dry_run: bool = False,
    good_rows_only: bool = False,
) -> Outcome:
    """Import rows of one kind; must run in the municipality's scope.

    With any bad row nothing is written, unless `good_rows_only`. `dry_run` does everything and takes it back.
    """
    parsed, troubles = parse(kind, rows)
    outcome = Outcome(troubles=troubles)
    try:
        with transaction.atomic():
            queries.hold_municipality(sender.municipality.pk)
            _import(kind, parsed, sender, outcome, at=at, total=len(rows), good_only=good_rows_only)
            if dry_run:
                raise _DryRunError
    except _DryRunError:
        outcome.run = None
    except IntegrityError as error:  # somebody entered the same by hand in this very moment
        raise Problem("import_clash") from error
    return outcome


def _import(
    kind: str,
    parsed: Sequence[Parsed],
    sender: Sender,
    outcome: Outcome,
    *,
    at: datetime,
    total: int,
    good_only: bool,
) -> None:
    resolver = Resolver(kind, parsed, source=sender.source, provider=sender.provider, at=at)
    plans = _Plans(kind, sender)
    for row in parsed:
        try:
            plans.take(row, *resolver.fields(row))
        except BadColumnError as error:
            outcome.troubles.append(Trouble(row.row, row.external_id, error.column, error.what, error.mend))
    outcome.troubles.sort(key=lambda trouble: trouble.row)
    outcome.added, outcome.changed = len(plans.added), len(plans.changed)
    outcome.unchanged = plans.unchanged
    if outcome.troubles and not good_only:
        return
    plans.write()
    outcome.run = ImportRun.objects.create(
        municipality=sender.municipality,
        kind=kind,
        source=sender.source,
        at=at,
        key=sender.key,
        by=sender.user,
        provider=sender.provider,
        rows=total,
        added=outcome.added,
        changed=outcome.changed,
        unchanged=outcome.unchanged,
        refused=outcome.refused,
    )
    plans.record(outcome.run)


class _Plans:
    """What is to be added and changed."""

    def __init__(self, kind: str, sender: Sender) -> None:
        self.model = MODELS[kind]
        self.sender = sender
        self.added: list[Any] = []
        self.changed: list[tuple[Any, dict[str, Any], dict[str, Any]]] = []
        """(row, before, after) of what differs."""
        self.columns: set[str] = set()
        self.unchanged = 0
        self.codes: dict[str, int] = {}

    def take(self, row: Parsed, before: Any | None, fields: dict[str, Any]) -> None:
        """Weigh one row; raises `BadColumnError` when two rows of the file want the same alarm code."""
        self._refuse_same_code(row, fields)
        origin = {"source": self.sender.source, "external_id": row.external_id}
        if before is None:
            self.added.append(self.model(municipality=self.sender.municipality, **origin, **fields))
            return
        wanted = {**origin, **fields}
        differing = {name: value for name, value in wanted.items() if getattr(before, name) != value}
        if not differing:
            self.unchanged += 1
            return
        said = snapshot(before)
        for name, value in differing.items():
            setattr(before, name, value)
        later = snapshot(before)
        names = [name for name in later if later[name] != said[name]]
        self.columns |= set(differing)
        self.changed.append(
            (before, {name: said[name] for name in names}, {name: later[name] for name in names})
        )

    def _refuse_same_code(self, row: Parsed, fields: Mapping[str, Any]) -> None:
        code = fields.get("alarm_code")
        if code is None:
            return
        if code in self.codes:
            raise BadColumnError(
                "alarm_code",
                _("another row has the same alarm code"),
                _("Each client has an alarm code of its own."),
            )
        self.codes[code] = row.row

    def write(self) -> None:
        """Write it all."""
        self.model.objects.bulk_create(self.added, batch_size=500)
        if self.changed:
            names = sorted(
                name.removesuffix("_id") if name != "external_id" else name for name in self.columns
            )
            self.model.objects.bulk_update([row for row, _old, _new in self.changed], names, batch_size=200)

    def record(self, run: ImportRun) -> None:
        """Write the audit trail: the import with its counts, and every row."""
        who = {"actor": self.sender.user, "acting_as": "" if self.sender.user else ACTING_AS}
        reason = f"import {run.pk}"
        said = {
            "kind": run.kind,
            "source": run.source,
            "key": str(run.key or ""),
            "added": run.added,
            "changed": run.changed,
            "unchanged": run.unchanged,
            "refused": run.refused,
        }
        record(action=IMPORTED, target=run, after=said, **who)  # type: ignore[arg-type]
        added: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
            (row, {}, snapshot(row)) for row in self.added
        ]
        record_many(action=ADDED, rows=added, reason=reason, **who)  # type: ignore[arg-type]
        record_many(action=CHANGED, rows=self.changed, reason=reason, **who)  # type: ignore[arg-type]
