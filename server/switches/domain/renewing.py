"""After a switch was decided or taken back: keys cut and issued, locks' news written, neighbours looked at.

A sweep over database state: what did not get done is done the next time, and doing it twice changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from server.access.domain.issue import issue_for_clients, issue_for_duties
from server.switches import queries
from server.switches.domain.deaths import settle
from server.switches.models import GateNeighbour, ProviderSwitch, SwitchedClient
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of


def renew_all(municipality: Municipality, *, at: datetime) -> int:
    """Do what is left to do for every switch of the municipality; returns for how many. Runs in its scope."""
    waiting = list(queries.not_renewed())
    for switch in waiting:
        renew(switch, at=at)
    for switch in queries.not_settled(at=at):
        settle(switch, at=at)
    return len(waiting)


def renew(switch: ProviderSwitch, *, at: datetime) -> None:
    """Bring everybody's keys at the switched clients' doors in line with the assignments as they are now."""
    rows = list(SwitchedClient.objects.filter(switch=switch).values_list("client_id", "to_team_id"))
    municipality = switch.municipality
    issue_for_clients(municipality=municipality, client_ids=[client for client, _team in rows], at=at)
    if switch.cancelled_at is None:
        _look_at_neighbours(switch, at=at)
    else:
        # With its assignment gone nothing leads from the client to the team that holds keys for it.
        policy = policy_of(municipality)
        until = at + policy.issue_horizon + policy.shift_lead
        teams = {team for _client, team in rows}
        shifts = queries.shifts_of_teams(teams, since=at - policy.grace, until=until)
        issue_for_duties(municipality=municipality, duties=list(shifts), at=at)
    # Taken back meanwhile: then there is more to do, and the next run does it.
    ProviderSwitch.objects.filter(pk=switch.pk, cancelled_at=switch.cancelled_at).update(issued_at=at)


def _look_at_neighbours(switch: ProviderSwitch, *, at: datetime) -> None:
    rows = list(GateNeighbour.objects.filter(switch=switch, after__isnull=True).defer("before"))
    held = queries.rights_of_others({row.binding_id for row in rows}, besides=switch.from_provider_id, at=at)
    for row in rows:
        row.after = held.get((row.binding_id, row.provider_id), [])
    GateNeighbour.objects.bulk_update(rows, ["after"], batch_size=200)
