"""Facts for the decision function, fetched in a constant number of queries for any number of shifts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from server.access.duties import Duty
from server.access.models import ExtraRight, StandingRight
from server.access.rules import FactChanges, Facts
from server.care.models import CareAssignment, Client, Consent, Shift
from server.locks.models import Binding
from server.passages.models import Passage
from server.places.models import Door, DoorPath, Property


def _grouped(rows: Iterable[Any], key: str) -> dict[int, list[Any]]:
    groups: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        groups[getattr(row, key)].append(row)
    return dict(groups)


def load_facts(
    duties: Collection[Duty],
    *,
    ended_after: datetime,
    changes: FactChanges | None = None,
    behind: Door | None = None,
) -> Facts:
    """Return everything the decision needs about these duties: eight queries at most, however many there are,
    and one more when somebody practises.

    Rows that ended before `ended_after` are history and left out; what ended later can still be named in a
    refusal. `behind`: only what says something about this door, that is everybody who is reached through it.
    """
    living = Q(ends_at__isnull=True) | Q(ends_at__gt=ended_after)
    team_ids = {duty.team_id for duty in duties if duty.team_id is not None}
    named = {
        duty.client.pk: duty.client
        for duty in duties
        if isinstance(duty, ExtraRight) and duty.client is not None
    }
    reached = Q() if behind is None else Q(client__in=_clients_behind(behind))
    assignments = _assignments(living & reached, team_ids, set(named), changes)
    standing = list(StandingRight.objects.filter(living, team__in=team_ids).order_by("pk"))
    residents = _residents(standing, living, ended_after, behind) if standing else []
    clients = [*(assignment.client for assignment in assignments), *named.values(), *residents]
    apartments = _one_door_each(clients)
    ways = ways_to(apartments)
    doors = {**apartments, **{door.pk: door for way in ways.values() for door in way}}
    practice = _practice_places(duties)
    doors.update({door.pk: door for door in practice})
    properties = _properties_of(doors.values())
    consents = list(
        Consent.objects.filter(
            Q(client__in={client.pk for client in clients})
            | Q(property__in=properties)
            | Q(owner__in={estate.owner_id for estate in properties.values()})
        )
    )
    bindings = _without_papers(Binding.objects.filter(living, door__in=doors))
    return Facts(
        assignments=_grouped(assignments, "team_id"),
        assignments_of_client=_grouped(assignments, "client_id") if named else {},
        standing=_grouped(standing, "team_id"),
        residents=_by_area(residents),
        ways=ways,
        bindings=_grouped(bindings, "door_id"),
        client_consents=_grouped((row for row in consents if row.client_id), "client_id"),
        property_consents=_grouped((row for row in consents if row.property_id), "property_id"),
        owner_consents=_grouped((row for row in consents if row.owner_id), "owner_id"),
        practice=practice,
    )


def _practice_places(duties: Collection[Duty]) -> list[Door]:
    kinds = {duty.kind for duty in duties if isinstance(duty, ExtraRight)}
    if ExtraRight.Kind.PRACTICE not in kinds:
        return []
    return list(Door.objects.filter(kind=Door.Kind.PRACTICE).order_by("pk"))


def _assignments(
    living: Q, team_ids: set[int], client_ids: set[int], changes: FactChanges | None
) -> list[CareAssignment]:
    """Return the assignments of these teams and clients, as they are or as they would be."""
    concerned = Q(team__in=team_ids)
    if client_ids:
        concerned |= Q(client__in=client_ids)
    found = list(
        CareAssignment.objects.filter(living, concerned).select_related("client__door").order_by("pk")
    )
    if changes is None:
        return found
    for assignment in found:
        assignment.ends_at = changes.ends.get(assignment.pk, assignment.ends_at)
    return found + [row for row in changes.added if row.team_id in team_ids or row.client_id in client_ids]


def _clients_behind(door: Door) -> set[int]:
    """Return who lives at a door, or behind it when it lies on the way."""
    there = Client.objects.filter(Q(door=door) | Q(door__path__via=door))
    return set(there.order_by().values_list("pk", flat=True))


def _residents(
    standing: Iterable[StandingRight], living: Q, ended_after: datetime, door: Door | None
) -> list[Client]:
    """Return everybody in the areas behind whose doors a lock sits."""
    areas = {area for right in standing for area in right.areas}
    # Sub-queries that stand by themselves: correlated ones would look at every lock for every client.
    locked = Binding.objects.filter(living).order_by().values("door")
    beyond = DoorPath.objects.filter(via__in=locked).order_by().values("apartment")
    clients = Client.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=ended_after), Q(door__in=locked) | Q(door__in=beyond)
    )
    if door is not None:
        clients = clients.filter(pk__in=_clients_behind(door))
    if not any(right.everywhere for right in standing):
        clients = clients.filter(door__property__area__in=areas)
    return list(clients.select_related("door").order_by("pk"))


def _by_area(residents: Iterable[Client]) -> dict[str, list[Client]]:
    areas: dict[str, list[Client]] = defaultdict(list)
    for client in residents:
        if client.door is not None:
            areas[client.door.property.area].append(client)
    return dict(areas)


def _without_papers(bindings: QuerySet[Binding]) -> QuerySet[Binding]:
    """Return the bindings with their locks; signed documents along would be half a megabyte a team."""
    return (
        bindings.select_related("lock")
        .defer("commission_document", "lock_record", "sealed_adv_key", "sealed_adv_key_next")
        .order_by("pk")
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


def _one_door_each(clients: Iterable[Client]) -> dict[int, Door]:
    """Return the apartments by id, the same object for everybody who lives or is cared for behind it."""
    apartments: dict[int, Door] = {}
    for client in clients:
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


def extras_with_people() -> QuerySet[ExtraRight]:
    """Return rights beside the plan in scope with all that the decision reads of them."""
    rights: QuerySet[ExtraRight] = ExtraRight.objects.select_related(
        "staff", "team", "provider", "municipality", "client__door"
    )
    return rights


def current_extras(*, at: datetime, until: datetime) -> QuerySet[ExtraRight]:
    """Return rights beside the plan that run at some time in [at, until), people fetched along."""
    return extras_with_people().filter(starts_at__lt=until, ends_at__gt=at, withdrawn_at__isnull=True)


def duties_behind(door: Door, *, at: datetime, until: datetime) -> list[Duty]:
    """Return the duties in [at, until) that have to do with a door, or with one it lies on the way to.

    Those are the shifts of teams with an assignment or a standing right there, and rights beside the plan.
    """
    behind = Q(client__door=door) | Q(client__door__path__via=door)
    teams = set(CareAssignment.objects.filter(behind).values_list("team_id", flat=True))
    standing = StandingRight.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), starts_at__lt=until)
    patrols = {right.team_id for right in standing if right.everywhere or door.property.area in right.areas}
    shifts = current_shifts(at=at, until=until).filter(team__in=teams | patrols)
    concerned = Q(team__in=teams) | behind
    if door.kind == Door.Kind.PRACTICE:
        concerned |= Q(kind=ExtraRight.Kind.PRACTICE)
    extras = current_extras(at=at, until=until).filter(concerned).distinct()
    return [*shifts, *extras]


def around_clients(client_ids: Collection[int]) -> tuple[set[int], set[int]]:
    """Return which teams' duties concern these clients, and the bindings at their doors and on the way."""
    at_home = Client.objects.filter(pk__in=client_ids, door__isnull=False)
    doors = set(at_home.values_list("door_id", flat=True))
    areas = set(Property.objects.filter(doors__in=doors).values_list("area", flat=True))
    doors |= set(DoorPath.objects.filter(apartment__in=doors).values_list("via_id", flat=True))
    bindings = set(Binding.objects.filter(door__in=doors, ends_at__isnull=True).values_list("pk", flat=True))
    teams = set(CareAssignment.objects.filter(client__in=client_ids).values_list("team_id", flat=True))
    standing = StandingRight.objects.all()
    teams |= {right.team_id for right in standing if right.everywhere or areas.intersection(right.areas)}
    return teams, bindings


def running_extras(*, at: datetime) -> QuerySet[ExtraRight]:
    """Return rights beside the plan that run now or are to come, what ends first on top; practice is none."""
    return (
        extras_with_people()
        .select_related("given_by")
        .filter(ends_at__gt=at, withdrawn_at__isnull=True)
        .exclude(kind=ExtraRight.Kind.PRACTICE)
        .order_by("ends_at", "pk")
    )


def unreviewed() -> QuerySet[ExtraRight]:
    """Return emergency rights that nobody has looked at, the oldest first, with how often each opened."""
    opened = (
        Passage.objects.filter(token__extra=OuterRef("pk"), kind="granted")
        .order_by()
        .values("token__extra")
        .annotate(times=Count("pk"))
        .values("times")
    )
    waiting = ExtraRight.objects.filter(kind=ExtraRight.Kind.BREAK_GLASS, reviewed_at__isnull=True)
    waiting = waiting.select_related("staff", "client__door").annotate(opened=Subquery(opened))
    rows: QuerySet[ExtraRight] = waiting.order_by("starts_at", "pk")
    return rows
