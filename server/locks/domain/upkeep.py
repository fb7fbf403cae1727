"""The sweep that keeps deviations and orders true: what is dead, what came back, what never was confirmed.

Everything in it is worked out from the database as it stands, so it may run twice, late, or in two workers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from server.locks.domain.leaving import expire_commissionings
from server.locks.domain.orders import order_for, settle_placings
from server.locks.domain.service import forget_service_rights
from server.locks.evidence import is_enough, visits_that_passed
from server.locks.list_queries import suspects
from server.locks.models import Binding, WorkOrder
from server.locks.order_queries import open_orders
from server.passages.domain.handling import report, settle_by_themselves
from server.passages.models import Deviation
from server.tenancy.models import Municipality

CHUNK = 200
LOOK_BACK = timedelta(days=14)
"""Older visits say nothing about whether a lock is dead now."""

NEWS_ARRIVES_WITHIN = timedelta(hours=12)
"""A phone may carry the log of today's visit until its shift ends: only visits older than this count."""


def keep_up(municipality: Municipality, *, at: datetime) -> int:
    """Do what is due in one municipality; returns how many things. Must run in its scope."""
    return (
        settle_by_themselves(at=at)
        + settle_placings(at=at)
        + expire_commissionings(municipality, at=at)
        + call_dead(at=at, days=settings.LOCK_DEAD_AFTER_DAYS)
        + order_repairs(at=at)
        + forget_service_rights(at=at)
    )


def call_dead(*, at: datetime, days: int) -> int:
    """Open a deviation, with its work order, for every silent lock that somebody has stood at in vain."""
    found = suspects(at=at, days=days).select_related("door")
    bindings = list(found.defer("commission_document", "lock_record"))
    return sum(_call(bindings[start : start + CHUNK], at) for start in range(0, len(bindings), CHUNK))


def _call(bindings: Sequence[Binding], at: datetime) -> int:
    until = at - NEWS_ARRIVES_WITHIN
    witnessed = visits_that_passed([one.door_id for one in bindings], since=at - LOOK_BACK, until=until)
    called = 0
    for binding in bindings:
        heard = getattr(binding, "heard", None) or binding.starts_at
        if is_enough([moment for moment in witnessed[binding.door_id] if moment > heard]):
            report(kind=Deviation.Kind.DEAD_LOCK, door=binding.door, at=at, source="silent_though_visited")
            called += 1
    return called


@transaction.atomic
def order_repairs(*, at: datetime) -> int:
    """Make the work orders of dead locks that have none yet: a lock's own log may have told of a fault."""
    ordered = open_orders().filter(kind=WorkOrder.Kind.REPAIR).values("door")
    without = Deviation.objects.filter(
        kind=Deviation.Kind.DEAD_LOCK, closed_at__isnull=True, door__isnull=False, work_orders__isnull=True
    ).exclude(door__in=ordered)
    made = 0
    for deviation in without.select_related("door", "lock")[:CHUNK]:
        made += order_for(deviation=deviation, at=at).deviation_id == deviation.pk
    return made
