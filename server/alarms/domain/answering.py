"""Answering an alarm: one person takes it and gets the right, others cannot, or it is handed over.

Whoever takes it gets the right in the same transaction: nobody is on the way without it, and no right is left
behind by a taking that came to nothing. The alarm's row is held first, always, so that of several who answer
at the same instant exactly one wins.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.access.domain import extra
from server.access.models import ExtraRight
from server.alarms import queries
from server.alarms.domain.offering import offer_round, ranking
from server.alarms.models import Alarm, AlarmOffer
from server.audit import actions
from server.audit.domain import record
from server.people.models import StaffMember, User
from server.people.push import poke_staff
from server.problems import Problem

TAKEN = actions.register("alarms.taken", _("alarm taken"))
DECLINED = actions.register("alarms.declined", _("alarm declined"))
HANDED_OVER = actions.register("alarms.handed_over", _("alarm handed over"))
ASSIGNED = actions.register("alarms.assigned", _("alarm assigned by hand"), needs_actor=True)
RENEWED = actions.register("alarms.right_renewed", _("alarm right given anew"), needs_actor=True)

Answer = AlarmOffer.Answer


def held(alarm_id: int) -> Alarm:
    """Return the alarm, held until the transaction ends; raises `Problem` not_found or alarm_ended."""
    alarm = queries.alarm_for_update(alarm_id)
    if alarm is None:
        raise Problem("not_found")
    if not alarm.is_open:
        raise Problem("alarm_ended")
    return alarm


@transaction.atomic
def take(*, alarm_id: int, staff: StaffMember, at: datetime, actor: User | None = None) -> Alarm:
    """Take an alarm that one was offered; once more by the same person changes nothing.

    Raises `Problem` not_found (never offered), alarm_taken, alarm_ended, or what giving the right raises.
    """
    alarm = _offered(alarm_id, staff)
    if alarm.taken_by_id == staff.pk:
        return alarm
    if alarm.taken_by_id is not None:
        raise Problem("alarm_taken")
    offer = queries.offer_for(alarm, staff.pk)
    assert offer is not None  # noqa: S101  _offered has looked
    return _begin(alarm, offer, at=at, action=TAKEN, actor=actor, given_by=None)


@transaction.atomic
def decline(*, alarm_id: int, staff: StaffMember, at: datetime, actor: User | None = None) -> Alarm:
    """Say that one cannot; when everybody asked has, the next are asked at once."""
    alarm = _offered(alarm_id, staff)
    answered = AlarmOffer.objects.filter(alarm=alarm, staff=staff, answer=Answer.NONE)
    if answered.update(answer=Answer.DECLINED, answered_at=at):
        record(action=DECLINED, target=alarm, actor=actor, after={"staff": staff.pk})
        poke_staff([staff.pk])
        if alarm.taken_by_id is None and not queries.asked(alarm).filter(answer=Answer.NONE).exists():
            offer_round(alarm, at=at)
    return alarm


@transaction.atomic
def hand_over(*, alarm_id: int, staff: StaffMember, at: datetime, actor: User | None = None) -> Alarm:
    """Give an alarm back that one has taken: the right ends, and the others are asked again."""
    alarm = _offered(alarm_id, staff)
    if alarm.taken_by_id != staff.pk:
        raise Problem("alarm_taken" if alarm.taken_by_id is not None else "not_found")
    _release(alarm, at=at, actor=actor)
    passed = AlarmOffer.objects.filter(alarm=alarm, answer=Answer.PASSED)
    again = list(passed.values_list("staff", flat=True))
    passed.update(answer=Answer.NONE, answered_at=None, offered_at=at)
    poke_staff(again)
    offer_round(alarm, at=at)
    return alarm


@transaction.atomic
def assign(*, alarm_id: int, staff: StaffMember, at: datetime, actor: User) -> Alarm:
    """Let the patrol choose who goes, instead of whoever has it; raises `Problem` not_on_duty.

    The patrol has spoken with the person, so it counts as taken at once.
    """
    alarm = held(alarm_id)
    if alarm.taken_by_id == staff.pk:
        return alarm
    found = {person.pk: one for one, person in ranking(alarm, at=at)}
    offer = queries.offer_for(alarm, staff.pk)
    if staff.pk not in found:
        raise Problem("not_on_duty")
    if alarm.taken_by_id is not None:
        _release(alarm, at=at, actor=actor)
    if offer is None:
        offer = AlarmOffer(
            municipality_id=alarm.municipality_id,
            alarm=alarm,
            staff=staff,
            rank=queries.asked(alarm).count() + 1,
            offered_at=at,
        )
    offer.by_hand = True
    offer.grounds = [{"what": "by_hand"}, *found[staff.pk].grounds]
    return _begin(alarm, offer, at=at, action=ASSIGNED, actor=actor, given_by=actor)


@transaction.atomic
def renew(*, alarm_id: int, at: datetime, actor: User) -> Alarm:
    """Give whoever has the alarm the right anew, for one that took longer than the right lasts."""
    alarm = held(alarm_id)
    offer = queries.offer_for(alarm, alarm.taken_by_id) if alarm.taken_by_id is not None else None
    if offer is None:
        raise Problem("not_found")
    _end_right(offer, at=at, actor=actor)
    offer.right = _give(alarm, offer.staff, at=at, given_by=actor)
    offer.save()
    record(action=RENEWED, target=alarm, actor=actor, after={"staff": offer.staff_id})
    return alarm


def end_rights(alarm: Alarm, *, at: datetime, actor: User | None) -> None:
    """End every right that was given for this alarm; the alarm's row must be held."""
    for offer in queries.asked(alarm).filter(right__isnull=False):
        _end_right(offer, at=at, actor=actor)


