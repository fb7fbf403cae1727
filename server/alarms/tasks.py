"""Celery tasks of alarms: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from server.alarms.domain.arrival import note_arrivals
from server.alarms.domain.ending import close_forgotten
from server.alarms.domain.offering import offer_wider
from server.tenancy.models import Municipality
from server.tenancy.sweeps import in_each


@shared_task(name="alarms.sweep")
def sweep() -> int:
    """Ask more people, note who has come, close what was forgotten; returns how many things changed."""
    at = timezone.now()

    def in_one(municipality: Municipality) -> int:
        return (
            offer_wider(municipality=municipality, at=at)
            + note_arrivals(municipality=municipality, at=at)
            + close_forgotten(municipality=municipality, at=at)
        )

    return in_each(Municipality.objects.all(), in_one)
