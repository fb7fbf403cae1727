"""Break-glass: somebody at a door takes a right that the plan did not give, says why, and answers for it.

One client of the own provider, the apartment and the way to it, for an hour. It opens a deviation at once,
and the next day a coordinator of the provider says whether it was justified. Left out on purpose: asking
anybody first. Who waits outside a door where somebody may have fallen has no time for that; the price is the
review.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from server.access.decision import decide
from server.access.domain.extra import give
from server.access.duties import LONGEST
from server.access.models import ExtraRight
from server.access.queries import extras_with_people
from server.access.reasons import WhyNot
from server.access.token_queries import hold_bearers_of
from server.audit import actions
from server.audit.domain import record
from server.care.models import CareAssignment, Client
from server.passages.models import Deviation
from server.people.models import StaffMember, User
from server.problems import Problem
from server.tenancy.scoping import whole_municipality

REVIEWED = actions.register("access.break_glass_reviewed", _("emergency right reviewed"), needs_actor=True)

REASONS = (
    ExtraRight.Reason.NO_ANSWER,
    ExtraRight.Reason.CALL_FOR_HELP,
    ExtraRight.Reason.VISIT_MISSING,
    ExtraRight.Reason.KEY_MISSING,
    ExtraRight.Reason.OTHER,
)
"""What may be said at a door."""

MOST_AN_HOUR = 5
"""A person who needs more than this has another problem than a missing right."""


@whole_municipality()
def take(*, staff: StaffMember, client: Client, reason: str, at: datetime) -> ExtraRight:
    """Take a right to one client's doors and open a deviation about it; asked again, it is the same right.

    `client` is one of `client_of_own`'s, `reason` one of `REASONS`. Raises `Problem` nothing_to_open (care
    paused or ended, no consent, no lock: with the decision's reason) and throttled.
    """
    with transaction.atomic():
        hold_bearers_of(staff.pk)  # two taps at once are one right
        running = _running(staff, client, at)
        if running is not None:
            return running
        if _taken_lately(staff, at) >= MOST_AN_HOUR:
            raise Problem("throttled", wait_s=3600)
        right = give(
            kind=ExtraRight.Kind.BREAK_GLASS,
            staff=staff,
            provider=staff.provider,
            client=client,
            starts_at=at,
            ends_at=at + LONGEST[ExtraRight.Kind.BREAK_GLASS],
            reason=reason,
            at=at,
        )
        _refuse_empty(right, client, at)
        Deviation.objects.create(
            municipality=staff.municipality,
            kind=Deviation.Kind.BREAK_GLASS,
            door=client.door,
            provider=staff.provider,
            opened_at=at,
        )
    return right


def _running(staff: StaffMember, client: Client, at: datetime) -> ExtraRight | None:
    found: ExtraRight | None = ExtraRight.objects.filter(
        kind=ExtraRight.Kind.BREAK_GLASS,
        staff=staff,
        client=client,
        ends_at__gt=at,
        withdrawn_at__isnull=True,
    ).first()
    return found


def _taken_lately(staff: StaffMember, at: datetime) -> int:
    hour_ago = at - timedelta(hours=1)
    taken = ExtraRight.objects.filter(kind=ExtraRight.Kind.BREAK_GLASS, staff=staff, starts_at__gt=hour_ago)
    return taken.count()


def _refuse_empty(right: ExtraRight, client: Client, at: datetime) -> None:
    decision = decide(duty=extras_with_people().get(pk=right.pk), at=at)
    if not decision.rights:
        why = decision.why_not(client.door_id) if client.door_id else WhyNot.CLIENT_WITHOUT_DOOR
        why = why or WhyNot.NO_ASSIGNMENT
        raise Problem("nothing_to_open", reason=str(why), reason_sv=why.sv, reason_en=why.en)


@whole_municipality()
def client_of_own(*, staff: StaffMember, alarm_code: str, door_id: int | None, at: datetime) -> Client:
    """Return the own provider's client with this alarm code, or behind this door; raises `Problem`.

    Another provider's client and one that does not exist are answered alike (client_unknown).
    """
    living = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
    own = CareAssignment.objects.filter(living, provider=staff.provider_id, starts_at__lte=at)
    named = Q(alarm_code=alarm_code) if alarm_code else Q(door=door_id, door__isnull=False)
    client: Client | None = Client.objects.filter(named, pk__in=own.values("client")).order_by("pk").first()
    if client is None:
        raise Problem("client_unknown")
    return client


@whole_municipality()
def review(*, right: ExtraRight, verdict: str, at: datetime, actor: User) -> ExtraRight:
    """Say, once, whether an emergency right was justified, and close its deviation; nobody reviews the own.

    `verdict` is an `ExtraRight.Verdict`. Raises `Problem` reviewed_already and own_review.
    """
    if right.staff.user_id == actor.pk:
        raise Problem("own_review")
    with transaction.atomic():
        waiting = ExtraRight.objects.filter(
            pk=right.pk, kind=ExtraRight.Kind.BREAK_GLASS, reviewed_at__isnull=True
        )
        if not waiting.update(reviewed_at=at, reviewed_by=actor, verdict=verdict):
            raise Problem("reviewed_already")
        Deviation.objects.filter(
            kind=Deviation.Kind.BREAK_GLASS,
            provider=right.provider_id,
            door=right.client.door_id if right.client else None,
            opened_at=right.starts_at,
            closed_at__isnull=True,
        ).update(closed_at=at, closed_by=actor, resolution=Deviation.Resolution.EXPLAINED)
        record(action=REVIEWED, target=right, actor=actor, after={"verdict": verdict}, reason=right.reason)
    right.refresh_from_db()
    return right
