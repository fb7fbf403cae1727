"""Celery tasks of access: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from server.access.domain.forgetting import forget
from server.access.domain.issue import issue_in_turn
from server.access.domain.substitutes import close_sign_ins
from server.tenancy.models import Manifest, Municipality
from server.tenancy.sweeps import in_each


@shared_task(name="access.issue_ahead")
def issue_ahead() -> int:
    """Issue for what is within the horizon, in turn; returns how many tokens were signed."""
    at = timezone.now()
    with_keys = Municipality.objects.filter(pk__in=Manifest.unscoped.values("municipality"))
    return in_each(with_keys, lambda one: issue_in_turn(municipality=one, at=at).signed)


@shared_task(name="access.sweep")
def sweep() -> int:
    """Close the sign-ins of people who have left and forget what nothing needs; returns tokens forgotten."""
    at = timezone.now()
    everywhere = list(Municipality.objects.all())
    in_each(everywhere, lambda one: close_sign_ins(one, at=at))
    return in_each(everywhere, lambda one: forget(one, at=at))
