"""What a switch looks at, for hundreds of clients in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from server.access.models import StandingRight, Token
from server.access.queries import ways_to
from server.care.models import CareAssignment, Client, Shift, Visit
from server.locks.models import Binding
from server.people.models import Bearer, CareProvider, Team
from server.places.models import Door, DoorPath
from server.switches.models import ProviderSwitch, SwitchedClient, SwitchedDoor
from server.tenancy.models import Municipality

SETTLES_WITHIN = timedelta(days=14)
"""Keys live three days at the most; what other clients keep alive is looked at no longer than this."""


@dataclass(frozen=True)
class CareFacts:
    """The chosen clients with everything that stands about their care."""

    clients: dict[int, Client] = field(default_factory=dict)
    """By id, in the order of their alarm codes; door and property fetched along."""
    assignments: dict[int, list[CareAssignment]] = field(default_factory=dict)
    """By client id: those of the two providers that have not ended, provider and team fetched along."""
    planned: dict[int, ProviderSwitch] = field(default_factory=dict)
    """By client id: a switch decided but still to come."""


def clients_by_code(codes: Collection[str]) -> dict[str, Client]:
    """Return clients in scope by alarm code."""
    return {client.alarm_code: client for client in Client.objects.filter(alarm_code__in=codes)}


def in_care_of(provider_id: int, *, at: datetime) -> QuerySet[CareAssignment]:
    """Return a provider's assignments that have not ended by `at`."""
    rows: QuerySet[CareAssignment] = CareAssignment.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=at), provider=provider_id
    )
    return rows


def hold_clients(client_ids: Collection[int]) -> None:
    """Lock the clients' rows in a fixed order: two switches of one client follow each other."""
    rows = Client.objects.filter(pk__in=client_ids).order_by("pk").select_for_update(no_key=True)
    list(rows.values_list("pk", flat=True))


def care_facts(client_ids: Collection[int], providers: Collection[int], *, at: datetime) -> CareFacts:
    """Return the clients with the assignments of `providers` that have not ended by `at`."""
    clients = Client.objects.filter(pk__in=client_ids).select_related("door__property").order_by("alarm_code")
    assignments: dict[int, list[CareAssignment]] = defaultdict(list)
    living = CareAssignment.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=at), client__in=client_ids, provider__in=providers
    )
    for row in living.select_related("provider", "team").order_by("starts_at", "pk"):
        assignments[row.client_id].append(row)
    planned = SwitchedClient.objects.filter(
        client__in=client_ids, switch__cancelled_at__isnull=True, switch__at__gt=at
    ).select_related("switch__from_provider", "switch__to_provider")
    return CareFacts(
        clients={client.pk: client for client in clients},
        assignments=dict(assignments),
        planned={row.client_id: row.switch for row in planned},
    )


def last_switches(client_ids: Collection[int]) -> dict[int, ProviderSwitch]:
    """Return the newest switch of each client that had one, by client id."""
    rows = (
        SwitchedClient.objects.filter(client__in=client_ids, switch__cancelled_at__isnull=True)
        .select_related("switch__from_provider", "switch__to_provider", "switch__planned_by")
        .order_by("pk")
    )
    return {row.client_id: row.switch for row in rows}


@dataclass(frozen=True)
class DoorFacts:
    """The doors to the chosen clients and the locks on them."""

    ways: dict[int, list[Door]] = field(default_factory=dict)
    """Doors on the way, by apartment door id."""
    bindings: dict[int, Binding] = field(default_factory=dict)
    """The open binding, by door id."""

    def doors_of(self, client: Client) -> list[tuple[Door, bool]]:
        """Return the client's doors, outermost first, each with whether it lies on the way."""
        if client.door is None:
            return []
        return [*((door, True) for door in self.ways.get(client.door.pk, [])), (client.door, False)]


