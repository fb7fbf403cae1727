"""Providers and their teams, staff, the phones they carry and the keys on them."""

from __future__ import annotations

import random
from datetime import timedelta

from django.utils.text import slugify

from protocol.keys import HolderKey, KeyType, x25519_public
from server.city import words
from server.city.luck import share_out
from server.city.world import World
from server.people.domain.enrolment import hash_device_token
from server.people.models import Bearer, CareProvider, Phone, PhoneContact, StaffMember, Team, User

NIGHT_TEAM = "Nattpatrullen"
NIGHT_STAFF_SHARE = 0.006
"""Of all staff: about forty in a city, of whom a dozen drive each night."""
MUNICIPAL_SHARE = 5.0
"""How many times a private provider's clients a municipal one has in an area."""
PRIVATE_IN_AN_AREA = 5
PEOPLE_ON_A_POOL_PHONE = 4
POOL_SHARE = 0.08
LOST_SHARE = 0.005
LEAVING_SHARE = 0.03
NO_PASSWORD = "!"  # noqa: S105  Django's mark: no password is right


def make_providers(world: World) -> None:
    """Make providers, each at home in a few areas, and a team for each of its parts there."""
    luck, size = world.luck.stream("providers"), world.size
    world.areas = list(words.AREAS[: size.areas])
    names = _provider_names(luck, size.providers, size.municipal_providers)
    world.providers = list(
        world.store.add(
            [
                CareProvider(
                    name=name,
                    kind=CareProvider.Kind.MUNICIPAL
                    if number < size.municipal_providers
                    else CareProvider.Kind.PRIVATE,
                    source="upphandling",
                    external_id=f"U{number:03}",
                )
                for number, name in enumerate(names)
            ]
        )
    )
    at_home = _areas_of_providers(world, luck)
    teams: list[Team] = []
    for area in world.areas:
        here = [provider for provider in world.providers if area in at_home[provider.pk]]
        parts = share_out(round(size.clients / size.areas), [_weight(one) for one in here])
        world.teams_by_area[area] = []
        for provider, clients in zip(here, parts, strict=True):
            count = max(1, -(-clients // size.clients_in_a_team))
            made = [
                Team(provider=provider, name=f"{area} {number + 1}" if count > 1 else area)
                for number in range(count)
            ]
            world.teams_by_area[area] += made
            teams += made
    if size.night_areas:
        world.night_team = Team(provider=world.providers[0], name=NIGHT_TEAM)
        teams.append(world.night_team)
    world.store.add(teams)


def _provider_names(luck: random.Random, count: int, municipal: int) -> list[str]:
    names = [f"Hemtjänsten {area}" for area in words.AREAS[:municipal]]
    private = [f"{start} {end}" for start in words.COMPANY_STARTS for end in words.COMPANY_ENDS]
    luck.shuffle(private)
    return names + private[: count - municipal]


def _weight(provider: CareProvider) -> float:
    return MUNICIPAL_SHARE if provider.kind == CareProvider.Kind.MUNICIPAL else 1.0


def _areas_of_providers(world: World, luck: random.Random) -> dict[int, set[str]]:
    """Share the areas out: every area one municipal provider and about five private ones, none without."""
    municipal = [one for one in world.providers if one.kind == CareProvider.Kind.MUNICIPAL]
    private = [one for one in world.providers if one.kind == CareProvider.Kind.PRIVATE]
    found: dict[int, set[str]] = {one.pk: set() for one in world.providers}
    for number, area in enumerate(world.areas):
        found[municipal[number % len(municipal)].pk].add(area)
        for provider in luck.sample(private, min(len(private), PRIVATE_IN_AN_AREA)):
            found[provider.pk].add(area)
    for provider in private:
        if not found[provider.pk]:
            found[provider.pk].add(luck.choice(world.areas))
    return found


def make_staff(world: World) -> None:
    """Make staff with sign-ins for the phone, spread over the teams as the clients are."""
    luck, size = world.luck.stream("staff"), world.size
    teams = [team for area in world.areas for team in world.teams_by_area[area]]
    night = 0 if world.night_team is None else max(2, round(size.staff * NIGHT_STAFF_SHARE))
    parts = share_out(size.staff - night, [_weight(team.provider) for team in teams])
    posts = [team for team, count in zip(teams, parts, strict=True) for _ in range(count)]
    if world.night_team is not None:
        posts += [world.night_team] * night
    names = [f"{luck.choice(words.FIRST_NAMES)} {luck.choice(words.LAST_NAMES)}" for _post in posts]
    users = User.objects.bulk_create(
        [
            User(
                username=f"{world.municipality.slug}.{slugify(name).replace('-', '.')}.{number:04}",
                password=NO_PASSWORD,
                municipality=world.municipality,
            )
            for number, name in enumerate(names)
        ],
        batch_size=500,
    )
    staff = [
        _person(world, luck, number, StaffMember(provider=team.provider, name=name, user=user))
        for number, (team, name, user) in enumerate(zip(posts, names, users, strict=True))
    ]
    world.store.add(staff)
    for member, team in zip(staff, posts, strict=True):
        world.team_members.setdefault(team.pk, []).append(member)


def _person(world: World, luck: random.Random, number: int, member: StaffMember) -> StaffMember:
    member.employed_from = (world.at - timedelta(days=luck.randint(20, 3000))).date()
    if luck.random() < LEAVING_SHARE:
        member.employed_to = (world.at + timedelta(days=luck.randint(-15, 40))).date()
    member.source, member.external_id = "personalsystem", f"P{number:05}"
    return member


def make_phones(world: World) -> None:
    """Give everybody a phone of their own, or a place on a pool phone; some phones were lost."""
    luck = world.luck.stream("phones")
    members = [member for team in world.team_members.values() for member in team]
    carriers: list[tuple[StaffMember, Phone]] = []
    phones: list[Phone] = []
    pools: dict[int, tuple[Phone, int]] = {}
    for member in members:
        in_pool = luck.random() < POOL_SHARE
        pool, places = pools.get(member.provider_id, (None, 0))
        if in_pool and pool is not None and places:
            phone = pool
        else:
            phone, places = _phone(world, luck, len(phones), pool=in_pool), PEOPLE_ON_A_POOL_PHONE
            phones.append(phone)
        if in_pool:
            pools[member.provider_id] = phone, places - 1
        carriers.append((member, phone))
    world.store.add(phones)
    bearers = [_bearer(world, number, *one) for number, one in enumerate(carriers)]
    world.store.add(bearers)
    world.bearers = {bearer.staff_id: bearer for bearer in bearers}
    world.store.add([_contact(world, luck, phone) for phone in phones])


def _phone(world: World, luck: random.Random, number: int, *, pool: bool) -> Phone:
    lost = luck.random() < LOST_SHARE
    return Phone(
        label=f"{'Pool' if pool else 'Telefon'} {number + 1:04}",
        device_token_hash=hash_device_token(world.luck.device_token(number)),
        is_pool=pool,
        model=luck.choice(words.PHONE_MODELS),
        app_version=luck.choice(("1.0.0", "1.0.0", "1.0.1")),
        revoked_at=world.at - timedelta(hours=luck.randint(1, 900)) if lost else None,
    )


def _bearer(world: World, number: int, member: StaffMember, phone: Phone) -> Bearer:
    holder = HolderKey(KeyType.X25519, x25519_public(world.luck.octets("bearer", number)))
    return Bearer(
        staff=member,
        phone=phone,
        key_type=int(holder.key_type),
        public_key=holder.public,
        fingerprint=holder.fingerprint,
        revoked_at=phone.revoked_at,
    )


def _contact(world: World, luck: random.Random, phone: Phone) -> PhoneContact:
    seen = world.at - timedelta(minutes=int(luck.expovariate(1 / 300)))
    return PhoneContact(
        phone=phone, last_seen_at=seen, last_sync_at=seen, last_logs_at=seen - timedelta(minutes=1)
    )
