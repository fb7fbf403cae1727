"""Clients, who cares for them, who has consented, and the plan around now."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from server.access.models import StandingRight
from server.care.models import CareAssignment, Client, Consent, Shift, Visit
from server.city.world import World
from server.people.models import CareProvider, StaffMember, Team
from server.places.models import Door, Property

TWO_PROVIDERS = 0.08
SWITCHED_BEFORE = 0.06
SWITCHES_SOON = 0.005
PAUSED, ENDED = 0.01, 0.01
NO_CLIENT_CONSENT, NO_OWNER_CONSENT, WITHDRAWN = 0.02, 0.015, 0.005
BLOCKED_CLIENTS = 10

DAYS = (-2, -1, 0, 1)
WORKS_A_DAY = 0.45
WAVES = (
    # share of those who work, hours after the morning, hours long
    (0.60, 0, 9),
    (0.40, 8, 7),
)
NIGHT = (14, 10)
VISITS_A_SHIFT = 9
VISIT = timedelta(minutes=25)
BETWEEN = timedelta(minutes=45)


def make_clients(world: World) -> None:
    """Make a client behind every apartment door, cared for by a team of the area."""
    luck = world.luck.stream("care")
    codes = luck.sample(range(10_000, 10_000 + 5 * world.size.clients), world.size.clients)
    clients = [_client(world, luck, door, code) for door, code in zip(world.apartments, codes, strict=True)]
    world.clients = list(world.store.add(clients))
    assignments: list[CareAssignment] = []
    for client in world.clients:
        assert client.door is not None  # noqa: S101  made with one just now
        here = world.teams_by_area[client.door.property.area]
        team = luck.choices(here, [_weight(one) for one in here])[0]
        world.team_of[client.pk] = team
        assignments += _assignments(world, luck, client, team, here)
    world.store.add(assignments)


def _client(world: World, luck: random.Random, door: Door, code: int) -> Client:
    chance = luck.random()
    away = world.at - timedelta(days=luck.randint(1, 12))
    return Client(
        alarm_code=str(code),
        door=door,
        paused_at=away if chance < PAUSED else None,
        ended_at=away if PAUSED <= chance < PAUSED + ENDED else None,
        source="omsorgssystem",
        external_id=f"K{code}",
    )


def _weight(team: Team) -> float:
    return 2.0 if team.provider.kind == CareProvider.Kind.MUNICIPAL else 1.0


def _assignments(
    world: World, luck: random.Random, client: Client, team: Team, here: Sequence[Team]
) -> list[CareAssignment]:
    """Return the client's care: one provider, often one before, sometimes two at once or a switch ahead."""
    begins = world.began + timedelta(days=luck.randint(0, 60))
    others = [one for one in here if one.provider_id != team.provider_id]
    main = CareAssignment(client=client, provider=team.provider, team=team, starts_at=begins)
    found = [main]
    if not others:
        return found
    other, chance = luck.choice(others), luck.random()
    beside = CareAssignment(client=client, provider=other.provider, team=other, starts_at=begins)
    if chance < TWO_PROVIDERS:
        found.append(beside)
    elif chance < TWO_PROVIDERS + SWITCHED_BEFORE:
        main.starts_at = beside.ends_at = world.at - timedelta(days=luck.randint(2, 90))
        beside.starts_at = main.starts_at - timedelta(days=90)
        found.insert(0, beside)
    elif chance < TWO_PROVIDERS + SWITCHED_BEFORE + SWITCHES_SOON:
        main.ends_at = beside.starts_at = world.at + timedelta(days=luck.randint(1, 14))
        found.append(beside)
    return found


def make_consents(world: World) -> None:
    """Let most sign. Some clients have not, some owners have not, and one owner blocks ten clients."""
    luck = world.luck.stream("consents")
    consents: list[Consent] = []
    for client in world.clients:
        assert client.door is not None  # noqa: S101  made with one
        chance = luck.random()
        if chance < NO_CLIENT_CONSENT:
            world.unconsented.add(client.door_id or 0)
            continue
        withdrawn = chance < NO_CLIENT_CONSENT + WITHDRAWN
        consents.append(_consent(world, luck, client.door.must_sign, client=client, withdrawn=withdrawn))
    consents += _owners_consents(world, luck)
    world.store.add(consents)


