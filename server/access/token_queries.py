"""Look-ups of tokens, and of the duties and bearers that tokens are issued for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from server.access.duties import DutyKey
from server.access.models import ExtraRight, Revocation, Token
from server.access.queries import extras_with_people
from server.care.models import Shift
from server.people.models import Bearer, CareProvider


def live_tokens(*, at: datetime) -> QuerySet[Token]:
    """Return tokens in scope that are neither revoked, replaced nor over."""
    tokens: QuerySet[Token] = Token.objects.filter(
        revoked_at__isnull=True, replaced_at__isnull=True, expires__gt=at
    )
    return tokens


def usable_anywhere(*, at: datetime) -> QuerySet[Token]:
    """Return unrevoked tokens in scope that some phone may still hold, replaced ones included."""
    tokens: QuerySet[Token] = Token.objects.filter(revoked_at__isnull=True, expires__gt=at)
    return tokens


def tokens_to_weigh(*, at: datetime) -> QuerySet[Token]:
    """Return live tokens, and replaced ones that a phone may still hold and a lock would still take.

    The lock of a binding that has ended takes none of its tokens any more.
    """
    mounted = Q(replaced_at__isnull=True) | Q(binding__ends_at__isnull=True)
    return usable_anywhere(at=at).filter(mounted)


def of_duties(keys: Collection[DutyKey], prefix: str = "") -> Q:
    """Return the condition that a token belongs to one of these duties; `prefix` leads to the token."""
    found = Q(**{f"{prefix}shift__in": {shift for shift, _extra in keys if shift is not None}})
    extras = {extra for _shift, extra in keys if extra is not None}
    return found | Q(**{f"{prefix}extra__in": extras}) if extras else found


def taken_by_hand(keys: Collection[DutyKey]) -> set[tuple[DutyKey, int, int]]:
    """Return (duty, bearer, binding) of single rights that a person revoked: they are not given again."""
    rows = Revocation.objects.filter(
        of_duties(keys, "token__"), target=Revocation.Target.TOKEN, by__isnull=False
    ).values_list("token__shift_id", "token__extra_id", "token__bearer_id", "token__binding_id")
    return {((shift, extra), bearer, binding) for shift, extra, bearer, binding in rows}


def withdrawn_extras(extra_ids: Collection[int]) -> set[int]:
    """Return which of these rights beside the plan are ended at this very moment."""
    rows = ExtraRight.objects.filter(pk__in=extra_ids, withdrawn_at__isnull=False)
    return set(rows.values_list("pk", flat=True))


def active_providers(provider_ids: Collection[int]) -> set[int]:
    """Return which of these providers are active at this very moment."""
    return set(CareProvider.objects.filter(pk__in=provider_ids, active=True).values_list("pk", flat=True))


def tokens_not_over(*, at: datetime) -> QuerySet[Token]:
    """Return tokens in scope that have not ended by themselves, revoked or not."""
    tokens: QuerySet[Token] = Token.objects.filter(expires__gt=at)
    return tokens


def shifts_to_issue(*, ended_after: datetime, starts_before: datetime, at: datetime) -> QuerySet[Shift]:
    """Return shifts in the horizon, and any other shift, moved or cancelled, whose tokens may still open."""
    in_horizon = Q(cancelled_at__isnull=True, starts_at__lt=starts_before, ends_at__gt=ended_after)
    shifts: QuerySet[Shift] = (
        Shift.objects.filter(in_horizon | Exists(tokens_to_weigh(at=at).filter(shift=OuterRef("pk"))))
        .select_related("staff", "team", "provider", "municipality")
        .order_by("pk")
    )
    return shifts


def extras_to_issue(*, starts_before: datetime, at: datetime) -> QuerySet[ExtraRight]:
    """Return rights beside the plan in the horizon, and any other whose tokens may still open."""
    in_horizon = Q(withdrawn_at__isnull=True, starts_at__lt=starts_before, ends_at__gt=at)
    weighed = Exists(tokens_to_weigh(at=at).filter(extra=OuterRef("pk")))
    return extras_with_people().filter(in_horizon | weighed).order_by("pk")


def bearers_of(staff_ids: Collection[int]) -> dict[int, list[Bearer]]:
    """Return the bearers that may get tokens, by staff id, with phone and staff."""
    found: dict[int, list[Bearer]] = defaultdict(list)
    rows = Bearer.objects.filter(
        staff__in=staff_ids, revoked_at__isnull=True, phone__revoked_at__isnull=True
    ).select_related("phone", "staff")
    for bearer in rows.order_by("pk"):
        found[bearer.staff_id].append(bearer)
    return found


def hold_bearers(bearer_ids: Collection[int]) -> dict[int, Bearer]:
    """Lock the bearers' rows in a fixed order and return those not revoked meanwhile, with their phones.

    Issuing and revoking both begin here, so no token is issued after a revocation was committed.
    """
    list(
        Bearer.objects.filter(pk__in=bearer_ids)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk", flat=True)
    )
    rows = Bearer.objects.filter(
        pk__in=bearer_ids, revoked_at__isnull=True, phone__revoked_at__isnull=True
    ).select_related("phone", "staff")
    return {bearer.pk: bearer for bearer in rows}


def hold_bearers_of(staff_id: int) -> None:
    """Lock one person's bearers, as issuing does."""
    hold_bearers(set(Bearer.objects.filter(staff=staff_id).values_list("pk", flat=True)))


def phones_of(bearer_ids: Collection[int]) -> set[int]:
    """Return the phones that these bearers are on."""
    if not bearer_ids:
        return set()
    return set(Bearer.objects.filter(pk__in=bearer_ids).values_list("phone_id", flat=True))
