"""Celery tasks of keys: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from server.keys.domain.following import follow
from server.keys.queries import municipalities_with_keys
from server.tenancy.sweeps import in_each

logger = logging.getLogger(__name__)


@shared_task(name="keys.follow")
def follow_manifests() -> int:
    """Sign anew what old keys signed, and erase old keys that nothing needs."""
    at = timezone.now()
    return in_each(municipalities_with_keys(), lambda one: follow(one, at=at))


def follow_soon() -> None:
    """Ask for the sweep at once; should the broker be away, the schedule does it within the hour."""
    try:
        follow_manifests.delay()
    except OperationalError as error:
        logger.warning("the broker is away, keys are followed up by the schedule: %s", error)