def _owners_consents(world: World, luck: random.Random) -> list[Consent]:
    estates: dict[int, list[Property]] = defaultdict(list)
    for estate in world.properties:
        estates[estate.owner_id].append(estate)
    refusing = _refusing(world, luck, estates)
    world.unconsented |= {gate.pk for gate in world.gates if gate.property.owner_id in refusing}
    signed = Door.Signatory.OWNER
    consents = []
    for owner, owned in estates.items():
        if owner in refusing:
            continue
        if len(owned) > 1 or luck.random() < 0.1:
            consents.append(
                _consent(world, luck, signed, owner=owned[0].owner, covers_later=luck.random() < 0.7)
            )
        else:
            consents += [_consent(world, luck, signed, property=estate) for estate in owned]
    return consents


def _refusing(world: World, luck: random.Random, estates: dict[int, list[Property]]) -> set[int]:
    """Return owners who have not signed; one of them has (at least) ten clients behind its gates."""
    behind: dict[int, int] = defaultdict(int)
    for client in world.clients:
        assert client.door is not None  # noqa: S101  made with one
        behind[client.door.property.owner_id] += bool(world.ways[client.door.pk])
    refusing = {owner for owner in estates if luck.random() < NO_OWNER_CONSENT}
    large = [owner for owner, clients in behind.items() if clients >= BLOCKED_CLIENTS]
    return refusing | ({min(large, key=lambda owner: behind[owner])} if len(large) > 1 else set())


def _consent(
    world: World, luck: random.Random, signed_by: str, *, withdrawn: bool = False, **covers: object
) -> Consent:
    scopes = {"client": Consent.Scope.CLIENT, "property": Consent.Scope.PROPERTY}
    valid_from = world.began + timedelta(days=luck.randint(0, 40))
    return Consent(
        scope=scopes.get(next(iter(covers)), Consent.Scope.PORTFOLIO),
        signed_by=signed_by,
        signed_on=valid_from.date(),
        valid_from=valid_from,
        withdrawn_at=world.at - timedelta(days=luck.randint(1, 30)) if withdrawn else None,
        **covers,
    )


def make_plan(world: World) -> None:
    """Make shifts from the day before yesterday to tomorrow, visits in them, and the night patrol's right."""
    luck = world.luck.stream("plan")
    for day in DAYS:
        morning = world.morning + timedelta(days=day)
        for area in world.areas:
            for team in world.teams_by_area[area]:
                world.shifts += _day(world, luck, team, morning)
        if world.night_team is not None:
            members = world.team_members[world.night_team.pk]
            working = luck.sample(members, -(-len(members) // 3))
            world.shifts += [_shift(world.night_team, one, morning, *NIGHT) for one in working]
    if world.night_team is not None:
        areas = world.areas[: world.size.night_areas]
        world.store.add([StandingRight(team=world.night_team, areas=areas, starts_at=world.began)])
    world.store.add(world.shifts)
    world.store.add(_visits(world, luck))


def _day(world: World, luck: random.Random, team: Team, morning: datetime) -> list[Shift]:
    members = world.team_members.get(team.pk, [])
    working = luck.sample(members, round(len(members) * WORKS_A_DAY)) or members[:1]
    shifts, begin = [], 0
    for share, hours, length in WAVES:
        count = max(1, round(len(working) * share))
        shifts += [_shift(team, one, morning, hours, length) for one in working[begin : begin + count]]
        begin += count
    return shifts


def _shift(team: Team, member: StaffMember, morning: datetime, hours: int, length: int) -> Shift:
    starts_at = morning + timedelta(hours=hours)
    return Shift(
        staff=member,
        provider=team.provider,
        team=team,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=length),
        source="planering",
        external_id=f"S{member.pk}-{starts_at:%Y%m%d%H}",
    )


def _visits(world: World, luck: random.Random) -> list[Visit]:
    """Return a round through the team's clients for every shift that is not a night's."""
    clients: dict[int, list[Client]] = defaultdict(list)
    for client in world.clients:
        clients[world.team_of[client.pk].pk].append(client)
    visits = []
    for shift in world.shifts:
        own = clients.get(shift.team_id, [])
        for order, client in enumerate(luck.sample(own, min(VISITS_A_SHIFT, len(own)))):
            begins = shift.starts_at + timedelta(minutes=15) + order * BETWEEN
            visits.append(
                Visit(shift=shift, client=client, starts_at=begins, ends_at=begins + VISIT, order=order)
            )
    return visits
