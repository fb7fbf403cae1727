"""Who may open what: the one entry that issuing, previews, exposure and tests call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from protocol import suites
from protocol.keys import KeyType
from server.access.duties import Duty, bearer_refusal, employment, key_of, window_of
from server.access.judge import Judge
from server.access.models import ExtraRight
from server.access.queries import duties_behind, load_facts
from server.access.reasons import WhyNot
from server.access.rules import Decision, FactChanges, Refusal, Right
from server.people.models import Bearer
from server.places.models import Door
from server.tenancy.policy import Policy, policy_of
from server.tenancy.scoping import whole_municipality

HISTORY = timedelta(days=2)
"""How long ago an assignment may have ended and still be named in a refusal."""


@whole_municipality()
def decide_all(
    duties: Sequence[Duty],
    *,
    at: datetime,
    changes: FactChanges | None = None,
    behind: Door | None = None,
) -> dict[Duty, Decision]:
    """Return the decision for each duty, in a constant number of queries.

    The duties need staff, team, provider and municipality fetched along, a right beside the plan its client
    and the client's door too (`queries.current_shifts`, `queries.current_extras`); bearers are weighed by
    `for_bearer`. `changes` are facts as they would be, for a preview; with `behind` only this
    door's verdicts are whole, for far fewer facts. Must run in the municipality's scope;
    nothing is hidden from the decision whoever asks: it is the truth, what of it is shown is another matter.
    """
    facts = load_facts(duties, ended_after=at - HISTORY, changes=changes, behind=behind)
    policies = {duty.municipality_id: policy_of(duty.municipality) for duty in duties}
    alike: dict[tuple[object, ...], Decision] = {}
    decisions = {}
    for duty in duties:
        policy = policies[duty.municipality_id]
        key = _what_counts(duty, policy)
        if key not in alike:
            alike[key] = Judge(duty=duty, facts=facts, policy=policy, at=at).decide()
        decisions[duty] = alike[key]
    return decisions


def _what_counts(duty: Duty, policy: Policy) -> tuple[object, ...]:
    """Return all of a duty that its decision depends on: a team's shifts at the same hours share one."""
    if isinstance(duty, ExtraRight):
        return key_of(duty)
    return (
        duty.municipality_id,
        duty.team_id,
        duty.team.provider_id,
        duty.provider_id,
        duty.provider.active,
        duty.staff.provider_id,
        # Not since when, but whether and for how much of it: else no two people would be alike.
        window_of(duty, policy).clipped_to(employment(duty.staff)),
        duty.starts_at,
        duty.ends_at,
        duty.cancelled_at is None,
    )


def for_bearer(decision: Decision, *, duty: Duty, bearer: Bearer) -> Decision:
    """Return the decision as it holds for one bearer: refused altogether, or where the key fits the lock."""
    reason = bearer_refusal(bearer, duty)
    if reason is not None:
        return Decision(refusals=(Refusal(reason),))
    suite = suites.of_key(KeyType(bearer.key_type))
    fits = [suite.among(right.binding.lock.suites) for right in decision.rights]
    if all(fits):
        return decision
    sorted_out = list(zip(decision.rights, fits, strict=True))
    refused = tuple(Refusal(WhyNot.KEY_NOT_FOR_LOCK, right.door) for right, fit in sorted_out if not fit)
    rights = tuple(right for right, fit in sorted_out if fit)
    return Decision(rights=rights, refusals=refused + decision.refusals)


def decide(*, duty: Duty, at: datetime, bearer: Bearer | None = None) -> Decision:
    """Return which bindings may be opened by this duty (by this bearer), and why or why not."""
    decision = decide_all([duty], at=at)[duty]
    return decision if bearer is None else for_bearer(decision, duty=duty, bearer=bearer)


@dataclass(frozen=True)
class Opener:
    """Somebody with a duty, and what the decision says about one door."""

    duty: Duty
    right: Right | None
    why_not: WhyNot | None


@whole_municipality()
def who_may_open(door: Door, *, at: datetime, until: datetime) -> list[Opener]:
    """Return everybody with a duty in [at, until) that has to do with the door, with the verdict."""
    duties = duties_behind(door, at=at, until=until)
    decisions = decide_all(duties, at=at, behind=door)
    return [
        Opener(duty, decisions[duty].right_at(door.pk), decisions[duty].why_not(door.pk)) for duty in duties
    ]
