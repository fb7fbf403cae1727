"""What stands in the way of work orders, and what they need to know: constant numbers of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.access.consents import MissingConsent, missing_consents_of
from server.access.queries import ways_to
from server.care.models import Client
from server.locks.models import Binding, Lock, WorkOrder
from server.places.models import Door, DoorPath
from server.tenancy.scoping import whole_municipality

PLACING = (WorkOrder.Kind.MOUNT, WorkOrder.Kind.MOVE)
"""Orders that are done when a lock on the door has confirmed its commissioning, and not before."""


class Obstacle(StrEnum):
    """Why a lock cannot be mounted yet. Codes never change; texts may."""

    CONSENT = "consent"
    GATE_FIRST = "gate_first"
    DOOR_HAS_LOCK = "door_has_lock"

    @property
    def label(self) -> str | Promise:
        """What the person reads."""
        return _OBSTACLES[self]


_OBSTACLES: dict[Obstacle, str | Promise] = {
    Obstacle.CONSENT: _("consent is missing"),
    Obstacle.GATE_FIRST: _("a door on the way has no confirmed lock"),
    Obstacle.DOOR_HAS_LOCK: _("the door has a lock already"),
}


@dataclass(frozen=True)
class Block:
    """One obstacle, and whom or what it concerns."""

    what: Obstacle
    who: str = ""
    """The owner's name or the client's alarm code; empty when nobody with care lives behind the door."""
    signatory: str = ""
    door: Door | None = None


@dataclass
class Site:
    """What stands at the doors of some orders; loaded once for all of them."""

    missing: dict[int, list[MissingConsent]] = field(default_factory=dict)
    ways: dict[int, list[Door]] = field(default_factory=dict)
    bindings: dict[int, Binding] = field(default_factory=dict)
    """The open binding, by door id."""

    def has_confirmed_lock(self, door_id: int) -> bool:
        """Say whether a lock on the door has confirmed its commissioning."""
        binding = self.bindings.get(door_id)
        return binding is not None and binding.commissioned_at is not None

    def blocks(self, door: Door, *, lock_id: int | None = None) -> list[Block]:
        """Return what stands in the way of mounting a lock (this one, when it is to be moved here)."""
        found = [
            Block(Obstacle.CONSENT, one.who, str(Door.Signatory(one.signatory).label))
            for one in self.missing.get(door.pk, [])
        ]
        gates = (via for via in self.ways.get(door.pk, []) if not self.has_confirmed_lock(via.pk))
        found += [Block(Obstacle.GATE_FIRST, door=gate) for gate in gates]
        there = self.bindings.get(door.pk)
        # A lock that was commissioned and has not confirmed yet is this very order being carried out.
        if there is not None and there.commissioned_at is not None and there.lock_id != lock_id:
            found.append(Block(Obstacle.DOOR_HAS_LOCK))
        return found


@whole_municipality()
def load_site(doors: Iterable[Door], *, at: datetime) -> Site:
    """Return what stands at these doors and on the way to them; the whole truth, whoever asks."""
    doors = list(doors)
    ways = ways_to({door.pk for door in doors})
    concerned = {door.pk for door in doors} | {via.pk for way in ways.values() for via in way}
    rows = Binding.objects.filter(door__in=concerned, ends_at__isnull=True).select_related("lock")
    return Site(
        missing=missing_consents_of(doors, at=at),
        ways=ways,
        bindings={row.door_id: row for row in rows.defer("commission_document", "lock_record")},
    )


def blocks_of(orders: Collection[WorkOrder], *, at: datetime) -> dict[int, list[Block]]:
    """Return what blocks each open mounting or move among `orders`, by order id; the rest has no obstacles.

    The orders need their doors fetched along.
    """
    placing = [order for order in orders if order.kind in PLACING and order.is_open]
    if not placing:
        return {}
    site = load_site([order.door for order in placing], at=at)
    return {order.pk: site.blocks(order.door, lock_id=order.lock_id) for order in placing}


def locks_of(orders: Iterable[WorkOrder]) -> dict[int, Lock]:
    """Return the lock that each order is about, by order id: the one it names, else the one on the door.

    Placing a lock may be done with any, unless one is named. The orders need their locks fetched along.
    """
    orders = list(orders)
    found = {order.pk: order.lock for order in orders if order.lock is not None}
    others = [order for order in orders if order.lock is None and order.kind not in PLACING]
    if others:
        rows = Binding.objects.filter(door__in={order.door_id for order in others}, ends_at__isnull=True)
        rows = rows.select_related("lock").defer("commission_document", "lock_record")
        at_door = {row.door_id: row.lock for row in rows}
        found |= {order.pk: at_door[order.door_id] for order in others if order.door_id in at_door}
    return found


def open_orders() -> QuerySet[WorkOrder]:
    """Return orders in scope that are still to be done."""
    rows: QuerySet[WorkOrder] = WorkOrder.objects.filter(done_at__isnull=True, cancelled_at__isnull=True)
    return rows


def day_orders(*, day: date, installer_id: int | None = None) -> QuerySet[WorkOrder]:
    """Return open orders planned for `day` or earlier, one installer's or everybody's, with what is shown."""
    rows = open_orders().filter(planned_for__lte=day)
    if installer_id is not None:
        rows = rows.filter(Q(installer=installer_id) | Q(installer__isnull=True))
    return rows.select_related("door__property__owner", "lock", "installer", "deviation")


@dataclass(frozen=True)
class Stop:
    """One building's entrance on a day: the gate's work first, then the apartments behind it."""

    address: str
    orders: tuple[WorkOrder, ...]


def in_order_of_work(orders: Iterable[WorkOrder]) -> list[Stop]:
    """Return the orders by building, gates and common rooms before apartments, floor by floor."""
    stops: dict[str, list[WorkOrder]] = defaultdict(list)
    for order in orders:
        stops[f"{order.door.address} {order.door.entrance}".strip()].append(order)
    return [
        Stop(address, tuple(sorted(stops[address], key=_rank))) for address in sorted(stops, key=str.casefold)
    ]


_ORDER_OF_KINDS = {
    Door.Kind.GATE: 0,
    Door.Kind.COMMON: 1,
    Door.Kind.LAUNDRY: 1,
    Door.Kind.APARTMENT: 2,
    Door.Kind.PRACTICE: 3,
}


def _rank(order: WorkOrder) -> tuple[int, str, str, int]:
    door = order.door
    return _ORDER_OF_KINDS[Door.Kind(door.kind)], door.floor, door.number, order.pk


@dataclass(frozen=True)
class Proposal:
    """A door that could get a lock, and what stands in the way."""

    door: Door
    blocks: tuple[Block, ...]


def doors_to_mount(*, property_id: int | None = None, area: str = "") -> QuerySet[Door]:
    """Return doors without a lock or an open order: apartments where somebody lives, and doors on their way.

    And practice places, which are there for nothing but their lock. Of one property, or of an area of the
    municipality.
    """
    place = Q(property=property_id) if property_id is not None else Q(property__area=area)
    lived_in = Client.objects.filter(ended_at__isnull=True, door__isnull=False).values("door")
    on_the_way = DoorPath.objects.filter(apartment__in=lived_in).values("via")
    wanted = Q(pk__in=lived_in) | Q(pk__in=on_the_way) | Q(kind=Door.Kind.PRACTICE)
    rows: QuerySet[Door] = Door.objects.filter(place, wanted)
    mounted = Binding.objects.filter(ends_at__isnull=True).values("door")
    ordered = open_orders().filter(kind__in=PLACING).values("door")
    return rows.exclude(pk__in=mounted).exclude(pk__in=ordered).select_related("property__owner")


def proposals(doors: Iterable[Door], *, at: datetime) -> list[Proposal]:
    """Return the doors in the order of work, each with what stands in the way of its lock."""
    doors = list(doors)
    site = load_site(doors, at=at)
    ranked = sorted(
        doors,
        key=lambda door: (
            door.address.casefold(),
            door.entrance,
            _ORDER_OF_KINDS[Door.Kind(door.kind)],
            door.floor,
            door.number,
        ),
    )
    return [Proposal(door, tuple(site.blocks(door))) for door in ranked]
