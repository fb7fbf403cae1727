"""Ending an alarm: the right ends with it, and nobody is asked any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.alarms import queries
from server.alarms.domain.answering import end_rights
from server.alarms.models import Alarm, AlarmOffer, AlarmSystem
from server.audit import actions
from server.audit.domain import record
from server.people.models import User
from server.people.push import poke_staff
from server.problems import Problem
from server.tenancy.models import Municipality

ENDED = actions.register("alarms.ended", _("alarm ended"))


@transaction.atomic
def end(
    *,
    alarm_id: int,
    why: str,
    at: datetime,
    actor: User | None = None,
    system: AlarmSystem | None = None,
) -> Alarm:
    """End an alarm, `why` being an `Alarm.Why`; one that has ended stays as it was. `Problem` not_found."""
    alarm = queries.alarm_for_update(alarm_id)
    if alarm is None:
        raise Problem("not_found")
    if not alarm.is_open:
        return alarm
    end_rights(alarm, at=at, actor=actor)
    concerned = queries.asked(alarm).filter(answer__in=[AlarmOffer.Answer.NONE, AlarmOffer.Answer.TAKEN])
    told = list(concerned.values_list("staff", flat=True))
    AlarmOffer.objects.filter(alarm=alarm, answer=AlarmOffer.Answer.NONE).update(
        answer=AlarmOffer.Answer.PASSED, answered_at=at
    )
    before = {"state": alarm.state}
    alarm.state, alarm.why, alarm.ended_at, alarm.ended_by = Alarm.State.ENDED, why, at, actor
    alarm.save(update_fields=["state", "why", "ended_at", "ended_by"])
    after = {"system": system.pk} if system is not None else {}
    record(action=ENDED, target=alarm, actor=actor, before=before, after=after, reason=why)
    poke_staff(told)
    return alarm


def close_forgotten(*, municipality: Municipality, at: datetime) -> int:
    """End alarms that were raised longer ago than they may stay open; returns how many."""
    hours = queries.policy_for(municipality).close_after_hours
    forgotten = queries.open_alarms().filter(raised_at__lt=at - timedelta(hours=hours))
    ids = list(forgotten.values_list("pk", flat=True))
    for pk in ids:
        end(alarm_id=pk, why=Alarm.Why.EXPIRED, at=at)
    return len(ids)
