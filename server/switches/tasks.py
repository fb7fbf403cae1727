"""Celery task of provider switches: thin, a sweep over database state that may run twice or late."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from server.switches.domain.renewing import renew_all
from server.switches.queries import municipalities_with_work
from server.tenancy.sweeps import in_each

logger = logging.getLogger(__name__)


@shared_task(name="switches.renew")
def renew() -> int:
    """Cut and issue keys for switches just decided or taken back, and keep the proof of those over."""
    at = timezone.now()
    return in_each(municipalities_with_work(at=at), lambda one: renew_all(one, at=at))


def renew_soon() -> None:
    """Ask for the sweep at once; should the broker be away, the schedule does it within a minute."""
    try:
        renew.delay()
    except OperationalError as error:
        logger.warning("the broker is away, keys are renewed by the schedule: %s", error)