def door_facts(clients: Iterable[Client]) -> DoorFacts:
    """Return ways and open bindings of the clients' doors: three queries."""
    apartments = {client.door_id for client in clients if client.door_id is not None}
    ways = ways_to(apartments)
    doors = apartments | {door.pk for way in ways.values() for door in way}
    bindings = Binding.objects.filter(door__in=doors, ends_at__isnull=True, commissioned_at__isnull=False)
    rows = bindings.defer("commission_document", "lock_record").select_related("lock", "door")
    return DoorFacts(ways=ways, bindings={row.door_id: row for row in rows})


def tokens_at(binding_ids: Collection[int], *, expires_after: datetime) -> QuerySet[Token]:
    """Return tokens at these bindings that have not ended by themselves, without documents."""
    rows: QuerySet[Token] = Token.objects.filter(binding__in=binding_ids, expires__gt=expires_after)
    return rows.defer("document")


def rights_of_others(
    binding_ids: Collection[int], *, besides: int, at: datetime
) -> dict[tuple[int, int], list[list[int | str]]]:
    """Return what providers other than `besides` hold at bindings, by (binding id, provider id).

    One entry a person's key and duty, with its window: a key that was only signed anew is the same right.
    """
    found: dict[tuple[int, int], list[list[int | str]]] = defaultdict(list)
    rows = (
        Token.objects.filter(
            binding__in=binding_ids, expires__gt=at, revoked_at__isnull=True, replaced_at__isnull=True
        )
        .exclude(provider=besides)
        .order_by("bearer", "shift", "extra", "expires", "pk")
        .values_list("binding", "provider", "bearer", "shift", "extra", "expires")
    )
    for binding, provider, bearer, shift, extra, expires in rows:
        found[binding, provider].append([bearer, shift or 0, extra or 0, expires.isoformat()])
    return dict(found)


def shifts_of_teams(team_ids: Collection[int], *, since: datetime, until: datetime) -> QuerySet[Shift]:
    """Return the teams' shifts that run at some time in [since, until), with people."""
    rows: QuerySet[Shift] = (
        Shift.objects.filter(
            team__in=team_ids, starts_at__lt=until, ends_at__gt=since, cancelled_at__isnull=True
        )
        .select_related("staff", "team", "provider", "municipality")
        .order_by("starts_at", "pk")
    )
    return rows


def staff_with_phones(staff_ids: Collection[int]) -> set[int]:
    """Return which of these people have a key on a phone that works."""
    rows = Bearer.objects.filter(staff__in=staff_ids, revoked_at__isnull=True, phone__revoked_at__isnull=True)
    return set(rows.values_list("staff_id", flat=True))


def old_visits(client_ids: Collection[int], provider_id: int, *, after: datetime) -> dict[int, int]:
    """Return how many visits a provider still plans after an instant, by client id."""
    found: dict[int, int] = defaultdict(int)
    rows = Visit.objects.filter(
        client__in=client_ids,
        shift__provider=provider_id,
        shift__cancelled_at__isnull=True,
        ends_at__gt=after,
    )
    for client in rows.values_list("client_id", flat=True):
        found[client] += 1
    return dict(found)


def next_visits(door_ids: Collection[int], *, since: datetime) -> dict[int, datetime]:
    """Return when somebody, of whichever provider, is next planned at or behind each door."""
    behind: dict[int, set[int]] = defaultdict(set)
    for door in door_ids:
        behind[door].add(door)
    for via, apartment in DoorPath.objects.filter(via__in=door_ids).values_list("via_id", "apartment_id"):
        behind[apartment].add(via)
    soonest: dict[int, datetime] = {}
    rows = (
        Visit.objects.filter(
            client__door__in=list(behind), starts_at__gte=since, shift__cancelled_at__isnull=True
        )
        .values("client__door")
        .annotate(first=Min("starts_at"))
        .values_list("client__door", "first")
    )
    for apartment, first in rows:
        for door in behind[apartment]:
            soonest[door] = min(first, soonest.get(door, first))
    return soonest


def teams_in_areas(team_ids: Collection[int], *, at: datetime) -> set[tuple[int, str]]:
    """Return (team, area) where a team cares for somebody."""
    rows = CareAssignment.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), team__in=team_ids)
    return set(rows.order_by().values_list("team_id", "client__door__property__area").distinct())


