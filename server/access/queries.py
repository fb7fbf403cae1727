"""Facts for the decision function, fetched in a constant number of queries for any number of shifts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from server.access.rules import Facts
from server.care.models import CareAssignment, Consent, Shift
from server.locks.models import Binding
from server.places.models import Door, DoorPath, Property


def _grouped(rows: Iterable[Any], key: str) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, key)].append(row)
    return dict(groups)


def load_facts(team_ids: set[int], *, ended_after: datetime) -> Facts:
    """Return everything the decision needs about these teams: six queries, however many there are.

    Rows that ended before `ended_after` are history and left out; what ended later can still be named in a
    refusal.
    """
    living = Q(ends_at__isnull=True) | Q(ends_at__gt=ended_after)
    assignments = list(
        CareAssignment.objects.filter(living, team__in=team_ids).select_related("client__door").order_by("pk")
    )
    clients = {assignment.client_id: assignment.client for assignment in assignments}
    apartments = _one_door_each(assignments)
    ways = ways_to(apartments)
    shared = {door.pk: door for way in ways.values() for door in way}
    doors = {**apartments, **shared}
    properties = _properties_of(doors.values())
    consents = list(
        Consent.objects.filter(
            Q(client__in=clients)
            | Q(property__in=properties)
            | Q(owner__in={estate.owner_id for estate in properties.values()})
        )
    )
    bindings = Binding.objects.filter(living, door__in=doors).select_related("lock").order_by("pk")
    return Facts(
        assignments=_grouped(assignments, "team_id"),
        ways=ways,
        bindings=_grouped(bindings, "door_id"),
        client_consents=_grouped((row for row in consents if row.client_id), "client_id"),
        property_consents=_grouped((row for row in consents if row.property_id), "property_id"),
        owner_consents=_grouped((row for row in consents if row.owner_id), "owner_id"),
    )


def ways_to(apartment_ids: Collection[int]) -> dict[int, list[Door]]:
    """Return the doors on the way to each apartment, in order; a shared gate is one object for all."""
    paths = list(
        DoorPath.objects.filter(apartment__in=list(apartment_ids))
        .order_by("order", "pk")
        .values_list("apartment_id", "via_id")
    )
    shared = {door.pk: door for door in Door.objects.filter(pk__in={via for _, via in paths})}
    ways: dict[int, list[Door]] = defaultdict(list)
    for apartment, via in paths:
        ways[apartment].append(shared[via])
    return dict(ways)


def _properties_of(doors: Collection[Door]) -> dict[int, Property]:
    """Return the properties by id, and hang each onto its doors: one object a property, not one a door."""
    rows = Property.objects.filter(pk__in={door.property_id for door in doors})
    properties = {row.pk: row for row in rows}
    for door in doors:
        door.property = properties[door.property_id]
    return properties


def _one_door_each(assignments: Iterable[CareAssignment]) -> dict[int, Door]:
    """Return the apartments by id, the same object for everybody who lives or is cared for behind it."""
    apartments: dict[int, Door] = {}
    for assignment in assignments:
        client = assignment.client
        if client.door is not None:
            client.door = apartments.setdefault(client.door.pk, client.door)
    return apartments


def shifts_with_people(shift_ids: Iterable[int]) -> QuerySet[Shift]:
    """Return the shifts with staff member, team, provider and municipality fetched along."""
    shifts: QuerySet[Shift] = Shift.objects.filter(pk__in=list(shift_ids)).select_related(
        "staff", "team", "provider", "municipality"
    )
    return shifts


def current_shifts(*, at: datetime, until: datetime) -> QuerySet[Shift]:
    """Return shifts that run at some time in [at, until), people fetched along."""
    shifts: QuerySet[Shift] = Shift.objects.filter(
        starts_at__lt=until, ends_at__gt=at, cancelled_at__isnull=True
    ).select_related("staff", "team", "provider", "municipality")
    return shifts


def teams_behind(door: Door) -> set[int]:
    """Return ids of teams with an assignment at this door, or behind it when it lies on the way."""
    behind = Q(client__door=door) | Q(client__door__path__via=door)
    return set(CareAssignment.objects.filter(behind).values_list("team_id", flat=True))