def _offered(alarm_id: int, staff: StaffMember) -> Alarm:
    """Return the alarm, held; to somebody who was never asked it does not exist, ended or not."""
    alarm = queries.alarm_for_update(alarm_id)
    if alarm is None or queries.offer_for(alarm, staff.pk) is None:
        raise Problem("not_found")
    if not alarm.is_open:
        raise Problem("alarm_ended")
    return alarm


def _begin(
    alarm: Alarm, offer: AlarmOffer, *, at: datetime, action: str, actor: User | None, given_by: User | None
) -> Alarm:
    offer.answer, offer.answered_at = Answer.TAKEN, at
    offer.right = _give(alarm, offer.staff, at=at, given_by=given_by)
    offer.save()
    others = queries.asked(alarm).filter(answer=Answer.NONE)
    told = list(others.values_list("staff", flat=True))
    AlarmOffer.objects.filter(alarm=alarm, answer=Answer.NONE).update(answer=Answer.PASSED, answered_at=at)
    alarm.state = Alarm.State.TAKEN if alarm.arrived_at is None else Alarm.State.ARRIVED
    alarm.taken_by, alarm.taken_at = offer.staff, at
    alarm.save(update_fields=["state", "taken_by", "taken_at"])
    record(action=action, target=alarm, actor=actor, after={"staff": offer.staff_id})
    poke_staff([offer.staff_id, *told])
    return alarm


def _release(alarm: Alarm, *, at: datetime, actor: User | None) -> None:
    """Take the alarm from whoever has it."""
    assert alarm.taken_by_id is not None  # noqa: S101  the caller has looked
    offer = queries.offer_for(alarm, alarm.taken_by_id)
    if offer is not None:
        offer.answer, offer.answered_at = Answer.HANDED_OVER, at
        offer.save()
        _end_right(offer, at=at, actor=actor)
    record(action=HANDED_OVER, target=alarm, actor=actor, before={"staff": alarm.taken_by_id})
    poke_staff([alarm.taken_by_id])
    alarm.state, alarm.taken_by, alarm.taken_at = Alarm.State.RAISED, None, None
    alarm.save(update_fields=["state", "taken_by", "taken_at"])


def _give(alarm: Alarm, staff: StaffMember, *, at: datetime, given_by: User | None) -> ExtraRight:
    minutes = queries.policy_for(alarm.municipality).right_minutes
    begin = at.replace(microsecond=0)
    return extra.give(
        kind=ExtraRight.Kind.ALARM,
        staff=staff,
        provider=staff.provider,
        client=alarm.client,
        starts_at=begin,
        ends_at=begin + timedelta(minutes=minutes),
        reason=ExtraRight.Reason.ALARM,
        at=at,
        actor=given_by,
    )


def _end_right(offer: AlarmOffer, *, at: datetime, actor: User | None) -> None:
    if offer.right is not None:
        extra.end(right=offer.right, at=at, actor=actor, reason="alarm")
