"""Sweeping: what is older than it may be is forgotten. Running it twice, or late, is harmless."""

from __future__ import annotations

from datetime import datetime, timedelta

from server.passages.models import Passage, SealedBatch
from server.tenancy.models import Municipality
from server.tenancy.policy import policy_of

DAYS_IN_A_MONTH = 30.44
KEEP_BATCHES = timedelta(days=90)
"""The digest of a stored or rejected batch is remembered this long, so that a late courier is recognised."""


def sweep(municipality: Municipality, *, at: datetime) -> int:
    """Delete passages beyond the retention time and digests of old batches; returns passages deleted.

    Must run in the municipality's scope. Counts that outlive the passages come with the exports.
    """
    months = policy_of(municipality).retention_months
    oldest = at - timedelta(days=months * DAYS_IN_A_MONTH)
    deleted, _by_model = Passage.objects.filter(happened_at__lt=oldest, known_at__lt=oldest).delete()
    SealedBatch.objects.filter(received_at__lt=at - KEEP_BATCHES).exclude(
        status=SealedBatch.Status.HELD
    ).delete()
    return deleted
