"""When personal data has had its time, and what still stands against shredding it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.access.models import ExtraRight, Revocation, Token
from server.alarms.models import Alarm
from server.care.models import Shift
from server.passages.models import Deviation
from server.people.models import StaffMember
from server.privacy.models import PrivacyPolicy
from server.tenancy.models import Municipality

DAYS_IN_A_MONTH = 30.44
CODES_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Times:
    """The moments before which things have had their time."""

    municipality: int
    left_before: datetime
    documents_before: datetime
    codes_before: datetime


def times(municipality: Municipality, *, at: datetime) -> Times:
    """Return what holds for a municipality now."""
    policy = PrivacyPolicy.objects.filter(municipality=municipality).first() or PrivacyPolicy()
    return Times(
        municipality.pk,
        at - timedelta(days=policy.months_after_leaving * DAYS_IN_A_MONTH),
        at - timedelta(days=policy.months_consent_documents * DAYS_IN_A_MONTH),
        at - CODES_KEPT,
    )


def unfinished(staff: StaffMember, *, at: datetime) -> list[str | Promise]:
    """Return what still needs the person by name; empty when nothing does."""
    own_break_glass = Q(kind=ExtraRight.Kind.BREAK_GLASS, reviewed_at__isnull=True)
    own_live = Q(ends_at__gt=at, withdrawn_at__isnull=True)
    standing: list[tuple[bool, str | Promise]] = [
        (
            Token.objects.filter(bearer__staff=staff, expires__gt=at, revoked_at__isnull=True).exists(),
            _("keys that still open"),
        ),
        (
            Shift.objects.filter(staff=staff, ends_at__gt=at, cancelled_at__isnull=True).exists(),
            _("shifts to come"),
        ),
        (ExtraRight.objects.filter(own_live, staff=staff).exists(), _("rights given beside the plan")),
        (ExtraRight.objects.filter(own_break_glass, staff=staff).exists(), _("emergency rights to review")),
        (
            Revocation.objects.filter(staff=staff, matters_until__gt=at).exists(),
            _("a revocation that locks may not know yet"),
        ),
        (
            Deviation.objects.filter(passage__bearer__staff=staff, closed_at__isnull=True).exists(),
            _("open deviations"),
        ),
        (
            Alarm.objects.filter(taken_by=staff, ended_at__isnull=True).exists(),
            _("an alarm that has not ended"),
        ),
    ]
    return [reason for stands, reason in standing if stands]
