"""How long it took from the alarm to the open door, by the lock's own log.

A log may come late, by another phone than that of whoever went, and out of order. So the arrival is worked
out anew whenever the door's log has told something: the first time that somebody who had taken the alarm was
granted to open the apartment and the bolt moved (or was open already).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.alarms import queries
from server.alarms.models import Alarm, AlarmPolicy
from server.audit import actions
from server.audit.domain import record
from server.passages.models import Passage
from server.tenancy.models import Municipality

ARRIVED = actions.register("alarms.arrived", _("door opened, by the lock's log"))

OPENED = frozenset({"moved", "already"})
MARGIN = timedelta(minutes=2)
"""A batch is stored a little after the instant that its passages carry as the one they became known at."""
NOTED_EVERY = timedelta(minutes=1)
"""How far it has come is written no more often: looking twice is cheaper than writing each time."""
STILL_COMING = timedelta(days=30)
"""How old an alarm may be and still be corrected by a log that comes late."""


def note_arrivals(*, municipality: Municipality, at: datetime) -> int:
    """Look again at the alarms of whose doors logs have told; returns how many arrivals changed.

    How far it has come is kept, so that a sweep that did not run for a day misses nothing.
    """
    policy, _made = AlarmPolicy.objects.get_or_create(municipality=municipality)
    oldest = at - STILL_COMING
    known_after = max((policy.arrivals_noted_until or oldest) - MARGIN, oldest)
    alarms = queries.with_news_from_doors(known_after=known_after, raised_after=oldest)
    changed = sum(_note(pk) for pk in list(alarms.values_list("pk", flat=True)))
    if policy.arrivals_noted_until is None or at - policy.arrivals_noted_until > NOTED_EVERY:
        AlarmPolicy.objects.filter(pk=policy.pk).update(arrivals_noted_until=at)
    return changed


def first_opening(passages: list[Passage]) -> Passage | None:
    """Return the outcome of the first opening that led into the apartment, or None."""
    opens = {
        (one.lock_id, one.epoch, one.seq)
        for one in passages
        if one.kind == "granted" and one.detail.get("command") == "open"
    }
    outcomes = (one for one in passages if one.kind == "outcome" and one.reason in OPENED)
    return next(
        (one for one in outcomes if (one.lock_id, one.epoch, one.detail.get("granted_seq")) in opens), None
    )


@transaction.atomic
def _note(alarm_id: int) -> bool:
    alarm = queries.alarm_for_update(alarm_id)
    if alarm is None:
        return False
    found = first_opening(queries.passages_of_takers(alarm))
    if found is None:
        return False  # and what was found stays: the client may live behind another door by now
    before = alarm.arrival_id
    said = _arrival(found)
    if alarm.state == Alarm.State.TAKEN:
        alarm.state = Alarm.State.ARRIVED
    for name, value in said.items():
        setattr(alarm, name, value)
    alarm.save(update_fields=[*said, "state"])
    if found.pk == before:
        return False
    record(action=ARRIVED, target=alarm, after={"arrived_at": found.happened_at.isoformat()})
    return True


def _arrival(found: Passage) -> dict[str, Any]:
    return {
        "arrival": found,
        "arrived_at": found.happened_at,
        "arrival_known_at": found.known_at,
        "arrival_uncertain": found.time_uncertain,
    }
