"""Celery tasks of passages: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone
from django_scopes import scope

from server.passages.domain.sweeping import sweep as sweep_municipality
from server.tenancy.models import Municipality


@shared_task(name="passages.sweep")
def sweep() -> int:
    """Forget what is older than it may be; returns how many passages."""
    at = timezone.now()
    deleted = 0
    for municipality in Municipality.objects.all():
        with scope(municipality=municipality):
            deleted += sweep_municipality(municipality, at=at)
    return deleted
