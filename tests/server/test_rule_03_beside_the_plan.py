"""Rule 3 for rights beside the plan and standing ones: no window beyond right, care, consent or employment.

As in `test_rule_03_windows`: the decision is compared, a quarter of an hour at a time, with the plain meaning
of its conditions, on facts that hypothesis makes up; no database takes part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.access.duties import LONGEST, Duty
from server.access.judge import Judge
from server.access.models import ExtraRight, StandingRight
from server.access.rules import Decision, Facts
from server.care.models import CareAssignment, Client, Consent, Shift
from server.locks.models import Binding, Lock
from server.people.models import CareProvider, StaffMember, Team
from server.places.models import Door, Property
from tests.server.test_rule_03_windows import (
    DAY,
    POLICY,
    QUARTER,
    QUARTERS,
    Span,
    always,
    at,
    moments,
    period,
    quarter_of,
    spans,
    valid,
)

KINDS = ("standing", "adhoc team", "adhoc client", "break_glass client", "alarm client")


@dataclass(frozen=True)
class Plan:
    """One client behind one gate, one duty of some kind, and everything that may hold or not."""

    kind: str
    duty: Span
    withdrawn: int | None
    assignment: Span
    standing: Span
    client_consent: Span
    owner_consent: Span
    binding: Span
    paused: int | None
    ended: int | None
    last_day: int | None
    """Days after the first that the person is employed."""
    now: int


duties = st.builds(lambda start, length: Span(start, start + length), moments, st.integers(1, 30))
plans = st.builds(
    Plan,
    kind=st.sampled_from(KINDS),
    duty=duties,
    withdrawn=st.none() | moments,
    assignment=spans,
    standing=spans,
    client_consent=spans,
    owner_consent=spans,
    binding=spans,
    paused=st.none() | moments,
    ended=st.none() | moments,
    last_day=st.none() | st.integers(-1, 1),
    now=moments,
)


def employed_until(plan: Plan) -> datetime | None:
    if plan.last_day is None:
        return None
    return timezone.make_aware(datetime.combine(day_of(plan.last_day + 1), datetime.min.time()))


def day_of(number: int) -> date:
    return timezone.localdate(DAY) + timedelta(days=number)


def duty_of(plan: Plan, staff: StaffMember, team: Team, client: Client) -> Duty:
    if plan.kind == "standing":
        return Shift(pk=1, staff=staff, provider=team.provider, team=team, **period(plan.duty))
    kind, target = plan.kind.split()
    where = {"team": team} if target == "team" else {"client": client}
    return ExtraRight(
        pk=1,
        kind=kind,
        staff=staff,
        provider=team.provider,
        withdrawn_at=at(plan.withdrawn),
        **where,
        **period(plan.duty),
    )


def decide(plan: Plan) -> Decision:
    provider = CareProvider(pk=1, active=True)
    team = Team(pk=1, provider=provider)
    last = None if plan.last_day is None else day_of(plan.last_day)
    staff = StaffMember(pk=1, provider=provider, employed_from=date(2020, 1, 1), employed_to=last)
    estate = Property(pk=1, owner_id=1, area="Söder")
    gate = Door(pk=1, kind=Door.Kind.GATE, must_sign=Door.Signatory.OWNER, property=estate)
    apartment = Door(pk=2, kind=Door.Kind.APARTMENT, must_sign=Door.Signatory.RESIDENT, property=estate)
    client = Client(pk=1, door=apartment, paused_at=at(plan.paused), ended_at=at(plan.ended))
    assignment = CareAssignment(client=client, provider=provider, team=team, **period(plan.assignment))
    standing = StandingRight(pk=1, team=team, areas=["Söder"], **period(plan.standing))
    patrols = plan.kind == "standing"
    facts = Facts(
        assignments={} if patrols else {1: [assignment]},
        assignments_of_client={1: [assignment]},
        standing={1: [standing]},
        residents={"Söder": [client], "Norr": [Client(pk=2, door=apartment)]},
        ways={2: [gate]},
        bindings={
            1: [Binding(pk=1, door=gate, lock=Lock(), commissioned_at=DAY, **period(plan.binding))],
            2: [Binding(pk=2, door=apartment, lock=Lock(), commissioned_at=DAY, **period(plan.binding))],
        },
        client_consents={1: [Consent(signed_by="resident", **valid(plan.client_consent))]},
        owner_consents={1: [Consent(signed_by="owner", **valid(plan.owner_consent))]},
    )
    now = at(plan.now)
    assert now is not None
    return Judge(duty=duty_of(plan, staff, team, client), facts=facts, policy=POLICY, at=now).decide()


def allowed(plan: Plan, door: int, quarter: int) -> bool:
    """The conditions, said plainly, for one door in one quarter of an hour."""
    assert plan.duty.end is not None
    moment = at(quarter)
    assert moment is not None
    employed, consented = employed_until(plan), plan.owner_consent if door == 1 else plan.client_consent
    if not consented.holds(quarter) or not plan.binding.holds(quarter):
        return False
    if (plan.ended is not None and plan.ended <= quarter) or (employed is not None and moment >= employed):
        return False
    if plan.kind == "standing":
        on_duty = plan.duty.start - 1 <= quarter < plan.duty.end + 2
        return on_duty and plan.standing.holds(quarter) and not is_paused(plan, quarter)
    if (plan.duty.end - plan.duty.start) * QUARTER > LONGEST[plan.kind.split()[0]]:
        return False
    if not plan.duty.holds(quarter) or (plan.withdrawn is not None and plan.withdrawn <= quarter):
        return False
    return plan.kind == "alarm client" or (plan.assignment.holds(quarter) and not is_paused(plan, quarter))


def is_paused(plan: Plan, quarter: int) -> bool:
    return plan.paused is not None and plan.paused <= quarter


@settings(max_examples=600)
@given(plans)
@example(
    Plan("alarm client", Span(8, 12), None, Span(0, 1), always, always, always, always, 3, None, None, 0)
)
@example(Plan("standing", Span(8, 40), None, Span(0, 1), Span(9, 20), always, always, always, 15, None, 0, 0))
def test_rule_03_beside_the_plan_a_window_is_wholly_allowed_and_as_long_as_it_can_be(plan: Plan) -> None:
    decision = decide(plan)
    later = range(plan.now, 3 * QUARTERS)
    for door in (1, 2):
        right = decision.right_at(door)
        open_quarters = [quarter for quarter in later if allowed(plan, door, quarter)]
        if right is None:
            assert open_quarters == [], decision.why_not(door)
            continue
        first, end = quarter_of(right.not_before), quarter_of(right.expires)
        assert all(allowed(plan, door, quarter) for quarter in range(first, end))
        assert not allowed(plan, door, end)
        assert open_quarters and max(first, plan.now) == open_quarters[0]
