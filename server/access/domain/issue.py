"""Issuing: tokens for the shifts within the horizon, exactly as the decision function says, and no others.

Running it again changes nothing. Where the plan changed, the new token takes the old one's place; an old one
that permits more than what is right now is revoked, and its lock is told. No token is stored before its
binding has a bulletin fresh enough that the lock will not ask for a newer one. Left out on purpose: an audit
entry per token (the token's own row, never changed, is the record).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from server.access.decision import decide_all, for_bearer
from server.access.domain.planning import Plan, plan_tokens
from server.access.domain.signing import Order, sign_and_store
from server.access.models import Revocation, Token
from server.access.rules import Decision
from server.access.token_queries import (
    active_providers,
    bearers_of,
    hold_bearers,
    shifts_to_issue,
    taken_by_hand,
    tokens_to_weigh,
)
from server.care.models import Shift
from server.locks.domain.bulletins import build_bulletins, ensure_fresh
from server.locks.domain.groups import ended_groups, ensure_groups
from server.people.models import Bearer
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of

SHIFTS_AT_ONCE = 50
"""Shifts per transaction: enough to spread the queries, few enough that nobody waits long for the rows."""


@dataclass
class Issued:
    """What a run did."""

    signed: int = 0
    replaced: int = 0
    revoked: int = 0
    touched: set[int] = field(default_factory=set)
    """Bindings whose bulletins must say something new."""

    def add(self, other: Issued) -> None:
        """Count another run's doings in."""
        self.signed += other.signed
        self.replaced += other.replaced
        self.revoked += other.revoked
        self.touched |= other.touched


def issue_ahead(*, municipality: Municipality, at: datetime) -> Issued:
    """Issue for every shift of the municipality within the horizon; must run in its scope."""
    return _issue(municipality, _shifts(municipality, at), at=at)


def issue_for_bearer(*, bearer: Bearer, at: datetime) -> Issued:
    """Issue one bearer's tokens for all of the person's shifts within the horizon."""
    shifts = _shifts(bearer.municipality, at, staff_id=bearer.staff_id)
    return _issue(bearer.municipality, shifts, bearer=bearer, at=at)


def issue_for_shift(*, shift: Shift, bearer: Bearer, at: datetime) -> Issued:
    """Issue one bearer's tokens for one shift."""
    return _issue(bearer.municipality, [shift], bearer=bearer, at=at)


def _shifts(municipality: Municipality, at: datetime, *, staff_id: int | None = None) -> list[Shift]:
    policy = policy_of(municipality)
    shifts = shifts_to_issue(
        ended_after=at - policy.grace, starts_before=at + policy.issue_horizon + policy.shift_lead, at=at
    )
    return list(shifts if staff_id is None else shifts.filter(staff=staff_id))


def _issue(
    municipality: Municipality,
    shifts: Sequence[Shift],
    *,
    at: datetime,
    bearer: Bearer | None = None,
) -> Issued:
    at = at.replace(microsecond=0)
    done = Issued()
    _revoke_strays(municipality, done, bearer=bearer, at=at)
    for start in range(0, len(shifts), SHIFTS_AT_ONCE):
        chunk = shifts[start : start + SHIFTS_AT_ONCE]
        staff = {shift.staff_id for shift in chunk}
        who = bearers_of(staff) if bearer is None else {key: [bearer] for key in staff}
        done.add(_Round(municipality, chunk, who, at).run())
    build_bulletins(municipality, done.touched, at=at)
    return done


Live = dict[tuple[int | None, int], list[Token]]
"""Tokens by shift and bearer."""
Plans = list[tuple[tuple[Shift, Bearer], Plan]]


def _state(live: Live) -> set[tuple[int, bool]]:
    return {(token.pk, token.replaced_at is None) for tokens in live.values() for token in tokens}


