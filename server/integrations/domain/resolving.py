"""From a row's texts to the fields of a model: what it refers to must exist, and belong together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from server.care.models import CareAssignment, Client, Shift, Visit
from server.integrations import queries
from server.integrations.domain.columns import Parsed
from server.integrations.domain.values import BadValueError, Text
from server.integrations.models import Kind
from server.people.models import CareProvider, StaffMember, Team
from server.tenancy.base import ImportedModel

MODELS: Mapping[str, type[ImportedModel]] = {
    Kind.STAFF: StaffMember,
    Kind.CLIENTS: Client,
    Kind.ASSIGNMENTS: CareAssignment,
    Kind.SHIFTS: Shift,
    Kind.VISITS: Visit,
}


class BadColumnError(BadValueError):
    """A value that does not fit with what is here already."""

    def __init__(self, column: str, what: Text, mend: Text) -> None:
        super().__init__(what, mend)
        self.column = column


class Resolver:
    """One import's look-ups."""

    def __init__(
        self, kind: str, rows: Sequence[Parsed], *, source: str, provider: CareProvider | None, at: datetime
    ) -> None:
        self.provider, self.source, self.at = provider, source, at
        self.before = queries.existing(MODELS[kind], [row.external_id for row in rows], source=source)
        known = list(self.before.values()) if kind == Kind.ASSIGNMENTS else []
        self.switched = queries.ended_by_switches(known) if known else {}
        self._fields: Callable[[Mapping[str, Any], Any], dict[str, Any]] = getattr(self, f"_{kind}")

        def said(column: str) -> set[str]:
            return {row.values[column] for row in rows if row.values.get(column)}

        bound = provider.pk if provider is not None else None
        self.providers = queries.providers_called(said("provider"), source=source)
        self.teams = queries.teams_called(said("team"), source=source)
        self.staff = queries.staff_called(said("staff"), source=source)
        self.shifts = queries.shifts_called(said("shift"), source=source)
        self.doors = queries.doors_called(said("door"), source=source)
        codes = said("client") | said("alarm_code")
        self.clients = queries.clients_called(codes, provider=bound)

    def fields(self, row: Parsed) -> tuple[Any | None, dict[str, Any]]:
        """Return the row it is (None when new) and its fields; raises `BadColumnError`."""
        before = self.before.get(row.external_id)
        return self._adopted(row, before), self._fields(row.values, before)

    def _adopted(self, row: Parsed, before: Any | None) -> Any | None:
        """A client entered by hand becomes the source's own by its alarm code."""
        known = self.clients.get(row.values.get("alarm_code", ""))
        if before is not None or known is None or "client" in row.values:
            return before
        return known if not known.source else before

    def _staff(self, values: Mapping[str, Any], before: Any | None) -> dict[str, Any]:
        provider = self._provider(values["provider"])
        if before is not None and before.provider_id != provider.pk:
            raise BadColumnError(
                "provider",
                _("this person works for another care provider"),
                _("End the employment there and give the new one an identity of its own."),
            )
        start, end = values["employed_from"], values.get("employed_to")
        if end is not None and end < start:
            raise BadColumnError("employed_to", _("before employed_from"), _("Correct one of the two."))
        found = {"provider_id": provider.pk, "name": values["name"], "employed_from": start}
        return {**found, **_given(values, "employed_to")}

    def _clients(self, values: Mapping[str, Any], before: Any | None) -> dict[str, Any]:
        code = values["alarm_code"]
        known = self.clients.get(code)
        if known is not None and known.source and (before is None or known.pk != before.pk):
            raise BadColumnError(
                "alarm_code",
                _("another client has this alarm code"),
                _("Correct the code, or the other client first."),
            )
        if before is not None and known is not None and known.pk != before.pk:
            raise BadColumnError(
                "alarm_code", _("another client has this alarm code"), _("Correct the code.")
            )
        found = {"alarm_code": code, **_given(values, "paused_at", "ended_at")}
        if "door" in values:
            found["door_id"] = self._door(values["door"])
        return found

    def _door(self, said: str | None) -> int | None:
        if said is None:
            return None
        door = self.doors.get(said)
        if door is None:
            raise BadColumnError(
                "door",
                _("no apartment door has this identity"),
                _("Enter the door first, with the identity."),
            )
        return int(door.pk)

    def _assignments(self, values: Mapping[str, Any], before: Any | None) -> dict[str, Any]:
        provider = self._provider(values["provider"])
        client = self._client(values["client"])
        team = self._team(values["team"], provider.pk)
        _refuse_backwards(values)
        if before is not None and (before.client_id, before.provider_id) != (client.pk, provider.pk):
            raise BadColumnError(
                "client",
                _("this assignment is another client's or provider's"),
                _("End that one and give the new one an identity of its own."),
            )
        found = {"client_id": client.pk, "provider_id": provider.pk, "team_id": team.pk}
        return {**found, "starts_at": values["starts_at"], **self._end(values, before)}

    def _end(self, values: Mapping[str, Any], before: CareAssignment | None) -> dict[str, Any]:
        """Return when an assignment ends. What a provider switch ended is not begun again by an old row."""
        said = _given(values, "ends_at")
        switched = self.switched.get(before.pk) if before is not None else None
        if before is None or switched is None or not said:
            return said
        if said["ends_at"] is not None and said["ends_at"] <= switched:
            return said
        by_hand = before.ends_at is None or before.ends_at > switched
        return {} if by_hand else {"ends_at": switched}

    def _shifts(self, values: Mapping[str, Any], before: Any | None) -> dict[str, Any]:
        staff = self.staff.get(values["staff"])
        if staff is None or not self._is_own(staff.provider_id):
            raise BadColumnError(
                "staff", _("no staff member has this identity"), _("Import the staff member first.")
            )
        if before is not None and not self._is_own(before.provider_id):
            raise BadColumnError(
                "external_id", _("belongs to another care provider"), _("Use an identity of your own.")
            )
        team = self._team(values["team"], staff.provider_id)
        _refuse_backwards(values)
        found: dict[str, Any] = {"staff_id": staff.pk, "provider_id": staff.provider_id, "team_id": team.pk}
        found |= {"starts_at": values["starts_at"], "ends_at": values["ends_at"]}
        if "cancelled" in values:
            known = before.cancelled_at if before is not None else None
            found["cancelled_at"] = (known or self.at) if values["cancelled"] else None
        return found

    def _visits(self, values: Mapping[str, Any], before: Any | None) -> dict[str, Any]:
        shift = self.shifts.get(values["shift"])
        if shift is None or not self._is_own(shift.provider_id):
            raise BadColumnError("shift", _("no shift has this identity"), _("Import the shift first."))
        if before is not None and not self._is_own(before.shift.provider_id):
            raise BadColumnError(
                "external_id", _("belongs to another care provider"), _("Use an identity of your own.")
            )
        client = self._client(values["client"])
        _refuse_backwards(values)
        found = {"shift_id": shift.pk, "client_id": client.pk}
        found |= {"starts_at": values["starts_at"], "ends_at": values["ends_at"]}
        if values.get("order") is not None:
            found["order"] = values["order"]
        return found

    def _is_own(self, provider_id: int) -> bool:
        return self.provider is None or provider_id == self.provider.pk

    def _provider(self, said: str) -> CareProvider:
        found: CareProvider | None = self.providers.find(said)
        if found is None or not self._is_own(found.pk):
            mend: Text = _(
                "Write the name as it stands here, or enter the provider with your identity first."
            )
            if self.provider is not None:
                mend = format_lazy(_("Only rows of {provider} can be imported here."), provider=self.provider)
            raise BadColumnError("provider", _("no such care provider"), mend)
        return found

    def _team(self, said: str, provider_id: int) -> Team:
        lookup = self.teams.get(provider_id)
        found: Team | None = lookup.find(said) if lookup is not None else None
        if found is None:
            raise BadColumnError(
                "team", _("the provider has no such team"), _("Write the name as it stands here, or add it.")
            )
        return found

    def _client(self, said: str) -> Client:
        found = self.clients.get(said)
        if found is None:
            mend = _("Check the code.") if self.provider is not None else _("Import the client first.")
            raise BadColumnError("client", _("no client with this alarm code is in care here"), mend)
        return found


def _given(values: Mapping[str, Any], *columns: str) -> dict[str, Any]:
    """Return what the file has of optional columns: what it does not have stays as it is."""
    return {column: values[column] for column in columns if column in values}


def _refuse_backwards(values: Mapping[str, Any]) -> None:
    if values.get("ends_at") is not None and values["ends_at"] <= values["starts_at"]:
        raise BadColumnError("ends_at", _("not after starts_at"), _("Correct one of the two."))