def kept_by_care(door_ids: Collection[int], provider_id: int, *, at: datetime) -> Mapping[int, list[str]]:
    """Return alarm codes of clients the provider cares for at `at`, by the doors they lead it through."""
    holds = Q(starts_at__lte=at) & (Q(ends_at__isnull=True) | Q(ends_at__gt=at))
    rows = CareAssignment.objects.filter(holds, provider=provider_id, client__ended_at__isnull=True)
    found: dict[int, list[str]] = defaultdict(list)
    own = rows.filter(client__door__in=door_ids).values_list("client__door_id", "client__alarm_code")
    way = rows.filter(client__door__path__via__in=door_ids).values_list(
        "client__door__path__via_id", "client__alarm_code"
    )
    for door, code in [*own, *way]:
        if door in door_ids and code not in found[door]:
            found[door].append(code)
    return {door: sorted(codes) for door, codes in found.items()}


def standing_areas(provider_id: int, *, at: datetime) -> tuple[bool, set[str]]:
    """Return whether the provider has standing rights everywhere at `at`, and in which areas."""
    rows = StandingRight.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=at), starts_at__lte=at, team__provider=provider_id
    )
    everywhere, areas = False, set()
    for right in rows:
        everywhere = everywhere or right.everywhere
        areas |= set(right.areas)
    return everywhere, areas


def providers_to_choose() -> QuerySet[CareProvider]:
    """Return providers a switch can name."""
    rows: QuerySet[CareProvider] = CareProvider.objects.order_by("name")
    return rows


def teams_to_choose(provider_id: int) -> QuerySet[Team]:
    """Return a provider's teams."""
    rows: QuerySet[Team] = Team.objects.filter(provider=provider_id).order_by("name")
    return rows


def areas_with_clients() -> list[str]:
    """Return the areas in which somebody lives behind a door."""
    rows = Client.objects.exclude(door__isnull=True).annotate(area=F("door__property__area"))
    return sorted(set(rows.order_by().values_list("area", flat=True).distinct()) - {""})


def not_renewed() -> QuerySet[ProviderSwitch]:
    """Return switches in scope whose keys have not been cut and issued yet."""
    rows: QuerySet[ProviderSwitch] = ProviderSwitch.objects.filter(issued_at__isnull=True)
    return rows.select_related("municipality").order_by("pk")


def not_settled(*, at: datetime) -> QuerySet[ProviderSwitch]:
    """Return switches that have taken place, lately, with doors where no last death is on record."""
    open_doors = SwitchedDoor.objects.filter(switched__switch=OuterRef("pk"), cause="")
    rows: QuerySet[ProviderSwitch] = ProviderSwitch.objects.filter(
        Exists(open_doors), cancelled_at__isnull=True, at__lte=at, at__gt=at - SETTLES_WITHIN
    )
    return rows.order_by("pk")


def municipalities_with_work(*, at: datetime) -> QuerySet[Municipality]:
    """Return municipalities with switches to renew or to settle."""
    open_doors = SwitchedDoor.unscoped.filter(switched__switch=OuterRef("pk"), cause="")
    rows = ProviderSwitch.unscoped.filter(
        Q(issued_at__isnull=True)
        | Q(Exists(open_doors), cancelled_at__isnull=True, at__lte=at, at__gt=at - SETTLES_WITHIN)
    )
    return Municipality.objects.filter(pk__in=rows.values("municipality"))


def doors_of_switch(switch: ProviderSwitch) -> QuerySet[SwitchedDoor]:
    """Return the doors of a switch with client, door and binding, in the clients' order."""
    rows: QuerySet[SwitchedDoor] = SwitchedDoor.objects.filter(switched__switch=switch)
    return (
        rows.select_related("switched__client", "switched__to_team", "door__property", "binding__lock")
        .defer("binding__commission_document", "binding__lock_record", "switched__before")
        .order_by("switched__client__alarm_code", "-on_the_way", "pk")
    )
