"""Changing a door's advert key without anybody losing the door: given to phones first, then to the lock.

Everybody who ever had a right at a door can recognise its adverts until its key changes, so it changes on a
schedule; not for each person who leaves, for it opens nothing. Three steps, each worked out anew:

1. *begin*: the next key is drawn, and lock records name both from now on;
2. *release*: when no token is alive that was handed out without the next key, the lock's bulletins bring it;
3. *settle*: when the lock's log confirms such a bulletin, the next key is the current one.

A phone that was away all the while, and holds no live token, finds the door again once it has synchronised.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from server.access.models import Token
from server.locks.domain.advert_keys import current_and_next, draw, sealed
from server.locks.domain.news import note_news
from server.locks.domain.records import signed_record
from server.locks.models import Binding, Bulletin
from server.locks.rules import EDGE
from server.tenancy.domain import keyring
from server.tenancy.models import Municipality, RoleKey
from server.tenancy.policy import policy_of
from server.tenancy.scoping import whole_municipality

BEGUN_AT_ONCE = 200
"""So many doors begin in one sweep: a city's are spread over days, and so is what they cost."""

MARGIN = timedelta(minutes=5)
"""A sync under way while a rotation begins may still hand out the old record, so it is taken for earlier."""


@whole_municipality()
def rotate_due(municipality: Municipality, *, at: datetime) -> int:
    """Take every step that is due; returns how many doors took one. Must run in the municipality's scope."""
    age = policy_of(municipality).advert_key_age
    old = Q(adv_key_rotated_at__lte=at - age) | Q(adv_key_rotated_at__isnull=True, starts_at__lte=at - age)
    due = _resting(municipality).filter(old).order_by("pk").values_list("pk", flat=True)
    return (
        settle(municipality, at=at)
        + release(municipality, at=at)
        + begin(municipality, list(due[:BEGUN_AT_ONCE]), at=at)
    )


def _mounted(municipality: Municipality) -> QuerySet[Binding]:
    rows: QuerySet[Binding] = Binding.objects.filter(
        municipality=municipality, ends_at__isnull=True, commissioned_at__isnull=False
    )
    return rows


def _resting(municipality: Municipality) -> QuerySet[Binding]:
    return _mounted(municipality).filter(sealed_adv_key_next__isnull=True, lock_record__isnull=False)


def begin(municipality: Municipality, binding_ids: Sequence[int], *, at: datetime) -> int:
    """Draw the next key of these doors where no rotation is under way; returns of how many."""
    if not binding_ids:
        return 0
    key = keyring.signing_key(municipality.pk, RoleKey.Role.BULLETIN)
    with transaction.atomic():
        bindings = _held(_resting(municipality).filter(pk__in=binding_ids))
        for binding in bindings:
            binding.sealed_adv_key_next = sealed(draw(), bytes(binding.binding_id))
            binding.adv_key_next_at = at + MARGIN
            binding.lock_record = signed_record(binding, current_and_next(binding), key=key, at=at)
        Binding.objects.bulk_update(bindings, ["sealed_adv_key_next", "adv_key_next_at", "lock_record"])
    return len(bindings)


def release(municipality: Municipality, *, at: datetime) -> int:
    """Let bulletins bring the next key where every live token was handed out with it; returns at how many."""
    without = Token.unscoped.filter(
        Q(delivered_at__isnull=True) | Q(delivered_at__lte=OuterRef("adv_key_next_at")),
        binding=OuterRef("pk"),
        issued_at__lte=OuterRef("adv_key_next_at"),
        expires__gt=at - EDGE,
        revoked_at__isnull=True,
    )
    given = _mounted(municipality).filter(adv_key_next_at__lt=at, adv_key_released_at__isnull=True)
    with transaction.atomic():
        bindings = _held(given.exclude(Exists(without)))
        for binding in bindings:
            binding.adv_key_released_at = at
        Binding.objects.bulk_update(bindings, ["adv_key_released_at"])
        note_news([binding.pk for binding in bindings])
    return len(bindings)


def settle(municipality: Municipality, *, at: datetime) -> int:
    """Make the next key the current one where the lock has confirmed it; returns at how many doors."""
    confirmed = Bulletin.unscoped.filter(
        binding=OuterRef("pk"),
        brings_adv_key=True,
        known_at__isnull=False,
        created_at__gte=OuterRef("adv_key_released_at"),
    )
    key = keyring.signing_key(municipality.pk, RoleKey.Role.BULLETIN)
    with transaction.atomic():
        released = _mounted(municipality).filter(adv_key_released_at__isnull=False)
        bindings = _held(released.filter(Exists(confirmed)))
        for binding in bindings:
            _current, following = current_and_next(binding)
            binding.sealed_adv_key = sealed(following, bytes(binding.binding_id))
            binding.sealed_adv_key_next = binding.adv_key_next_at = binding.adv_key_released_at = None
            binding.adv_key_rotated_at = at
            binding.lock_record = signed_record(binding, (following,), key=key, at=at)
        Binding.objects.bulk_update(
            bindings,
            [
                "sealed_adv_key",
                "sealed_adv_key_next",
                "adv_key_next_at",
                "adv_key_released_at",
                "adv_key_rotated_at",
                "lock_record",
            ],
        )
        note_news([binding.pk for binding in bindings])
    return len(bindings)


def _held(bindings: QuerySet[Binding]) -> list[Binding]:
    held = bindings.select_for_update(no_key=True, of=("self",)).select_related("lock", "door")
    return list(held.order_by("pk"))


def under_way(municipality: Municipality) -> tuple[int, int]:
    """Return at how many doors the next key is with phones only, and at how many it is on its way."""
    changing = _mounted(municipality).filter(sealed_adv_key_next__isnull=False)
    released = changing.filter(adv_key_released_at__isnull=False).count()
    return changing.count() - released, released
