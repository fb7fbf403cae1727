"""What imported rows refer to, looked up for thousands of rows in a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from server.care.models import CareAssignment, Client, Shift, Visit
from server.integrations.models import ApiKey
from server.people.models import CareProvider, StaffMember, Team
from server.places.models import Door
from server.switches.models import SwitchedClient
from server.tenancy.base import ImportedModel
from server.tenancy.models import Municipality


def key_by_hash(token_hash: bytes) -> ApiKey | None:
    """Return the key with this hash, in whichever municipality."""
    found: ApiKey | None = (
        ApiKey.unscoped.select_related("municipality", "provider").filter(token_hash=token_hash).first()
    )
    return found


def note_use(key: ApiKey, *, at: datetime) -> None:
    """Note that a key was used."""
    ApiKey.unscoped.filter(pk=key.pk).update(last_used_at=at)


def hold_municipality(municipality_id: int) -> None:
    """Let imports of one municipality follow each other."""
    rows = Municipality.objects.filter(pk=municipality_id).select_for_update(no_key=True)
    list(rows.values_list("pk", flat=True))


@dataclass
class Lookup:
    """Rows by what a business system calls them: its own identity first, then a name."""

    by_id: dict[str, Any] = field(default_factory=dict)
    by_name: dict[str, Any] = field(default_factory=dict)

    def find(self, said: str) -> Any | None:
        """Return the row, or None."""
        return self.by_id.get(said) or self.by_name.get(said)


def _named(rows: QuerySet[Any], source: str, names: Collection[str], name: str) -> QuerySet[Any]:
    return rows.filter(Q(source=source, external_id__in=names) | Q(**{f"{name}__in": names}))


def _by_source(rows: QuerySet[Any], source: str) -> dict[str, Any]:
    return {row.external_id: row for row in rows if row.source == source and row.external_id}


def providers_called(names: Collection[str], *, source: str) -> Lookup:
    """Return care providers by identity or name."""
    rows = _named(CareProvider.objects.all(), source, names, "name")
    return Lookup(_by_source(rows, source), {row.name: row for row in rows})


def teams_called(names: Collection[str], *, source: str) -> dict[int, Lookup]:
    """Return teams by identity or name, by provider id."""
    found: dict[int, Lookup] = {}
    for row in _named(Team.objects.all(), source, names, "name"):
        lookup = found.setdefault(row.provider_id, Lookup())
        lookup.by_name[row.name] = row
        if row.source == source and row.external_id:
            lookup.by_id[row.external_id] = row
    return found


def staff_called(ids: Collection[str], *, source: str) -> dict[str, StaffMember]:
    """Return staff members by identity, with their providers."""
    rows = StaffMember.objects.filter(source=source, external_id__in=ids).select_related("provider")
    return {row.external_id: row for row in rows}


def shifts_called(ids: Collection[str], *, source: str) -> dict[str, Shift]:
    """Return shifts by identity."""
    return {row.external_id: row for row in Shift.objects.filter(source=source, external_id__in=ids)}


def doors_called(ids: Collection[str], *, source: str) -> dict[str, Door]:
    """Return apartment doors by identity."""
    rows = Door.objects.filter(source=source, external_id__in=ids, kind=Door.Kind.APARTMENT)
    return {row.external_id: row for row in rows}


def clients_called(codes: Collection[str], *, provider: int | None) -> dict[str, Client]:
    """Return clients by alarm code; with a provider only those it cares for or is to care for."""
    rows = Client.objects.filter(alarm_code__in=codes)
    if provider is not None:
        mine = CareAssignment.objects.filter(provider=provider)
        rows = rows.filter(pk__in=mine.values("client"))
    return {row.alarm_code: row for row in rows}


def ended_by_switches(rows: Collection[CareAssignment]) -> dict[int, datetime]:
    """Return when a provider switch ends or ended assignments, by their id."""
    switched = SwitchedClient.objects.filter(
        client__in={row.client_id for row in rows}, switch__cancelled_at__isnull=True
    )
    return {int(pk): at for before, at in switched.values_list("before", "switch__at") for pk in before}


def existing(model: type[ImportedModel], ids: Collection[str], *, source: str) -> dict[str, Any]:
    """Return rows that came from the source before, by identity."""
    rows = model.objects.filter(source=source, external_id__in=ids)
    rows = rows.select_related("shift") if model is Visit else rows
    return {row.external_id: row for row in rows}
