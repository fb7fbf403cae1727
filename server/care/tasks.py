"""Celery tasks of care: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from server.care.domain.consents import settle
from server.tenancy.models import Municipality
from server.tenancy.sweeps import in_each


@shared_task(name="care.settle_withdrawals")
def settle_withdrawals() -> int:
    """Let withdrawals take effect whose time has come; returns how many."""
    at = timezone.now()
    return in_each(Municipality.objects.all(), lambda one: settle(municipality=one, at=at))
