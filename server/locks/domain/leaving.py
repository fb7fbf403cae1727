"""A lock leaves a door: moved on, taken down to stock, retired for good; or never arrived.

The end of a binding is cryptographic as soon as the lock takes a new one in. A lock that is only taken down
or retired keeps its old binding in its memory until it is commissioned again or destroyed, so its tokens are
revoked here and phones told: once those they hold have ended, nobody can open it with a phone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.access.models import Token
from server.audit import actions
from server.audit.domain import record
from server.locks.domain.orders import drop_orders_of, finish_orders_at
from server.locks.models import Binding, Lock, WorkOrder
from server.locks.rules import CONFIRM_WITHIN
from server.passages.domain.handling import close_all
from server.passages.models import Deviation
from server.people.models import User
from server.people.push import poke_phones
from server.places.models import Door
from server.problems import Problem
from server.tenancy.models import Municipality
from server.tenancy.scoping import whole_municipality

ENDED = actions.register("binding.ended", _("binding ended"))
REINSTATED = actions.register("binding.reinstated", _("binding taken back into use"))
REMOVED = actions.register("lock.removed", _("lock taken down"))
RETIRED = actions.register("lock.retired", _("lock retired"))
CANCELLED = actions.register("lock.commissioning_cancelled", _("commissioning cancelled"))
EXPIRED = actions.register("lock.commissioning_expired", _("commissioning never confirmed"))

_SECOND = timedelta(seconds=1)
_OF_THE_DOOR = (Deviation.Kind.DEAD_LOCK, Deviation.Kind.JAM)
_OF_THE_LOCK = (Deviation.Kind.LOW_BATTERY, Deviation.Kind.CLOCK_UNCERTAIN)


@transaction.atomic
@whole_municipality()
def end_binding(*, binding: Binding, at: datetime, actor: User | None = None) -> None:
    """End a binding: the lock leaves this door. Its tokens are of no use to anybody from now on.

    They are not revoked one by one: the lock's next binding has another id and refuses them all. What was
    wrong at this door with this lock is settled; work ordered for it is taken back.
    """
    # A binding that never lasted a second ends one second after its start: its period may not be empty.
    ends_at = max(at, binding.starts_at + _SECOND)
    Binding.objects.filter(pk=binding.pk).update(ends_at=ends_at)
    live = Token.objects.filter(binding=binding, revoked_at=None, replaced_at=None)
    poke_phones(live.filter(expires__gt=at).values_list("bearer__phone_id", flat=True).distinct())
    live.update(replaced_at=at)
    record(action=ENDED, target=binding, actor=actor, after={"ends_at": ends_at.isoformat()})
    replaced = Deviation.Resolution.REPLACED
    close_all(lock=binding.lock, kinds=_OF_THE_DOOR, resolution=replaced, at=at, actor=actor)


@transaction.atomic
@whole_municipality()
def remove_lock(*, lock: Lock, at: datetime, actor: User | None = None) -> None:
    """Take a lock down to stock: its door has none from now on, and it can be commissioned again."""
    held = hold(lock)
    if held.state != Lock.State.MOUNTED:
        raise Problem("lock_not_mounted")
    drop_orders_of(lock=held, at=at, actor=actor)
    _leave(held, at, actor)
    _set_state(held, Lock.State.REMOVED)
    record(action=REMOVED, target=held, actor=actor)


@transaction.atomic
@whole_municipality()
def retire_lock(*, lock: Lock, at: datetime, actor: User | None = None) -> None:
    """Retire a lock for good: no door, no tokens, and no commissioning ever again. Twice is harmless."""
    held = hold(lock)
    if held.state == Lock.State.RETIRED:
        return
    for binding in Binding.objects.filter(lock=held, ends_at=None):
        finish_orders_at(door_id=binding.door_id, kinds=[WorkOrder.Kind.RETIRE], at=at, actor=actor)
    drop_orders_of(lock=held, at=at, actor=actor)
    _leave(held, at, actor)
    _set_state(held, Lock.State.RETIRED)
    record(action=RETIRED, target=held, actor=actor)


def follow(*, lock: Lock, door: Door) -> None:
    """Let what is wrong with the lock itself follow it to its new door."""
    Deviation.objects.filter(lock=lock, kind__in=_OF_THE_LOCK, closed_at=None).update(door=door)


def hold(lock: Lock) -> Lock:
    """Return the lock's row, held against a commissioning at the same time."""
    held: Lock = Lock.objects.select_for_update(no_key=True).get(pk=lock.pk)
    return held


def _set_state(lock: Lock, state: str) -> None:
    lock.state = state
    lock.save(update_fields=["state"])


def _leave(lock: Lock, at: datetime, actor: User | None) -> None:
    for binding in Binding.objects.filter(lock=lock, ends_at=None).select_related("lock"):
        end_binding(binding=binding, at=at, actor=actor)
        Token.objects.filter(binding=binding, revoked_at=None, expires__gt=at).update(revoked_at=at)
    replaced = Deviation.Resolution.REPLACED
    close_all(lock=lock, kinds=_OF_THE_LOCK, resolution=replaced, at=at, actor=actor)


@transaction.atomic
@whole_municipality()
def cancel_commissioning(
    *, binding: Binding, at: datetime, actor: User | None = None, action: str = CANCELLED
) -> Binding | None:
    """Take back a commissioning that the lock has not confirmed; returns the binding in use again, if any.

    A lock that was being moved still sits at the door it came from as far as anybody knows, and still has
    that binding: it is taken into use again, unless another lock sits there by now. Had the lock taken
    the new package in after all, it refuses its old door's tokens and must be commissioned once more.
    """
    hold(binding.lock)
    pending = Binding.objects.select_related("lock").filter(pk=binding.pk).first()
    if pending is None or pending.ends_at is not None or pending.commissioned_at is not None:
        raise Problem("commissioning_not_pending")
    end_binding(binding=pending, at=at, actor=actor)
    before = _reinstate(pending, actor)
    state = Lock.State.MOUNTED if before else Lock.State.REGISTERED
    _set_state(pending.lock, state)
    record(action=action, target=pending.lock, actor=actor, after={"state": state, "door": pending.door_id})
    return before


def _reinstate(cancelled: Binding, actor: User | None) -> Binding | None:
    """Take the binding that the cancelled one replaced into use again."""
    before: Binding | None = (
        Binding.objects.filter(lock=cancelled.lock, ends_at=cancelled.starts_at)
        .exclude(pk=cancelled.pk)
        .exclude(door__bindings__ends_at__isnull=True)
        .order_by("-starts_at")
        .first()
    )
    if before is not None:
        Binding.objects.filter(pk=before.pk).update(ends_at=None)
        record(action=REINSTATED, target=before, actor=actor, before={"ends_at": str(before.ends_at)})
        before.ends_at = None
    return before


def expire_commissionings(municipality: Municipality, *, at: datetime) -> int:
    """Take back the commissionings that no lock confirmed in time; returns how many.

    Nothing is issued for an unconfirmed binding, so nobody loses a way in; a lock whose confirmation got lost
    is commissioned once more. Must run in the municipality's scope.
    """
    late = Binding.objects.filter(
        municipality=municipality,
        ends_at__isnull=True,
        commissioned_at__isnull=True,
        starts_at__lt=at - CONFIRM_WITHIN,
    )
    found = list(late.select_related("lock"))
    for binding in found:
        cancel_commissioning(binding=binding, at=at, action=EXPIRED)
    return len(found)
