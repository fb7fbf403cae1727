"""Deciding a switch: all of it in one transaction, or nothing.

The old provider's assignments get their end and the new one's their start at once, also for an instant to
come: from then on every right that is issued or renewed knows of it. Keys that reach beyond are cut by
`renewing.renew`, which a sweep repeats until it is done. Left out on purpose: visits and shifts, which the
business systems decide on; the preview counts what they still plan.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.audit import actions
from server.audit.domain import record, record_many
from server.care.models import CareAssignment
from server.people.models import CareProvider, User
from server.switches import queries
from server.switches.domain.drafts import Draft, facts_of, plans_of, what_changed
from server.switches.models import GateNeighbour, ProviderSwitch, SwitchedClient, SwitchedDoor
from server.switches.queries import CareFacts, DoorFacts
from server.switches.rules import ClientPlan, stand_of
from server.tenancy.scoping import whole_municipality

SWITCHED = actions.register("switches.decided", gettext_lazy("provider switch decided"))
ENDED = actions.register("switches.assignment_ended", gettext_lazy("assignment ended by a provider switch"))
BEGUN = actions.register("switches.assignment_begun", gettext_lazy("assignment begun by a provider switch"))

Values = dict[str, Any]


class SwitchRefusedError(ValueError):
    """The switch cannot be carried out or taken back; nothing was written."""

    def __init__(self, why: str | Promise, details: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(str(why))
        self.why = why
        self.details = list(details)
        """(alarm code, what is wrong) for every client concerned."""


@whole_municipality()
def decide_switch(*, draft: Draft, form_key: str, at: datetime, actor: User | None) -> ProviderSwitch:
    """Carry the draft out as confirmed at `at`; the same form a second time returns the same switch.

    Raises `SwitchRefusedError` when the instant has passed, when a client is in another switch to come, or
    when an assignment is not as the preview showed it. Must run in the municipality's scope.
    """
    with transaction.atomic():
        queries.hold_clients(draft.clients)
        known: ProviderSwitch | None = ProviderSwitch.objects.filter(form_key=form_key).first()
        if known is not None:
            return known
        instant = draft.instant(at)
        if instant < at.replace(microsecond=0):
            raise SwitchRefusedError(_("The instant has passed. Choose a new one."))
        facts = facts_of(draft, now=at)
        _refuse_clashes(draft, facts)
        plans = plans_of(draft, facts, at=instant)
        switch = _write(draft, plans, form_key=form_key, instant=instant, at=at, actor=actor)
        _note_doors(switch, plans, at=at)
    return switch


def _refuse_clashes(draft: Draft, facts: CareFacts) -> None:
    planned = [
        (client.alarm_code, _("part of another switch to come: %(switch)s") % {"switch": facts.planned[pk]})
        for pk, client in facts.clients.items()
        if pk in facts.planned
    ]
    if planned:
        raise SwitchRefusedError(
            _("Clients are in another switch to come. Take that one back first, or leave them out."), planned
        )
    changed = []
    for pk, client in facts.clients.items():
        before = [tuple(row) for row in draft.stands.get(pk, [])]
        after = stand_of(facts.assignments.get(pk, ()))
        if before != after:
            said = ", ".join(what_changed(before, after)) + _who_did(pk)  # type: ignore[arg-type]
            changed.append((client.alarm_code, said))
    if changed or len(facts.clients) != len(draft.clients):
        raise SwitchRefusedError(
            _("Assignments were changed since the preview. Nothing was switched: look at a new preview."),
            changed,
        )


def _who_did(client_id: int) -> str:
    switch = queries.last_switches([client_id]).get(client_id)
    if switch is None:
        return ""
    return _(" (last switch: %(switch)s, decided by %(who)s)") % {
        "switch": switch,
        "who": switch.planned_by or _("the server"),
    }


def _write(
    draft: Draft,
    plans: list[ClientPlan],
    *,
    form_key: str,
    instant: datetime,
    at: datetime,
    actor: User | None,
) -> ProviderSwitch:
    providers = CareProvider.objects.in_bulk([draft.from_provider, draft.to_provider])
    switch: ProviderSwitch = ProviderSwitch.objects.create(
        municipality_id=providers[draft.from_provider].municipality_id,
        from_provider=providers[draft.from_provider],
        to_provider=providers[draft.to_provider],
        at=instant,
        client_count=len(plans),
        form_key=form_key,
        planned_at=at,
        planned_by=actor,
    )
    ending = {row.pk: row for plan in plans for row in plan.ending}
    CareAssignment.objects.filter(pk__in=ending).update(ends_at=instant)
    begun = {plan.client.pk: _assignment(switch, plan) for plan in plans if plan.adds}
    CareAssignment.objects.bulk_create(begun.values())
    SwitchedClient.objects.bulk_create(
        SwitchedClient(
            municipality_id=switch.municipality_id,
            switch=switch,
            client=plan.client,
            to_team_id=plan.team,
            new_assignment=begun.get(plan.client.pk),
            before={str(row.pk): row.ends_at.isoformat() if row.ends_at else None for row in plan.ending},
        )
        for plan in plans
    )
    _record(switch, ending.values(), begun.values(), actor)
    return switch


def _assignment(switch: ProviderSwitch, plan: ClientPlan) -> CareAssignment:
    return CareAssignment(
        municipality_id=switch.municipality_id,
        client=plan.client,
        provider_id=switch.to_provider_id,
        team_id=plan.team,
        starts_at=switch.at,
    )


def _record(
    switch: ProviderSwitch,
    ended: Iterable[CareAssignment],
    begun: Iterable[CareAssignment],
    actor: User | None,
) -> None:
    said = {
        "from": switch.from_provider.name,
        "to": switch.to_provider.name,
        "at": switch.at.isoformat(),
        "clients": switch.client_count,
    }
    record(action=SWITCHED, target=switch, actor=actor, after=said)
    why = reason_of(switch)
    instant = switch.at.isoformat()
    record_many(
        action=ENDED,
        rows=[(row, {"ends_at": as_text(row.ends_at)}, {"ends_at": instant}) for row in ended],
        actor=actor,
        reason=why,
    )
    record_many(
        action=BEGUN,
        rows=[
            (row, {}, {"client": row.client_id, "team": row.team_id, "starts_at": instant}) for row in begun
        ],
        actor=actor,
        reason=why,
    )


def reason_of(switch: ProviderSwitch) -> str:
    """Return what the audit trail gives as the reason for each row."""
    return f"switch {switch.pk}"


def as_text(moment: datetime | None) -> str | None:
    """Return a moment as the audit trail writes it."""
    return moment.isoformat() if moment else None


def _note_doors(switch: ProviderSwitch, plans: list[ClientPlan], *, at: datetime) -> None:
    """Keep which locks sat on the clients' doors, and what other providers hold there."""
    doors = queries.door_facts([plan.client for plan in plans])
    switched = {row.client_id: row for row in SwitchedClient.objects.filter(switch=switch)}
    SwitchedDoor.objects.bulk_create(
        SwitchedDoor(
            municipality_id=switch.municipality_id,
            switched=switched[plan.client.pk],
            door=door,
            binding=doors.bindings.get(door.pk),
            on_the_way=on_the_way,
        )
        for plan in plans
        for door, on_the_way in doors.doors_of(plan.client)
    )
    held = _held_by_others(switch, doors, at=at)
    GateNeighbour.objects.bulk_create(
        GateNeighbour(
            municipality_id=switch.municipality_id,
            switch=switch,
            binding_id=binding,
            provider_id=provider,
            before=rights,
        )
        for (binding, provider), rights in held.items()
    )


def _held_by_others(
    switch: ProviderSwitch, doors: DoorFacts, *, at: datetime
) -> dict[tuple[int, int], list[list[int | str]]]:
    bindings = {binding.pk for binding in doors.bindings.values()}
    return queries.rights_of_others(bindings, besides=switch.from_provider_id, at=at)
