"""Issuing: tokens for the duties within the horizon, exactly as the decision function says, and no others.

Running it again changes nothing. Where the plan changed, the new token takes the old one's place; an old one
that permits more than what is right now is revoked, its lock is told, and its phone too. Left out on purpose:
an audit entry per token (the token's own row, never changed, is the record).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from time import monotonic

from django.core.cache import cache
from django.db import transaction
from django.db.models import F, Q

from server.access.domain.planning import Plan
from server.access.domain.rounds import Issued, Round, retire
from server.access.duties import Duty
from server.access.models import ExtraRight, Revocation
from server.access.queries import around_clients, extras_with_people
from server.access.token_queries import (
    bearers_of,
    extras_to_issue,
    phones_of,
    shifts_to_issue,
    tokens_to_weigh,
)
from server.care.models import Shift
from server.locks.domain.bulletins import build_bulletins
from server.people.models import Bearer
from server.people.push import poke_phones
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of
from server.tenancy.scoping import whole_municipality

SWEEP_SECONDS = 20.0
"""A run a minute, of which a third is for keeping everybody's keys in line with the plan."""

DUTIES_AT_ONCE = 50
"""Duties per transaction: enough to spread the queries, few enough that nobody waits long for the rows."""


@whole_municipality()
def issue_ahead(*, municipality: Municipality, at: datetime) -> Issued:
    """Issue for every duty of the municipality within the horizon; must run in its scope."""
    done = _revoke_strays(municipality, at=at)
    return done.add(_issue(municipality, _duties(municipality, at), at=at))


@whole_municipality()
def issue_in_turn(*, municipality: Municipality, at: datetime, seconds: float = SWEEP_SECONDS) -> Issued:
    """Issue for as many duties as time allows, from where the last run stopped; must run in its scope.

    A small municipality is always done whole. A city with half a million keys is gone through in several
    runs, so that no run takes the machine from the phones that ask for themselves. Rights beside the plan are
    few and urgent: they are looked at every time.
    """
    begun = monotonic()
    done = _revoke_strays(municipality, at=at)
    duties = _duties(municipality, at)
    done.add(_issue(municipality, [duty for duty in duties if isinstance(duty, ExtraRight)], at=at))
    place = f"access.issued_up_to:{municipality.pk}"
    reached = cache.get(place, 0)
    shifts = [duty for duty in duties if isinstance(duty, Shift)]
    shifts.sort(key=lambda shift: (shift.pk <= reached, shift.pk))
    for start in range(0, len(shifts), DUTIES_AT_ONCE):
        chunk = shifts[start : start + DUTIES_AT_ONCE]
        done.add(_issue(municipality, chunk, at=at))
        reached = chunk[-1].pk
        if monotonic() - begun > seconds:
            break
    cache.set(place, reached, timeout=None)
    return done


@whole_municipality()
def issue_for_bearer(*, bearer: Bearer, at: datetime) -> Issued:
    """Issue one bearer's tokens for all of the person's duties within the horizon."""
    done = _revoke_strays(bearer.municipality, bearer=bearer, at=at)
    duties = _duties(bearer.municipality, at, staff_id=bearer.staff_id)
    return done.add(_issue(bearer.municipality, duties, bearer=bearer, at=at))


@whole_municipality()
def issue_for_extra(*, right: ExtraRight, at: datetime) -> Issued:
    """Bring the tokens of one right beside the plan in line with it, now that it is given or ended."""
    duties: list[Duty] = [*extras_with_people().filter(pk=right.pk)]
    return _issue(right.municipality, duties, at=at)


@whole_municipality()
def issue_for_duties(*, municipality: Municipality, duties: Sequence[Duty], at: datetime) -> Issued:
    """Bring the tokens of these duties in line with the plan; fetch them as `decide_all` wants them."""
    return _issue(municipality, duties, at=at)


@whole_municipality()
def issue_for_clients(*, municipality: Municipality, client_ids: Collection[int], at: datetime) -> Issued:
    """Bring everybody's tokens at these clients' doors, and on the way there, in line with the plan at once.

    For what changes a client's doors: a pause, an end, a consent, and the undoing of each. Only these doors
    are looked at, whatever else the duties open; the rest of them follows with the next sweep.
    """
    teams, bindings = around_clients(client_ids)
    policy = policy_of(municipality)
    shifts = shifts_to_issue(
        ended_after=at - policy.grace, starts_before=at + policy.issue_horizon + policy.shift_lead, at=at
    )
    extras = extras_to_issue(starts_before=at + policy.issue_horizon, at=at)
    duties: list[Duty] = [
        *shifts.filter(team__in=teams),
        *extras.filter(Q(team__in=teams) | Q(client__in=client_ids)),
    ]
    return _issue(municipality, duties, at=at, bindings=bindings)


def _duties(municipality: Municipality, at: datetime, *, staff_id: int | None = None) -> list[Duty]:
    policy = policy_of(municipality)
    shifts = shifts_to_issue(
        ended_after=at - policy.grace, starts_before=at + policy.issue_horizon + policy.shift_lead, at=at
    )
    extras = extras_to_issue(starts_before=at + policy.issue_horizon, at=at)
    if staff_id is not None:
        shifts, extras = shifts.filter(staff=staff_id), extras.filter(staff=staff_id)
    return [*shifts, *extras]


def _issue(
    municipality: Municipality,
    duties: Sequence[Duty],
    *,
    at: datetime,
    bearer: Bearer | None = None,
    bindings: set[int] | None = None,
) -> Issued:
    """Issue for the duties, of one bearer or everybody, at some bindings or all of theirs."""
    at = at.replace(microsecond=0)
    done = Issued()
    for start in range(0, len(duties), DUTIES_AT_ONCE):
        chunk = duties[start : start + DUTIES_AT_ONCE]
        staff = {duty.staff_id for duty in chunk}
        who = bearers_of(staff) if bearer is None else {key: [bearer] for key in staff}
        done.add(Round(municipality, chunk, who, at, bindings).run())
    build_bulletins(municipality, done.touched, at=at)
    if bearer is None:  # whose phone asks for itself need not be told
        poke_phones(phones_of(done.losers))
    return done


def _revoke_strays(municipality: Municipality, *, bearer: Bearer | None = None, at: datetime) -> Issued:
    """Revoke tokens whose shift was deleted or given to another person; a right beside the plan never is."""
    at, done = at.replace(microsecond=0), Issued()
    misplaced = Q(shift__isnull=True) | ~Q(shift__staff=F("bearer__staff"))
    strays = tokens_to_weigh(at=at).filter(misplaced, extra__isnull=True)
    if bearer is not None:
        strays = strays.filter(bearer=bearer)
    plan = Plan(revoke=[(token, Revocation.Reason.PLAN_CHANGED) for token in strays.defer("document")])
    if plan.revoke:
        with transaction.atomic():
            retire(municipality, plan, done, at=at)
        build_bulletins(municipality, done.touched, at=at)
        poke_phones(phones_of(done.losers))
    return done
