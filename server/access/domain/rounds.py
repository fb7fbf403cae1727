"""One round of issuing: what some duties' tokens should be, and making them so under the bearers' locks.

No token is stored before its binding has a bulletin fresh enough that the lock will not ask for a newer one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from server.access.decision import decide_all, for_bearer
from server.access.domain.planning import Plan, plan_tokens
from server.access.domain.signing import Order, sign_and_store
from server.access.duties import Duty, DutyKey, key_of
from server.access.models import ExtraRight, Revocation, Token
from server.access.token_queries import (
    active_providers,
    hold_bearers,
    of_duties,
    taken_by_hand,
    tokens_to_weigh,
    withdrawn_extras,
)
from server.locks.domain.bulletins import ensure_fresh
from server.locks.domain.groups import ended_groups, ensure_groups
from server.locks.domain.news import note_news
from server.passages.domain.meanwhile import classify_tokens
from server.people.models import Bearer
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of
from server.tenancy.queries import tokens_not_before


@dataclass
class Issued:
    """What a run did."""

    signed: int = 0
    replaced: int = 0
    revoked: int = 0
    touched: set[int] = field(default_factory=set)
    """Bindings whose bulletins must say something new."""
    losers: set[int] = field(default_factory=set)
    """Bearers who lost a right, and should hear of it at once."""

    def add(self, other: Issued) -> Issued:
        """Count another run's doings in; returns the sum."""
        self.signed += other.signed
        self.replaced += other.replaced
        self.revoked += other.revoked
        self.touched |= other.touched
        self.losers |= other.losers
        return self


Live = dict[tuple[DutyKey, int], list[Token]]
"""Tokens by duty and bearer."""
Plans = list[tuple[tuple[Duty, Bearer], Plan]]


def _state(live: Live) -> set[tuple[int, bool]]:
    return {(token.pk, token.replaced_at is None) for tokens in live.values() for token in tokens}


class Round:
    """One chunk of duties."""

    def __init__(
        self,
        municipality: Municipality,
        duties: Sequence[Duty],
        bearers: dict[int, list[Bearer]],
        at: datetime,
        bindings: set[int] | None,
    ) -> None:
        self.municipality = municipality
        self.at = at
        self.bindings = bindings
        self.horizon = policy_of(municipality).issue_horizon
        self.tokens_not_before = tokens_not_before(municipality.pk)
        decisions = decide_all(duties, at=at)
        self.decisions = (
            decisions
            if bindings is None
            else {duty: one.only_at(bindings) for duty, one in decisions.items()}
        )
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
                retire(self.municipality, plan, done, at=self.at)
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
        if self.bindings is not None:
            rows = rows.filter(binding__in=self.bindings)
        papers = (
            "document",
            "binding__commission_document",
            "binding__lock_record",
            "binding__sealed_adv_key",
        )
        for token in rows.defer(*papers).select_related("binding"):
            live[(token.shift_id, token.extra_id), token.bearer_id].append(token)
        return live

    def _plans(self, live: Live) -> Plans:
        bindings = {token.binding_id for tokens in live.values() for token in tokens}
        dead = ended_groups(bindings)
        dead_to_all = dict.fromkeys(bindings, since) if (since := self.tokens_not_before) else {}
        plans: Plans = []
        for duty, bearer in self.pairs:
            plan = plan_tokens(
                for_bearer(self.decisions[duty], duty=duty, bearer=bearer),
                live.get((key_of(duty), bearer.pk), ()),
                at=self.at,
                horizon=self.horizon,
                ended_groups=_later(dead_to_all, dead.get(duty.provider_id, {})),
            )
            if not plan.is_empty:
                plans.append(((duty, bearer), plan))
        _drop_taken(plans)
        return [(pair, plan) for pair, plan in plans if not plan.is_empty]


def _later(one: dict[int, datetime], other: dict[int, datetime]) -> dict[int, datetime]:
    """Return for each binding the later of two moments, before when tokens are dead there."""
    return {**one, **{key: max(at, one.get(key, at)) for key, at in other.items()}}


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


def retire(municipality: Municipality, plan: Plan, done: Issued, *, at: datetime) -> None:
    """Take old tokens out of use; those that permit too much are revoked at their locks."""
    Token.objects.filter(pk__in=[token.pk for token in plan.replace]).update(replaced_at=at)
    Token.objects.filter(pk__in=[token.pk for token, _why in plan.revoke]).update(revoked_at=at)
    classify_tokens([token.pk for token, _why in plan.revoke if token.not_before <= at], at=at)
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
    touched = {token.binding_id for token, _why in plan.revoke}
    note_news(touched)  # should this process die before it has built their bulletins
    done.touched |= touched
    done.losers |= {token.bearer_id for token, _why in plan.revoke}
