"""A municipality's settings with the server's defaults filled in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from server.tenancy.models import MOST_MONTHS, Municipality


@dataclass(frozen=True)
class Policy:
    """What holds for one municipality."""

    shift_lead: timedelta
    grace: timedelta
    issue_horizon: timedelta
    longest_shift: timedelta
    retention_months: int
    minimum_app_version: str
    advert_key_age: timedelta
    """How long a lock's advert key is used."""


def _or_default(own: int | None, default: int) -> int:
    return default if own is None else own


def policy_of(municipality: Municipality) -> Policy:
    """Return the settings that hold for `municipality`."""
    return Policy(
        shift_lead=timedelta(
            minutes=_or_default(municipality.shift_lead_minutes, settings.SHIFT_LEAD_MINUTES)
        ),
        grace=timedelta(minutes=_or_default(municipality.grace_minutes, settings.GRACE_MINUTES)),
        issue_horizon=timedelta(
            hours=_or_default(municipality.issue_horizon_hours, settings.ISSUE_HORIZON_HOURS)
        ),
        longest_shift=timedelta(hours=settings.MAX_SHIFT_HOURS),
        retention_months=min(
            max(_or_default(municipality.retention_months, settings.RETENTION_MONTHS), 1), MOST_MONTHS
        ),
        minimum_app_version=municipality.minimum_app_version or settings.MINIMUM_APP_VERSION,
        advert_key_age=timedelta(days=_or_default(municipality.advert_key_days, settings.ADVERT_KEY_DAYS)),
    )
