"""Who may open what: the one entry that issuing, previews, exposure and tests call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from server.access.queries import current_shifts, load_facts, teams_behind
from server.access.reasons import WhyNot
from server.access.rules import Decision, Judge, Refusal, Right, bearer_refusal
from server.care.models import Shift
from server.people.models import Bearer
from server.places.models import Door
from server.tenancy.policy import policy_of

HISTORY = timedelta(days=2)
"""How long ago an assignment may have ended and still be named in a refusal."""


def decide_all(shifts: Sequence[Shift], *, at: datetime) -> dict[int, Decision]:
    """Return the decision for each shift by its id, in a constant number of queries.

    The shifts need staff, team, provider and municipality fetched along (`queries.shifts_with_people`);
    bearers are weighed by `for_bearer`. Must run in the municipality's scope.
    """
    facts = load_facts({shift.team_id for shift in shifts}, ended_after=at - HISTORY)
    policies = {shift.municipality_id: policy_of(shift.municipality) for shift in shifts}
    alike: dict[tuple[object, ...], Decision] = {}
    decisions = {}
    for shift in shifts:
        key = _what_counts(shift)
        if key not in alike:
            policy = policies[shift.municipality_id]
            alike[key] = Judge(shift=shift, facts=facts, policy=policy, at=at).decide()
        decisions[shift.pk] = alike[key]
    return decisions


def _what_counts(shift: Shift) -> tuple[object, ...]:
    """Return all of a shift that its decision depends on: a team's shifts at the same hours share one."""
    return (
        shift.municipality_id,
        shift.team_id,
        shift.team.provider_id,
        shift.provider_id,
        shift.provider.active,
        shift.staff.provider_id,
        shift.staff.employed_from,
        shift.staff.employed_to,
        shift.starts_at,
        shift.ends_at,
        shift.cancelled_at is None,
    )


def for_bearer(decision: Decision, *, shift: Shift, bearer: Bearer) -> Decision:
    """Return the decision as it holds for one bearer: unchanged, or refused altogether."""
    reason = bearer_refusal(bearer, shift)
    return decision if reason is None else Decision(refusals=(Refusal(reason),))


def decide(*, shift: Shift, at: datetime, bearer: Bearer | None = None) -> Decision:
    """Return which bindings may be opened in this shift (by this bearer), and why or why not."""
    decision = decide_all([shift], at=at)[shift.pk]
    return decision if bearer is None else for_bearer(decision, shift=shift, bearer=bearer)


@dataclass(frozen=True)
class Opener:
    """Somebody on shift, and what the decision says about one door."""

    shift: Shift
    right: Right | None
    why_not: WhyNot | None


def who_may_open(door: Door, *, at: datetime, until: datetime) -> list[Opener]:
    """Return everybody on shift in [at, until) whose team has care behind the door, with the verdict."""
    shifts = list(current_shifts(at=at, until=until).filter(team__in=teams_behind(door)))
    decisions = decide_all(shifts, at=at)
    return [
        Opener(shift, decisions[shift.pk].right_at(door.pk), decisions[shift.pk].why_not(door.pk))
        for shift in shifts
    ]
