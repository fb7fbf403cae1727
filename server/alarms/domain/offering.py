"""Asking the nearest first, and more of them when nobody answers."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.alarms import queries
from server.alarms.models import Alarm, AlarmOffer
from server.alarms.rules import Ranked, rank
from server.audit import actions
from server.audit.domain import record
from server.people.models import StaffMember
from server.people.push import poke_staff
from server.tenancy.models import Municipality

OFFERED = actions.register("alarms.offered", _("alarm offered"))


def ranking(alarm: Alarm, *, at: datetime) -> list[tuple[Ranked, StaffMember]]:
    """Return everybody on duty who may respond, nearest first, with the grounds."""
    client = alarm.client
    shifts = list(queries.shifts_to_ask(client, at=at))
    people = {shift.staff_id: shift.staff for shift in shifts}
    goal = queries.spot_of(client.door) if client.door is not None else None
    ranked = rank(queries.candidates(shifts, at=at), goal, at=at)
    return [(one, people[one.staff]) for one in ranked]


def offer_round(alarm: Alarm, *, at: datetime) -> list[AlarmOffer]:
    """Ask the nearest who were not asked before; the alarm's row must be held. Returns the new offers."""
    asked = set(queries.asked(alarm).values_list("staff", flat=True))
    waiting = [one for one, _person in ranking(alarm, at=at) if one.staff not in asked]
    chosen = waiting[: queries.policy_for(alarm.municipality).offer_to]
    if not chosen:
        return []
    offers = AlarmOffer.objects.bulk_create(
        AlarmOffer(
            municipality_id=alarm.municipality_id,
            alarm=alarm,
            staff_id=one.staff,
            rank=len(asked) + place,
            grounds=list(one.grounds),
            offered_at=at,
        )
        for place, one in enumerate(chosen, start=1)
    )
    alarm.offers_open_at = at
    alarm.save(update_fields=["offers_open_at"])
    record(action=OFFERED, target=alarm, after={"staff": [one.staff for one in chosen]})
    poke_staff(one.staff for one in chosen)
    return offers


def offer_wider(*, municipality: Municipality, at: datetime) -> int:
    """Ask more people about alarms that nobody has answered in time; returns how many were asked.

    Running it again within the time changes nothing.
    """
    late = at - timedelta(seconds=queries.policy_for(municipality).widen_after_s)
    waiting = queries.open_alarms().filter(state=Alarm.State.RAISED, offers_open_at__lte=late)
    return sum(_offer_again(pk, late, at) for pk in waiting.values_list("pk", flat=True))


@transaction.atomic
def _offer_again(alarm_id: int, late: datetime, at: datetime) -> int:
    alarm = queries.alarm_for_update(alarm_id)
    if alarm is None or alarm.state != Alarm.State.RAISED or alarm.offers_open_at > late:
        return 0
    return len(offer_round(alarm, at=at))
