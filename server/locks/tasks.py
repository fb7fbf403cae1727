"""Celery tasks of locks: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations

from celery import shared_task
from django.core.cache import cache
from django.utils import timezone

from server.locks.domain.bulletins import forget_old_bulletins
from server.locks.domain.news import build_news
from server.locks.domain.rotation import rotate_due
from server.locks.domain.upkeep import keep_up
from server.tenancy.models import Manifest, Municipality
from server.tenancy.sweeps import in_each

FORGET_EVERY_S = 3600


@shared_task(name="locks.build_bulletins")
def build_bulletins() -> int:
    """Make every bulletin that is due; returns how many."""
    at = timezone.now()
    with_keys = Municipality.objects.filter(pk__in=Manifest.unscoped.values("municipality"))
    try:
        return in_each(with_keys, lambda one: build_news(one, at=at))
    finally:
        if cache.add("locks.forgot_old_bulletins", at.isoformat(), timeout=FORGET_EVERY_S):
            forget_old_bulletins(at=at)


@shared_task(name="locks.rotate_advert_keys")
def rotate_advert_keys() -> int:
    """Take the steps of advert keys' rotations that are due; returns how many."""
    at = timezone.now()
    with_keys = Municipality.objects.filter(pk__in=Manifest.unscoped.values("municipality"))
    return in_each(with_keys, lambda one: rotate_due(one, at=at))


@shared_task(name="locks.keep_up")
def keep_up_with_locks() -> int:
    """Call dead locks dead, settle what settled itself, take unconfirmed commissionings back."""
    at = timezone.now()
    return in_each(Municipality.objects.all(), lambda one: keep_up(one, at=at))
