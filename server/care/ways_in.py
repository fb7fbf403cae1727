"""Whose care stands without entry once a consent is withdrawn: the clients at doors whose lock goes silent.

A way in without the phone is the fallback on record at the door itself or at the client's apartment door, or
metal keys that the providers still carry. A door with another consent that holds, or without a lock, changes
nothing for anybody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from server.care.missing import cared_for, lacking_properties, own_consents
from server.care.models import Client, Consent, Visit
from server.locks.models import Binding
from server.places.models import Door
from server.tenancy.scoping import whole_municipality

MOST_SHOWN = 100


@dataclass(frozen=True)
class Stranded:
    """A client whose care would stand without entry, the doors, and when somebody is to come next."""

    client: Client
    doors: list[Door]
    next_visit: datetime | None


@dataclass(frozen=True)
class Consequences:
    """What a withdrawal does to whom."""

    doors: int
    """Doors with a lock that nobody opens by phone any more for the clients concerned."""
    clients: int
    """Clients whose care loses its entry by phone at one of them, another way in or not."""
    stranded: int
    """Those of them without another way in."""
    shown: list[Stranded]
    """The stranded that the viewer may see, the next visit first, at most `MOST_SHOWN`."""

    @property
    def others(self) -> int:
        """How many are stranded beside those shown: another provider's, or too many for a page."""
        return self.stranded - len(self.shown)


def lost_doors(consent: Consent, at: datetime) -> QuerySet[Any, Any]:
    """Return one row for each locked door that needs this very consent and each client there (`losing`)."""
    if consent.scope == Consent.Scope.CLIENT:
        return _apartment(consent, at)
    estate = Q(property=consent.property_id) if consent.property_id else Q(property__owner=consent.owner_id)
    with whole_municipality():
        doors: QuerySet[Any, Any] = Door.objects.filter(estate, must_sign=Door.Signatory.OWNER)
        lost = doors.filter(
            Exists(_open_bindings()),
            property__in=lacking_properties(at, without=consent).values("pk"),
        ).exclude(property__in=lacking_properties(at).values("pk"))
        losing = Coalesce("leads_to__apartment__clients", "clients")
        rows: QuerySet[Any, Any] = lost.annotate(losing=losing).filter(losing__in=cared_for(at).values("pk"))
    return rows


@whole_municipality()
def _apartment(consent: Consent, at: datetime) -> QuerySet[Any, Any]:
    client = cared_for(at).filter(pk__in=[consent.client_id], door__must_sign=consent.signed_by)
    losing = client.filter(~Exists(own_consents(at, without=consent)))
    doors: QuerySet[Any, Any] = Door.objects.filter(Exists(_open_bindings()), pk__in=losing.values("door"))
    rows: QuerySet[Any, Any] = doors.annotate(losing=Subquery(losing.values("pk")[:1]))
    return rows


def _open_bindings() -> QuerySet[Binding]:
    rows: QuerySet[Binding] = Binding.unscoped.filter(door=OuterRef("pk"), ends_at__isnull=True)
    return rows


@whole_municipality()
def without_way_in(consent: Consent, at: datetime) -> QuerySet[Client]:
    """Return all clients whom a withdrawal at `at` would leave with no way in, whoever looks."""
    locked = lost_doors(consent, at).filter(fallback_kind=Door.Fallback.NONE)
    clients: QuerySet[Client] = Client.objects.filter(
        pk__in=locked.values("losing"), door__fallback_kind=Door.Fallback.NONE
    )
    return clients.exclude(metal_keys=Client.MetalKeys.HANDED_OUT)


def consequences(consent: Consent, *, at: datetime) -> Consequences:
    """Return what withdrawing `consent` at `at` does; clients of other providers are only counted."""
    lost = lost_doors(consent, at)
    stranded = without_way_in(consent, at)
    upcoming = Visit.objects.filter(client=OuterRef("pk"), ends_at__gt=at, shift__cancelled_at__isnull=True)
    own = Client.objects.filter(pk__in=stranded.values("pk")).annotate(
        next_visit=Subquery(upcoming.order_by("starts_at").values("starts_at")[:1])
    )
    shown = list(
        own.order_by(F("next_visit").asc(nulls_last=True), "alarm_code").select_related("door")[:MOST_SHOWN]
    )
    doors = _doors_of(consent, at, {client.pk for client in shown})
    return Consequences(
        doors=lost.order_by().values("pk").distinct().count(),
        clients=lost.order_by().values("losing").distinct().count(),
        stranded=stranded.count(),
        shown=[Stranded(client, doors.get(client.pk, []), client.next_visit) for client in shown],
    )


def _doors_of(consent: Consent, at: datetime, clients: Iterable[int]) -> dict[int, list[Door]]:
    found: dict[int, list[Door]] = {}
    for door in lost_doors(consent, at).filter(losing__in=list(clients)):
        found.setdefault(door.losing, []).append(door)
    return found
