"""Revoking: a token, a bearer, a phone, a person or a provider stops opening doors.

Each verb stops issuing at once, takes the tokens out of the next sync, and puts them on their locks' next
bulletins, which are built before the verb returns. Tokens that were replaced but have not ended are revoked
as well: a phone without coverage may still hold them. What no bulletin reaches ends with the token.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from server.access.models import Revocation, Token
from server.access.token_queries import hold_bearers, of_duties, usable_anywhere
from server.audit import actions
from server.audit.domain import record
from server.locks.domain.bulletins import build_bulletins
from server.locks.domain.news import note_news
from server.locks.models import BindingGroup
from server.passages.domain.meanwhile import classify_tokens
from server.people.models import Bearer, CareProvider, Phone, StaffMember, User
from server.people.push import poke_phones
from server.tenancy.scoping import whole_municipality

REVOKED = actions.register("access.revoked", _("right revoked"))

_SECOND = timedelta(seconds=1)


@whole_municipality()
def revoke_token(*, token: Token, reason: str, at: datetime, actor: User | None = None) -> Revocation:
    """Revoke one right: the token, and earlier ones for the same shift that it replaced.

    `reason` is a `Revocation.Reason`. When a person (`actor`) does it, issuing gives no other for that door
    in that shift; the next shift is another matter.
    """
    bearers = Bearer.objects.filter(pk=token.bearer_id)
    target = Revocation.Target.TOKEN
    return _revoke(target=target, what=token, bearers=bearers, reason=reason, at=at, actor=actor, token=token)


@whole_municipality()
def revoke_bearer(*, bearer: Bearer, reason: str, at: datetime, actor: User | None = None) -> Revocation:
    """Revoke a person's key on one phone; the phone must be enrolled again."""
    bearers = Bearer.objects.filter(pk=bearer.pk)
    target = Revocation.Target.BEARER
    return _revoke(
        target=target, what=bearer, bearers=bearers, reason=reason, at=at, actor=actor, bearer=bearer
    )


@whole_municipality()
def revoke_phone(*, phone: Phone, reason: str, at: datetime, actor: User | None = None) -> Revocation:
    """Revoke a lost phone with everybody's keys on it; it may still hand in logs, nothing else."""
    bearers = Bearer.objects.filter(phone=phone)
    target = Revocation.Target.PHONE
    return _revoke(target=target, what=phone, bearers=bearers, reason=reason, at=at, actor=actor, phone=phone)


@whole_municipality()
def revoke_staff(*, staff: StaffMember, reason: str, at: datetime, actor: User | None = None) -> Revocation:
    """Revoke a person on every phone and close the sign-in, if `actor` may (`may_close`)."""
    bearers = Bearer.objects.filter(staff=staff)
    target = Revocation.Target.STAFF
    return _revoke(target=target, what=staff, bearers=bearers, reason=reason, at=at, actor=actor, staff=staff)


@whole_municipality()
def revoke_provider(
    *, provider: CareProvider, reason: str, at: datetime, actor: User | None = None
) -> Revocation:
    """End a provider: one line per lock kills every token it ever had there, and none is issued again."""
    bearers = Bearer.objects.filter(staff__provider=provider)
    target = Revocation.Target.PROVIDER
    return _revoke(
        target=target, what=provider, bearers=bearers, reason=reason, at=at, actor=actor, provider=provider
    )


def _revoke(
    *,
    target: str,
    what: Any,
    bearers: QuerySet[Bearer],
    reason: str,
    at: datetime,
    actor: User | None,
    **link: Any,
) -> Revocation:
    at = at.replace(microsecond=0)
    with transaction.atomic():
        held = dict(bearers.values_list("pk", "phone_id"))
        hold_bearers(held)
        _close(what, at, actor)
        tokens = _tokens_of(what, at)
        touched = set(tokens.values_list("binding_id", flat=True))
        matters_until = tokens.aggregate(last=Max("expires"))["last"]
        opened = set(tokens.filter(not_before__lte=at).values_list("pk", flat=True))
        tokens.update(revoked_at=at)
        classify_tokens(opened, at=at)
        if isinstance(what, CareProvider):
            touched |= _end_groups(what, at)
        note_news(touched)
        revocation: Revocation = Revocation.objects.create(
            municipality_id=what.municipality_id,
            target=target,
            at=at,
            by=actor,
            reason=reason,
            matters_until=matters_until,
            **link,
        )
        record(action=REVOKED, target=what, actor=actor, after={"bindings": len(touched)}, reason=reason)
    build_bulletins(revocation.municipality, touched, at=at)
    poke_phones(held.values())
    return revocation


def may_close(sign_in: User, actor: User | None) -> bool:
    """Return whether revoking a person closes the sign-in: one with a role is an administrator's matter.

    Otherwise a coordinator would shut out a head of the patrol who is on the provider's staff as well.
    """
    return actor is None or actor.is_superuser or not (sign_in.role or sign_in.is_superuser)


def _close(what: Any, at: datetime, actor: User | None) -> None:
    """Stop issuing to whatever is revoked."""
    if isinstance(what, Bearer):
        Bearer.objects.filter(pk=what.pk, revoked_at=None).update(revoked_at=at)
    elif isinstance(what, Phone):
        Phone.objects.filter(pk=what.pk, revoked_at=None).update(revoked_at=at)
    elif isinstance(what, StaffMember):
        Bearer.objects.filter(staff=what, revoked_at=None).update(revoked_at=at)
        if what.user is not None and may_close(what.user, actor):
            User.objects.filter(pk=what.user.pk).update(is_active=False)
    elif isinstance(what, CareProvider):
        CareProvider.objects.filter(pk=what.pk).update(active=False)


def _tokens_of(what: Any, at: datetime) -> QuerySet[Token]:
    usable = usable_anywhere(at=at)
    if isinstance(what, Token):
        duty = of_duties([(what.shift_id, what.extra_id)])
        return usable.filter(Q(pk=what.pk) | duty & Q(bearer=what.bearer_id, binding=what.binding_id))
    if isinstance(what, Bearer):
        return usable.filter(bearer=what)
    if isinstance(what, Phone):
        return usable.filter(bearer__phone=what)
    if isinstance(what, StaffMember):
        return usable.filter(bearer__staff=what)
    return usable.filter(provider=what)


def _end_groups(provider: CareProvider, at: datetime) -> set[int]:
    """Move the provider's not-before at every open binding past now; returns the bindings."""
    groups = BindingGroup.objects.filter(provider=provider, binding__ends_at__isnull=True)
    # One second past: a token issued within this very second must die as well.
    groups.update(not_before=at + _SECOND)
    return set(groups.values_list("binding_id", flat=True))
