"""Celery tasks of personal data."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from server.privacy.domain.shredding import sweep as sweep_municipality
from server.tenancy.models import Municipality
from server.tenancy.sweeps import in_each


@shared_task(name="privacy.sweep")
def sweep() -> int:
    """Shred what has had its time in every municipality; returns how many rows."""
    at = timezone.now()
    return in_each(Municipality.objects.all(), lambda one: sweep_municipality(one, at=at))
