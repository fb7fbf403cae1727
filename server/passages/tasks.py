"""Celery tasks of passages: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from server.passages.domain.meanwhile import classify_recent
from server.passages.domain.sweeping import sweep as sweep_municipality
from server.tenancy.models import Municipality
from server.tenancy.sweeps import in_each


@shared_task(name="passages.sweep")
def sweep() -> int:
    """Forget what is older than it may be, and classify what an upload and a revocation passed by.

    Returns how many passages were erased.
    """
    at = timezone.now()

    def one_of_them(municipality: Municipality) -> int:
        classify_recent(at=at)
        return sweep_municipality(municipality, at=at)

    return in_each(Municipality.objects.all(), one_of_them)
