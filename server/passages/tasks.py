"""Celery tasks of passages: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from server.passages.domain.sweeping import sweep as sweep_municipality
from server.tenancy.models import Municipality
from server.tenancy.sweeps import in_each


@shared_task(name="passages.sweep")
def sweep() -> int:
    """Forget what is older than it may be; returns how many passages."""
    at = timezone.now()
    return in_each(Municipality.objects.all(), lambda one: sweep_municipality(one, at=at))
