"""Practice: somebody with an enrolled phone asks for the practice locks, and has them for an hour.

Asked for in the app, not handed out with every shift: seven thousand people do not practise every day, and
who begins tomorrow has no shift yet. Everything else is as for any right: employed, an active provider, a
phone and a key that nobody revoked, a token of an hour that a lock checks by itself.

Two rights are given, one after the other: the one that counts now, and the one of the hour after it. With
the second the person can ask the lock too early and meet a true refusal; nothing has to be revoked or forged
for it. Left out on purpose: asking a coordinator, a place on the boards, a review. Nothing can be entered
this way.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from server.access.decision import decide
from server.access.domain.extra import give
from server.access.duties import LONGEST
from server.access.models import ExtraRight
from server.access.queries import extras_with_people
from server.access.token_queries import hold_bearers_of
from server.people.models import StaffMember
from server.places.models import Door
from server.problems import Problem
from server.tenancy.scoping import whole_municipality


@whole_municipality()
def practise(*, staff: StaffMember, at: datetime) -> tuple[ExtraRight, list[Door]]:
    """Return the right that runs now and the places where it holds; asked again, it is the same right.

    Raises `Problem` practice_nowhere when no practice lock is commissioned for the person.
    """
    with transaction.atomic():
        hold_bearers_of(staff.pk)  # two taps at once are one right
        running = _running(staff, at)
        decision = decide(duty=extras_with_people().get(pk=running.pk), at=at)
        if not decision.rights:
            raise Problem("practice_nowhere")
        _at(staff, running.ends_at, at)
    return running, [right.door for right in decision.rights]


def _running(staff: StaffMember, at: datetime) -> ExtraRight:
    found: ExtraRight | None = _rights(staff).filter(starts_at__lte=at, ends_at__gt=at).first()
    return found or _given(staff, at, at)


def _at(staff: StaffMember, starts_at: datetime, at: datetime) -> None:
    """See to it that there is a right that begins at this instant."""
    if not _rights(staff).filter(starts_at=starts_at).exists():
        _given(staff, starts_at, at)


def _rights(staff: StaffMember) -> QuerySet[ExtraRight]:
    rows: QuerySet[ExtraRight] = ExtraRight.objects.filter(
        staff=staff, kind=ExtraRight.Kind.PRACTICE, withdrawn_at__isnull=True
    )
    return rows.order_by("starts_at")


def _given(staff: StaffMember, starts_at: datetime, at: datetime) -> ExtraRight:
    return give(
        kind=ExtraRight.Kind.PRACTICE,
        staff=staff,
        provider=staff.provider,
        starts_at=starts_at,
        ends_at=starts_at + LONGEST[ExtraRight.Kind.PRACTICE],
        reason=ExtraRight.Reason.PRACTICE,
        at=at,
    )
