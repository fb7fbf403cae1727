"""A switch as it is thought out on the page: everything chosen, nothing written yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from server.switches.queries import CareFacts, care_facts
from server.switches.rules import ClientPlan, Stand, area_of, plan_client, stand_of, team_for


@dataclass(frozen=True)
class Draft:
    """What somebody chose."""

    from_provider: int
    to_provider: int
    clients: tuple[int, ...]
    at: datetime | None
    """The instant; None for the moment when it is confirmed."""
    teams: Mapping[str, int] = field(default_factory=dict)
    """The new provider's team by area; under "" the one for all other areas."""
    stands: Mapping[int, Stand] = field(default_factory=dict)
    """By client id: the assignments that the preview was made from."""

    def instant(self, now: datetime) -> datetime:
        """Return the instant in whole seconds, as if it were confirmed at `now`."""
        return (self.at or now).replace(microsecond=0)


def facts_of(draft: Draft, *, now: datetime) -> CareFacts:
    """Return what stands about the care of the chosen clients."""
    return care_facts(draft.clients, (draft.from_provider, draft.to_provider), at=now)


def plans_of(draft: Draft, facts: CareFacts, *, at: datetime) -> list[ClientPlan]:
    """Return what the switch does to each client, by alarm code."""
    return [
        plan_client(
            client,
            facts.assignments.get(client.pk, ()),
            from_provider=draft.from_provider,
            team=team_for(area_of(client), draft.teams),
            at=at,
        )
        for client in facts.clients.values()
    ]


def stands_of(facts: CareFacts) -> dict[int, Stand]:
    """Return the assignments as they stand, by client id."""
    return {client: stand_of(facts.assignments.get(client, ())) for client in facts.clients}


def what_changed(before: Stand, after: Stand) -> list[str]:
    """Return in words how assignments differ from what a preview showed."""

    old, new = {row[0]: row for row in before}, {row[0]: row for row in after}
    said = [_("an assignment has ended or been removed") for pk in old if pk not in new]
    said += [
        _("an assignment was added from %(at)s") % {"at": _local(new[pk][2])} for pk in new if pk not in old
    ]
    for pk in old.keys() & new.keys():
        if old[pk][3] != new[pk][3]:
            said.append(
                _("an assignment ends %(after)s, not %(before)s")
                % {"after": _local(new[pk][3]), "before": _local(old[pk][3])}
            )
        elif old[pk] != new[pk]:
            said.append(_("an assignment's team or start was changed"))
    return said


def _local(moment: str) -> str:
    if not moment:
        return "–"
    return f"{timezone.localtime(datetime.fromisoformat(moment)):%Y-%m-%d %H:%M}"
