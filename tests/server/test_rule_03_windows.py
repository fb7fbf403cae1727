"""Rule 3, short life: whatever the plan says, a window never reaches beyond shift, care, consent or binding.

The decision is compared, a quarter of an hour at a time, with the plain meaning of its conditions, on facts
that hypothesis makes up; no database takes part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from server.access.judge import Judge
from server.access.rules import Decision, Facts
from server.care.models import CareAssignment, Client, Consent, Shift
from server.locks.models import Binding, Lock
from server.people.models import CareProvider, StaffMember, Team
from server.places.models import Door, Property
from server.tenancy.policy import Policy

DAY = datetime(2026, 11, 23, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
QUARTERS = 48
POLICY = Policy(
    shift_lead=QUARTER,
    grace=2 * QUARTER,
    issue_horizon=timedelta(hours=24),
    longest_shift=timedelta(hours=24),
    retention_months=24,
    minimum_app_version="1.0.0",
    advert_key_age=timedelta(days=90),
)

moments = st.integers(0, QUARTERS)


@dataclass(frozen=True)
class Span:
    """[start, end) in quarters; an end of None is open."""

    start: int
    end: int | None

    def holds(self, quarter: int) -> bool:
        return self.start <= quarter and (self.end is None or quarter < self.end)


spans = st.builds(
    lambda start, length: Span(start, None if length is None else start + length),
    moments,
    st.none() | st.integers(1, QUARTERS),
)


@dataclass(frozen=True)
class Plan:
    """One client behind one gate, and everything that may hold or not."""

    shift: Span
    assignment: Span
    client_consents: tuple[Span, ...]
    withdrawn: int | None
    owner_consents: tuple[Span, ...]
    gate_binding: Span
    apartment_binding: Span
    paused: int | None
    ended: int | None
    now: int


shifts = st.builds(lambda start, length: Span(start, start + length), moments, st.integers(1, 40))
plans = st.builds(
    Plan,
    shift=shifts,
    assignment=spans,
    client_consents=st.lists(spans, max_size=3).map(tuple),
    withdrawn=st.none() | moments,
    owner_consents=st.lists(spans, max_size=3).map(tuple),
    gate_binding=spans,
    apartment_binding=spans,
    paused=st.none() | moments,
    ended=st.none() | moments,
    now=moments,
)


def at(quarter: int | None) -> datetime | None:
    return None if quarter is None else DAY + quarter * QUARTER


def quarter_of(moment: datetime) -> int:
    return int((moment - DAY) / QUARTER)


def decide(plan: Plan) -> Decision:
    provider = CareProvider(pk=1, active=True)
    team = Team(pk=1, provider=provider)
    staff = StaffMember(pk=1, provider=provider, employed_from=date(2020, 1, 1))
    estate = Property(pk=1, owner_id=1, owner_since=None)
    gate = Door(pk=1, kind=Door.Kind.GATE, must_sign=Door.Signatory.OWNER, property=estate)
    apartment = Door(pk=2, kind=Door.Kind.APARTMENT, must_sign=Door.Signatory.RESIDENT, property=estate)
    client = Client(pk=1, door=apartment, paused_at=at(plan.paused), ended_at=at(plan.ended))
    lock = Lock()
    facts = Facts(
        assignments={
            1: [CareAssignment(client=client, provider=provider, team=team, **period(plan.assignment))]
        },
        ways={2: [gate]},
        bindings={
            1: [Binding(pk=1, door=gate, lock=lock, commissioned_at=DAY, **period(plan.gate_binding))],
            2: [
                Binding(
                    pk=2, door=apartment, lock=lock, commissioned_at=DAY, **period(plan.apartment_binding)
                )
            ],
        },
        client_consents={
            1: [
                Consent(signed_by="resident", withdrawn_at=at(plan.withdrawn), **valid(span))
                for span in plan.client_consents
            ]
        },
        owner_consents={1: [Consent(signed_by="owner", **valid(span)) for span in plan.owner_consents]},
    )
    shift = Shift(pk=1, staff=staff, provider=provider, team=team, **period(plan.shift))
    now = at(plan.now)
    assert now is not None
    return Judge(duty=shift, facts=facts, policy=POLICY, at=now).decide()


def period(span: Span) -> dict[str, datetime | None]:
    return {"starts_at": at(span.start), "ends_at": at(span.end)}


def valid(span: Span) -> dict[str, datetime | None]:
    return {"valid_from": at(span.start), "valid_to": at(span.end)}


def allowed(plan: Plan, door: int, quarter: int) -> bool:
    """The conditions, said plainly, for one door in one quarter of an hour."""
    assert plan.shift.end is not None
    in_shift = plan.shift.start - 1 <= quarter < plan.shift.end + 2
    in_care = (
        plan.assignment.holds(quarter)
        and (plan.paused is None or quarter < plan.paused)
        and (plan.ended is None or quarter < plan.ended)
    )
    if door == 1:
        consented = any(span.holds(quarter) for span in plan.owner_consents)
        return in_shift and in_care and consented and plan.gate_binding.holds(quarter)
    held = any(span.holds(quarter) for span in plan.client_consents)
    consented = held and (plan.withdrawn is None or quarter < plan.withdrawn)
    return in_shift and in_care and consented and plan.apartment_binding.holds(quarter)


always = Span(0, None)


@settings(max_examples=400)
@given(plans)
@example(
    Plan(Span(8, 40), always, (Span(0, 12), Span(20, None)), None, (always,), always, always, None, None, 0)
)
def test_rule_03_a_window_is_wholly_allowed_and_as_long_as_it_can_be(plan: Plan) -> None:
    decision = decide(plan)
    later = range(plan.now, 3 * QUARTERS)
    for door in (1, 2):
        right = decision.right_at(door)
        open_quarters = [quarter for quarter in later if allowed(plan, door, quarter)]
        if right is None:
            assert open_quarters == [], decision.why_not(door)
            assert decision.why_not(door) is not None
            continue
        first, end = quarter_of(right.not_before), quarter_of(right.expires)
        assert all(allowed(plan, door, quarter) for quarter in range(first, end))
        assert not allowed(plan, door, end)
        assert open_quarters and max(first, plan.now) == open_quarters[0]
