"""Look-ups of tokens, and of the shifts and bearers that tokens are issued for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from server.access.models import Token
from server.care.models import Shift
from server.people.models import Bearer


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


def tokens_not_over(*, at: datetime) -> QuerySet[Token]:
    """Return tokens in scope that have not ended by themselves, revoked or not."""
    tokens: QuerySet[Token] = Token.objects.filter(expires__gt=at)
    return tokens


def shifts_to_issue(*, ended_after: datetime, starts_before: datetime, at: datetime) -> QuerySet[Shift]:
    """Return shifts in the horizon, and any other shift, moved or cancelled, that still has live tokens."""
    in_horizon = Q(cancelled_at__isnull=True, starts_at__lt=starts_before, ends_at__gt=ended_after)
    shifts: QuerySet[Shift] = (
        Shift.objects.filter(in_horizon | Exists(live_tokens(at=at).filter(shift=OuterRef("pk"))))
        .select_related("staff", "team", "provider", "municipality")
        .order_by("pk")
    )
    return shifts


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
