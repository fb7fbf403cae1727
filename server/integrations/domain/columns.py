"""The columns of each kind of import: the same names in CSV and JSON, documented from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from server.integrations.domain import values
from server.integrations.models import Kind


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    read: Callable[[Any], Any]
    says: str | Promise
    example: str
    required: bool = True


_ID = values.identity(64)
EXTERNAL_ID = Column("external_id", _ID, _("The row's identity in your system; it never changes."), "A-1001")
_CLIENT_ID = Column(
    "external_id", values.code(64), _("The client's identity in your system; never a personal number."), "K-1"
)
_PROVIDER = Column(
    "provider", _ID, _("The care provider: its name here, or your identity for it."), "Hemtjänst Norr"
)
_TEAM = Column("team", _ID, _("The provider's team: its name here, or your identity for it."), "Grupp 1")
_CLIENT = Column("client", values.code(20), _("The client's alarm code."), "4711")
_STARTS = Column(
    "starts_at", values.moment, _("From when; Swedish time, or with an offset."), "2026-12-01 07:00"
)
_ENDS = Column("ends_at", values.moment, _("Until when."), "2026-12-01 15:30")

COLUMNS: Mapping[str, tuple[Column, ...]] = {
    Kind.STAFF: (
        EXTERNAL_ID,
        _PROVIDER,
        Column("name", values.identity(100), _("First and last name."), "Alice Andersson"),
        Column("employed_from", values.day, _("First day of employment."), "2026-01-01"),
        Column("employed_to", values.day, _("Last day, included; empty while it lasts."), "", required=False),
    ),
    Kind.CLIENTS: (
        _CLIENT_ID,
        Column("alarm_code", values.code(20), _("The alarm code; never a name."), "4711"),
        Column("door", _ID, _("Your identity for the apartment door."), "", required=False),
        Column("paused_at", values.moment, _("Paused from, such as a hospital stay."), "", required=False),
        Column("ended_at", values.moment, _("Care has ended for good."), "", required=False),
    ),
    Kind.ASSIGNMENTS: (
        EXTERNAL_ID,
        _CLIENT,
        _PROVIDER,
        _TEAM,
        _STARTS,
        Column("ends_at", values.moment, _("Until when; empty while it lasts."), "", required=False),
    ),
    Kind.SHIFTS: (
        EXTERNAL_ID,
        Column("staff", _ID, _("Your identity for the staff member."), "A-1001"),
        _TEAM,
        _STARTS,
        _ENDS,
        Column("cancelled", values.flag, _("Whether the shift is cancelled."), "nej", required=False),
    ),
    Kind.VISITS: (
        EXTERNAL_ID,
        Column("shift", _ID, _("Your identity for the shift."), "P-1"),
        _CLIENT,
        _STARTS,
        _ENDS,
        Column("order", values.order, _("Place in the shift's list."), "1", required=False),
    ),
}


@dataclass(frozen=True)
class Trouble:
    """What is wrong with one value of one row, and how to mend it."""

    row: int
    external_id: str
    column: str
    what: str | Promise
    mend: str | Promise


@dataclass(frozen=True)
class Parsed:
    """A row whose values could be read; what the file did not have is not in `values`."""

    row: int
    external_id: str
    values: Mapping[str, Any]


def parse(kind: str, rows: list[tuple[int, Mapping[str, Any]]]) -> tuple[list[Parsed], list[Trouble]]:
    """Return the rows that can be read, and everything that is wrong with the others."""
    good: list[Parsed] = []
    bad: list[Trouble] = []
    seen: dict[str, int] = {}
    for number, row in rows:
        parsed, troubles = _parse_row(kind, number, row)
        if not troubles and parsed.external_id in seen:
            line = seen[parsed.external_id]
            troubles = [
                Trouble(
                    number,
                    parsed.external_id,
                    "external_id",
                    format_lazy(_("The same identity stands on row {row}."), row=line),
                    _("Give each row an identity of its own."),
                )
            ]
        seen.setdefault(parsed.external_id, number)
        bad += troubles
        if not troubles:
            good.append(parsed)
    return good, bad


def _parse_row(kind: str, number: int, row: Mapping[str, Any]) -> tuple[Parsed, list[Trouble]]:
    columns = COLUMNS[kind]
    name = str(row.get("external_id") or "")[:64]
    shown = "" if values.looks_personal(name) else name
    troubles = [
        Trouble(number, shown, str(extra)[:40], _("unknown column"), _("Take it out; see the template."))
        for extra in row.keys() - {column.name for column in columns}
    ]
    found: dict[str, Any] = {}
    for column in columns:
        raw = row.get(column.name)
        if raw is None or raw == "":
            if column.required:
                troubles.append(Trouble(number, shown, column.name, _("is missing"), column.says))
            elif column.name in row:
                found[column.name] = None
            continue
        try:
            found[column.name] = column.read(raw)
        except values.BadValueError as error:
            troubles.append(Trouble(number, shown, column.name, error.what, error.mend))
    return Parsed(number, str(found.get("external_id", "")), found), troubles
