"""Batteries: an installer changes them, and the lock's own log shows whether and when that was so."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.locks.domain.orders import finish_orders_at
from server.locks.models import Binding, Lock, LockStatus, WorkOrder
from server.people.models import User
from server.problems import Problem
from server.tenancy.scoping import whole_municipality

CHANGED = actions.register("lock.battery_changed", _("batteries changed"))


@transaction.atomic
@whole_municipality()
def battery_changed(*, lock: Lock, at: datetime, actor: User | None = None) -> LockStatus:
    """Note that somebody changed a lock's batteries: its clock is lost until a phone brings fresh time.

    The level is unknown until the lock tells it, so the last one is taken away rather than guessed anew.
    A low battery's deviation stays open until the lock itself reads high. Raises `Problem` lock_retired.
    """
    if lock.state == Lock.State.RETIRED:
        raise Problem("lock_retired")
    LockStatus.objects.get_or_create(lock=lock, defaults={"municipality_id": lock.municipality_id})
    status: LockStatus = LockStatus.objects.select_for_update(no_key=True).get(lock=lock)
    before = {"battery_percent": status.battery_percent, "boot": status.boot}
    status.battery_percent = status.battery_at = None
    status.battery_changed_at, status.battery_changed_boot = at, status.boot or 0
    status.clock_uncertain = True
    status.save(
        update_fields=[
            "battery_percent",
            "battery_at",
            "battery_changed_at",
            "battery_changed_boot",
            "clock_uncertain",
        ]
    )
    record(action=CHANGED, target=lock, actor=actor, before=before, after={"at": at.isoformat()})
    for binding in Binding.objects.filter(lock=lock, ends_at=None):
        finish_orders_at(door_id=binding.door_id, kinds=[WorkOrder.Kind.BATTERY], at=at, actor=actor)
    return status
