"""Celery tasks of access: thin, and sweeps over database state that may run twice or late."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone
from django_scopes import scope

from server.access.domain.issue import issue_ahead as issue_for_municipality
from server.tenancy.models import Manifest, Municipality


@shared_task(name="access.issue_ahead")
def issue_ahead() -> int:
    """Issue for every shift within the horizon; returns how many tokens were signed."""
    at = timezone.now()
    signed = 0
    for municipality in Municipality.objects.filter(pk__in=Manifest.unscoped.values("municipality")):
        with scope(municipality=municipality):
            signed += issue_for_municipality(municipality=municipality, at=at).signed
    return signed
