"""Rights beside the plan: given to a borrowed colleague or a substitute, for an alarm, or taken in need.

Each verb brings the tokens in line before it returns, by the same decision as every other token, and tells
the phones to fetch. When the right's time is up nothing needs to happen: its tokens end with it.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.access.domain.issue import issue_for_extra
from server.access.duties import LONGEST
from server.access.models import ExtraRight
from server.access.token_queries import hold_bearers_of
from server.audit import actions
from server.audit.domain import record
from server.care.models import Client
from server.people.models import CareProvider, StaffMember, Team, User
from server.people.push import poke_staff
from server.problems import Problem
from server.tenancy.scoping import whole_municipality

GIVEN = actions.register("access.extra_given", _("right given beside the plan"))
ENDED = actions.register("access.extra_ended", _("right beside the plan ended"))


@whole_municipality()
def give(
    *,
    kind: str,
    staff: StaffMember,
    provider: CareProvider,
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    at: datetime,
    actor: User | None = None,
    client: Client | None = None,
    team: Team | None = None,
) -> ExtraRight:
    """Give a right for a team's doors or one client's, and issue it at once; returns it.

    `kind` is an `ExtraRight.Kind`, `reason` an `ExtraRight.Reason`; without `actor` the staff member took it.
    Raises `Problem` right_foreign (staff or team of another provider), right_too_long, not_employed. That the
    decision finds nothing to open (no consent, no lock, care paused) is no error: the right is there, and
    opens as soon as the reason is gone.
    """
    _refuse_foreign(staff, provider, team)
    if ends_at <= at or ends_at - starts_at > LONGEST[kind]:
        raise Problem("right_too_long", minutes=int(LONGEST[kind].total_seconds() // 60))
    with transaction.atomic():
        right: ExtraRight = ExtraRight.objects.create(
            municipality=staff.municipality,
            kind=kind,
            staff=staff,
            provider=provider,
            team=team,
            client=client,
            starts_at=starts_at,
            ends_at=ends_at,
            given_by=actor,
            reason=reason,
        )
        record(action=GIVEN, target=right, actor=actor, after=_said(right), reason=reason)
        issue_for_extra(right=right, at=at)
        poke_staff([staff.pk])
    return right


def _refuse_foreign(staff: StaffMember, provider: CareProvider, team: Team | None) -> None:
    if staff.provider_id != provider.pk or (team is not None and team.provider_id != provider.pk):
        raise Problem("right_foreign")


@whole_municipality()
def end(*, right: ExtraRight, at: datetime, actor: User | None = None, reason: str) -> ExtraRight:
    """End a right before its time: its tokens are revoked and their locks told. Twice is once.

    `reason` goes to the audit trail. A right whose time is up already is left as it is.
    """
    with transaction.atomic():
        hold_bearers_of(right.staff_id)
        ended = ExtraRight.objects.filter(pk=right.pk, withdrawn_at__isnull=True, ends_at__gt=at)
        if ended.update(withdrawn_at=at):
            record(
                action=ENDED, target=right, actor=actor, after={"withdrawn_at": at.isoformat()}, reason=reason
            )
            issue_for_extra(right=right, at=at)
            poke_staff([right.staff_id])
    right.refresh_from_db()
    return right


def _said(right: ExtraRight) -> dict[str, object]:
    return {
        "kind": right.kind,
        "staff": right.staff_id,
        "provider": right.provider_id,
        "team": right.team_id,
        "client": right.client_id,
        "starts_at": right.starts_at.isoformat(),
        "ends_at": right.ends_at.isoformat(),
    }
