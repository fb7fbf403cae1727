"""Who is switched: by alarm codes, or all of a provider's clients, of one team, or in one area.

One bad code and nothing is chosen: every bad one is named with its line and what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.care.models import Client
from server.people.models import CareProvider
from server.switches.queries import clients_by_code, in_care_of, last_switches

MOST_CLIENTS = 5000
_HEADERS = frozenset({"larmkod", "alarm code", "alarm_code", "kod", "code"})
_SEPARATORS = re.compile(r"[;,\t]")


@dataclass(frozen=True)
class BadCode:
    """One line that cannot be used."""

    line: int
    code: str
    why: str | Promise


class BadCodesError(ValueError):
    """Some lines cannot be used, so none is."""

    def __init__(self, bad: list[BadCode]) -> None:
        super().__init__(f"{len(bad)} bad lines")
        self.bad = bad


def read_codes(text: str) -> list[tuple[int, str]]:
    """Return (line, alarm code) from pasted or uploaded text: the first column of each line that has one."""
    found = []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        code = _SEPARATORS.split(line, maxsplit=1)[0].strip().strip('"').strip()
        if code and not (number == 1 and code.lower() in _HEADERS):
            found.append((number, code))
    return found


def choose_by_codes(lines: Iterable[tuple[int, str]], *, provider: CareProvider, at: datetime) -> list[int]:
    """Return the clients' ids; raises `BadCodesError` with every line that does not name a client in care.

    A client counts when the provider has an assignment that has not ended by `at`.
    """
    lines = list(lines)
    clients = clients_by_code({code for _line, code in lines})
    ids = {client.pk for client in clients.values()}
    living = set(in_care_of(provider.pk, at=at).filter(client__in=ids).values_list("client_id", flat=True))
    before = last_switches(ids - living)
    seen: dict[str, int] = {}
    bad = []
    for line, code in lines:
        client = clients.get(code)
        why = _why_bad(client, living, before, provider)
        if why is None and code in seen:
            why = _("The code stands on line %(line)s already.") % {"line": seen[code]}
        if why is not None:
            bad.append(BadCode(line, code, why))
        seen.setdefault(code, line)
    if bad:
        raise BadCodesError(bad)
    return sorted(clients[code].pk for code in seen)


def _why_bad(
    client: Client | None, living: set[int], before: Mapping[int, object], provider: CareProvider
) -> str | Promise | None:
    if client is None:
        return _("No client has this alarm code.")
    if client.pk in living:
        return None
    if client.pk in before:
        return _("Not in the care of %(provider)s: already switched (%(switch)s).") % {
            "provider": provider,
            "switch": before[client.pk],
        }
    return _("Not in the care of %(provider)s.") % {"provider": provider}


def choose_all(
    *, provider: CareProvider, at: datetime, now: datetime, team: int | None = None, area: str | None = None
) -> list[int]:
    """Return ids of the provider's clients whose care holds until the instant or beyond.

    Whoever leaves earlier is left out on purpose: a list of alarm codes takes them along, with a warning.
    """
    until = Q(ends_at__isnull=True) | Q(ends_at__gte=at)
    rows = in_care_of(provider.pk, at=now).filter(until, starts_at__lt=max(at, now))
    if team is not None:
        rows = rows.filter(team=team)
    if area is not None:
        rows = rows.filter(client__door__property__area=area)
    return sorted(set(rows.values_list("client_id", flat=True)))
