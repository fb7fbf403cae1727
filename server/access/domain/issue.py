"""Issuing: tokens for the duties within the horizon, exactly as the decision function says, and no others.

Running it again changes nothing. Where the plan changed, the new token takes the old one's place; an old one
that permits more than what is right now is revoked, and its lock is told. No token is stored before its
binding has a bulletin fresh enough that the lock will not ask for a newer one. Left out on purpose: an audit
entry per token (the token's own row, never changed, is the record).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from server.access.decision import decide_all, for_bearer
from server.access.domain.planning import Plan, plan_tokens
from server.access.domain.signing import Order, sign_and_store
from server.access.duties import Duty, DutyKey, key_of
from server.access.models import ExtraRight, Revocation, Token
from server.access.queries import extras_with_people
from server.access.token_queries import (
    active_providers,
    bearers_of,
    extras_to_issue,
    hold_bearers,
    of_duties,
    shifts_to_issue,
    taken_by_hand,
    tokens_to_weigh,
    withdrawn_extras,
)
from server.locks.domain.bulletins import build_bulletins, ensure_fresh
from server.locks.domain.groups import ended_groups, ensure_groups
from server.people.models import Bearer
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of

DUTIES_AT_ONCE = 50
"""Duties per transaction: enough to spread the queries, few enough that nobody waits long for the rows."""


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
    """Issue for every duty of the municipality within the horizon; must run in its scope."""
    return _issue(municipality, _duties(municipality, at), at=at)


def issue_for_bearer(*, bearer: Bearer, at: datetime) -> Issued:
    """Issue one bearer's tokens for all of the person's duties within the horizon."""
    duties = _duties(bearer.municipality, at, staff_id=bearer.staff_id)
    return _issue(bearer.municipality, duties, bearer=bearer, at=at)


def issue_for_extra(*, right: ExtraRight, at: datetime) -> Issued:
    """Bring the tokens of one right beside the plan in line with it, now that it is given or ended."""
    return _issue(right.municipality, list(extras_with_people().filter(pk=right.pk)), at=at)


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
) -> Issued:
    at = at.replace(microsecond=0)
    done = Issued()
    _revoke_strays(municipality, done, bearer=bearer, at=at)
    for start in range(0, len(duties), DUTIES_AT_ONCE):
        chunk = duties[start : start + DUTIES_AT_ONCE]
        staff = {duty.staff_id for duty in chunk}
        who = bearers_of(staff) if bearer is None else {key: [bearer] for key in staff}
        done.add(_Round(municipality, chunk, who, at).run())
    build_bulletins(municipality, done.touched, at=at)
    return done


Live = dict[tuple[DutyKey, int], list[Token]]
"""Tokens by duty and bearer."""
Plans = list[tuple[tuple[Duty, Bearer], Plan]]


def _state(live: Live) -> set[tuple[int, bool]]:
    return {(token.pk, token.replaced_at is None) for tokens in live.values() for token in tokens}


class _Round:
    """One chunk of duties."""

    def __init__(
        self,
        municipality: Municipality,
        duties: Sequence[Duty],
        bearers: dict[int, list[Bearer]],
        at: datetime,
    ) -> None:
        self.municipality = municipality
        self.at = at
        self.horizon = policy_of(municipality).issue_horizon
        self.decisions = decide_all(duties, at=at)
        self.pairs = [(duty, bearer) for duty in duties for bearer in bearers.get(duty.staff_id, [])]

    def run(self) -> Issued:
        """Prepare groups and bulletins for what has to be signed, then sign under the bearers' locks."""
        live = self._live()
        plans = self._plans(live)
        if not plans:
            return Issued()
        wanted = {
            (right.binding.pk, duty.provider_id)
            for (duty, _bearer), plan in plans
            for right, _window in plan.sign
        }
        groups = ensure_groups(wanted)
        ensure_fresh(self.municipality, {binding for binding, _provider in wanted}, at=self.at)
        return self._sign(groups, live, plans)

    @transaction.atomic
    def _sign(self, groups: dict[tuple[int, int], int], before: Live, plans: Plans) -> Issued:
        held = hold_bearers({bearer.pk for _duty, bearer in self.pairs})
        everybody = len(self.pairs)
        self.pairs = [(duty, held[bearer.pk]) for duty, bearer in self.pairs if bearer.pk in held]
        live = self._live()
        if len(self.pairs) < everybody or _state(live) != _state(before):
            # Somebody revoked or issued between the look and the lock: look again, with nobody in between.
            plans = self._plans(live)
        done, orders = Issued(), []
        stopped = _Stopped(duty for (duty, _bearer), plan in plans if plan.sign)
        for (duty, bearer), plan in plans:
            if plan.replace or plan.revoke:
                _retire(self.municipality, plan, done, at=self.at)
            if plan.sign and stopped.covers(duty):
                continue
            for right, window in plan.sign:
                grp = groups.get((right.binding.pk, duty.provider_id))
                # A right that appeared since the preparations waits for the next run.
                if grp is not None:
                    orders.append(Order(bearer, right.binding, duty, window, grp))
        sign_and_store(self.municipality, orders, at=self.at)
        done.signed = len(orders)
        return done

    def _live(self) -> Live:
        """Return the tokens of these duties and bearers that may still open, replaced ones too."""
        live: Live = defaultdict(list)
        keys = [key_of(duty) for duty, _bearer in self.pairs]
        rows = tokens_to_weigh(at=self.at).filter(
            of_duties(keys), bearer__in={bearer.pk for _duty, bearer in self.pairs}
        )
        for token in rows.defer("document").select_related("binding"):
            live[(token.shift_id, token.extra_id), token.bearer_id].append(token)
        return live

    def _plans(self, live: Live) -> Plans:
        dead = ended_groups({token.binding_id for tokens in live.values() for token in tokens})
        plans: Plans = []
        for duty, bearer in self.pairs:
            plan = plan_tokens(
                for_bearer(self.decisions[duty], duty=duty, bearer=bearer),
                live.get((key_of(duty), bearer.pk), ()),
                at=self.at,
                horizon=self.horizon,
                ended_groups=dead.get(duty.provider_id, {}),
            )
            if not plan.is_empty:
                plans.append(((duty, bearer), plan))
        _drop_taken(plans)
        return [(pair, plan) for pair, plan in plans if not plan.is_empty]


