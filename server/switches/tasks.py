"""Celery task of provider switches: thin, a sweep over database state that may run twice or late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from server.switches.domain.renewing import renew_all
from server.switches.queries import municipalities_with_work
from server.tenancy.sweeps import in_each


@shared_task(name="switches.renew")
def renew() -> int:
    """Cut and issue keys for switches just decided or taken back, and keep the proof of those over."""
    at = timezone.now()
    return in_each(municipalities_with_work(at=at), lambda one: renew_all(one, at=at))