class _Round:
    """One chunk of shifts."""

    def __init__(
        self,
        municipality: Municipality,
        shifts: Sequence[Shift],
        bearers: dict[int, list[Bearer]],
        at: datetime,
    ) -> None:
        self.municipality = municipality
        self.at = at
        self.horizon = policy_of(municipality).issue_horizon
        self.decisions = decide_all(shifts, at=at)
        self.pairs = [(shift, bearer) for shift in shifts for bearer in bearers.get(shift.staff_id, [])]

    def run(self) -> Issued:
        """Prepare groups and bulletins for what has to be signed, then sign under the bearers' locks."""
        live = self._live()
        plans = self._plans(live)
        if not plans:
            return Issued()
        wanted = {
            (right.binding.pk, shift.provider_id)
            for (shift, _bearer), plan in plans
            for right, _window in plan.sign
        }
        groups = ensure_groups(wanted)
        ensure_fresh(self.municipality, {binding for binding, _provider in wanted}, at=self.at)
        return self._sign(groups, live, plans)

    @transaction.atomic
    def _sign(self, groups: dict[tuple[int, int], int], before: Live, plans: Plans) -> Issued:
        held = hold_bearers({bearer.pk for _shift, bearer in self.pairs})
        everybody = len(self.pairs)
        self.pairs = [(shift, held[bearer.pk]) for shift, bearer in self.pairs if bearer.pk in held]
        live = self._live()
        if len(self.pairs) < everybody or _state(live) != _state(before):
            # Somebody revoked or issued between the look and the lock: look again, with nobody in between.
            plans = self._plans(live)
        done, orders = Issued(), []
        # Ending a provider takes the same rows first; what was decided before that must not be signed after.
        active = active_providers({shift.provider_id for (shift, _bearer), plan in plans if plan.sign})
        for (shift, bearer), plan in plans:
            if plan.replace or plan.revoke:
                _retire(self.municipality, plan, done, at=self.at)
            provider_id = shift.provider_id
            for right, window in plan.sign:
                grp = groups.get((right.binding.pk, provider_id))
                # A right that appeared since the preparations waits for the next run.
                if grp is not None and provider_id in active:
                    orders.append(Order(bearer, right.binding, shift, window, grp))
        sign_and_store(self.municipality, orders, at=self.at)
        done.signed = len(orders)
        return done

    def _live(self) -> Live:
        """Return the tokens of these shifts and bearers that may still open, replaced ones too."""
        live: Live = defaultdict(list)
        rows = tokens_to_weigh(at=self.at).filter(
            bearer__in={bearer.pk for _shift, bearer in self.pairs},
            shift__in={shift.pk for shift, _bearer in self.pairs},
        )
        for token in rows.defer("document").select_related("binding"):
            live[(token.shift_id, token.bearer_id)].append(token)
        return live

    def _plans(self, live: Live) -> Plans:
        dead = ended_groups({token.binding_id for tokens in live.values() for token in tokens})
        plans: Plans = []
        for shift, bearer in self.pairs:
            plan = plan_tokens(
                self._decision(shift, bearer),
                live.get((shift.pk, bearer.pk), ()),
                at=self.at,
                horizon=self.horizon,
                ended_groups=dead.get(shift.provider_id, {}),
            )
            if not plan.is_empty:
                plans.append(((shift, bearer), plan))
        _drop_taken(plans)
        return [(pair, plan) for pair, plan in plans if not plan.is_empty]

    def _decision(self, shift: Shift, bearer: Bearer) -> Decision:
        return for_bearer(self.decisions[shift.pk], shift=shift, bearer=bearer)


def _drop_taken(plans: Plans) -> None:
    """Do not sign again what somebody revoked by hand in the same shift."""
    signing = {shift.pk for (shift, _bearer), plan in plans if plan.sign}
    taken = taken_by_hand(signing) if signing else set()
    if not taken:
        return
    for (shift, bearer), plan in plans:
        plan.sign = [one for one in plan.sign if (shift.pk, bearer.pk, one[0].binding.pk) not in taken]


def _revoke_strays(municipality: Municipality, done: Issued, *, bearer: Bearer | None, at: datetime) -> None:
    """Revoke tokens whose shift was deleted or given to another person."""
    strays = tokens_to_weigh(at=at).filter(Q(shift__isnull=True) | ~Q(shift__staff=F("bearer__staff")))
    if bearer is not None:
        strays = strays.filter(bearer=bearer)
    plan = Plan(revoke=[(token, Revocation.Reason.PLAN_CHANGED) for token in strays.defer("document")])
    if plan.revoke:
        with transaction.atomic():
            _retire(municipality, plan, done, at=at)


def _retire(municipality: Municipality, plan: Plan, done: Issued, *, at: datetime) -> None:
    """Take old tokens out of use; those that permit too much are revoked at their locks."""
    Token.objects.filter(pk__in=[token.pk for token in plan.replace]).update(replaced_at=at)
    Token.objects.filter(pk__in=[token.pk for token, _why in plan.revoke]).update(revoked_at=at)
    Revocation.objects.bulk_create(
        Revocation(
            municipality=municipality,
            target=Revocation.Target.TOKEN,
            token=token,
            at=at,
            reason=why,
            matters_until=token.expires,
        )
        for token, why in plan.revoke
    )
    done.replaced += len(plan.replace)
    done.revoked += len(plan.revoke)
    done.touched |= {token.binding_id for token, _why in plan.revoke}
