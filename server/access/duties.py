"""Duties: what somebody is there for. The decision weighs a shift of the plan and a right beside it alike.

How long a right beside the plan may last at most depends on its kind: it is for when the plan cannot be
waited for, not instead of one.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import TypeAlias

from django.utils import timezone

from server.access.intervals import Interval, first_useful, moved, period
from server.access.models import ExtraRight
from server.access.reasons import WhyNot
from server.care.models import Shift
from server.people.models import Bearer, StaffMember
from server.tenancy.policy import Policy

Duty: TypeAlias = Shift | ExtraRight
"""Both have staff, provider, team (perhaps none) and municipality; as keys of a dict they never clash."""

LONGEST: dict[str, timedelta] = {
    ExtraRight.Kind.ADHOC: timedelta(hours=24),
    ExtraRight.Kind.ALARM: timedelta(hours=4),
    ExtraRight.Kind.BREAK_GLASS: timedelta(hours=1),
    ExtraRight.Kind.PRACTICE: timedelta(hours=1),
}

DutyKey = tuple[int | None, int | None]
"""(shift id, extra right's id), one of them None: how a token's row names its duty."""


def key_of(duty: Duty) -> DutyKey:
    """Return how tokens name this duty."""
    return (duty.pk, None) if isinstance(duty, Shift) else (None, duty.pk)


def employment(staff: StaffMember) -> Interval:
    """Return when the person is employed: whole days, the last one included, in local time."""

    def midnight(day: datetime) -> datetime:
        return timezone.make_aware(day)

    start = midnight(datetime.combine(staff.employed_from, time.min))
    if staff.employed_to is None or staff.employed_to == date.max:
        return period(start)
    return period(start, midnight(datetime.combine(staff.employed_to + timedelta(days=1), time.min)))


def window_of(duty: Duty, policy: Policy) -> Interval:
    """Return the duty's window before anything narrows it.

    A shift opens a little early and keeps its grace; a right beside the plan ends to the second, and no later
    than it was withdrawn.
    """
    if isinstance(duty, Shift):
        return Interval(moved(duty.starts_at, -policy.shift_lead), moved(duty.ends_at, policy.grace))
    return period(duty.starts_at, duty.ends_at, duty.withdrawn_at)


def bearer_refusal(bearer: Bearer, duty: Duty) -> WhyNot | None:
    """Return why this bearer gets nothing at all from the duty, or None."""
    if bearer.staff_id != duty.staff_id:
        return WhyNot.OTHER_PERSONS_SHIFT if isinstance(duty, Shift) else WhyNot.OTHER_PERSONS_RIGHT
    if bearer.phone.revoked_at is not None:
        return WhyNot.PHONE_REVOKED
    if bearer.revoked_at is not None:
        return WhyNot.BEARER_REVOKED
    return None


def duty_refusal(duty: Duty, window: Interval, policy: Policy, at: datetime) -> WhyNot | None:
    """Return why the duty opens nothing at all, or None."""
    checks = (
        (WhyNot.PROVIDER_MISMATCH, not _is_one_providers(duty)),
        (WhyNot.PROVIDER_INACTIVE, not duty.provider.active),
        *_own_checks(duty, window, policy, at),
        (WhyNot.NOT_EMPLOYED, first_useful([window.clipped_to(employment(duty.staff))], at) is None),
    )
    return next((reason for reason, holds in checks if holds), None)


def _is_one_providers(duty: Duty) -> bool:
    """Nobody opens on behalf of a provider that is not the own one, whatever the kind of duty."""
    teams = duty.provider_id if duty.team is None else duty.team.provider_id
    return duty.provider_id == teams == duty.staff.provider_id


def _own_checks(
    duty: Duty, window: Interval, policy: Policy, at: datetime
) -> tuple[tuple[WhyNot, bool], ...]:
    length = duty.ends_at - duty.starts_at
    if isinstance(duty, Shift):
        return (
            (WhyNot.SHIFT_CANCELLED, duty.cancelled_at is not None),
            (WhyNot.SHIFT_TOO_LONG, length > policy.longest_shift),
            (WhyNot.SHIFT_OVER, window.end <= at),
        )
    return (
        (WhyNot.RIGHT_WITHDRAWN, duty.withdrawn_at is not None and duty.withdrawn_at <= at),
        (WhyNot.RIGHT_TOO_LONG, length > LONGEST[duty.kind]),
        (WhyNot.RIGHT_OVER, window.end <= at),
    )