class _Stopped:
    """What was ended after the decision and before the bearers' rows were held.

    Ending a provider or a right beside the plan takes the same rows first: what was decided before that must
    not be signed after.
    """

    def __init__(self, duties: Iterable[Duty]) -> None:
        signing = list(duties)
        self.active = active_providers({duty.provider_id for duty in signing})
        extras = {duty.pk for duty in signing if isinstance(duty, ExtraRight)}
        self.withdrawn = withdrawn_extras(extras) if extras else set()

    def covers(self, duty: Duty) -> bool:
        """Return whether nothing may be signed for the duty any more."""
        if duty.provider_id not in self.active:
            return True
        return isinstance(duty, ExtraRight) and duty.pk in self.withdrawn


def _drop_taken(plans: Plans) -> None:
    """Do not sign again what somebody revoked by hand in the same duty."""
    signing = [key_of(duty) for (duty, _bearer), plan in plans if plan.sign]
    taken = taken_by_hand(signing) if signing else set()
    if not taken:
        return
    for (duty, bearer), plan in plans:
        key = key_of(duty)
        plan.sign = [one for one in plan.sign if (key, bearer.pk, one[0].binding.pk) not in taken]


def _revoke_strays(municipality: Municipality, done: Issued, *, bearer: Bearer | None, at: datetime) -> None:
    """Revoke tokens whose shift was deleted or given to another person; a right beside the plan never is."""
    misplaced = Q(shift__isnull=True) | ~Q(shift__staff=F("bearer__staff"))
    strays = tokens_to_weigh(at=at).filter(misplaced, extra__isnull=True)
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
