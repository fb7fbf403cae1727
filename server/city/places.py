"""Owners, their houses, the gates and the apartments behind them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product

from server.city import words
from server.city.world import World
from server.places.models import Door, DoorPath, Property, PropertyOwner

LARGE_HOUSE = 8
"""At most so many clients behind one house's gates."""


@dataclass
class House:
    """A property: how many clients live there, and what lies on the way to them."""

    address: str
    clients: int
    entrances: int
    """Gates side by side; 0 = a house with nothing but the client's own door."""
    yard: bool = False
    """Whether a yard's gate lies before the entrances."""

    @property
    def gates(self) -> int:
        """All gates of the house."""
        return self.entrances + self.yard


def make_places(world: World) -> None:
    """Make owners (one large, a few middling, most with one house), houses, gates and apartments."""
    luck = world.luck.stream("places")
    owners = list(world.store.add(_owners(luck, world.size.owners)))
    houses = _houses(luck, world)
    estates = [_property(world, luck, owners, number, house) for number, house in enumerate(houses)]
    world.properties = list(world.store.add(estates))
    gates, apartments, paths = _doors(luck, list(zip(world.properties, houses, strict=True)))
    world.gates = list(world.store.add(gates))
    world.apartments = list(world.store.add(apartments))
    for apartment, way in zip(apartments, paths, strict=True):
        world.ways[apartment.pk] = way
    world.store.add(
        [
            DoorPath(apartment=apartment, via=gate, order=order)
            for apartment in apartments
            for order, gate in enumerate(world.ways[apartment.pk], start=1)
        ]
    )


def _owners(luck: random.Random, total: int) -> list[PropertyOwner]:
    owners = []
    for number in range(total):
        if number == 0:
            name = "Storstads Bostäder AB"
        elif luck.random() < 0.6:
            name = f"Brf {luck.choice(words.STREET_STARTS)}{luck.choice(words.BRF_ENDS)} {number}"
        else:
            name = f"{luck.choice(words.STREET_STARTS)} {luck.choice(words.OWNER_ENDS)} {number}"
        owners.append(
            PropertyOwner(
                name=name,
                contact_phone=f"010-{number // 100:03} {number % 100:02} 00",
                source="fastighetsregister",
                external_id=f"F{number:05}",
            )
        )
    return owners


def _streets(luck: random.Random) -> list[str]:
    streets = [start + end for start, end in product(words.STREET_STARTS, words.STREET_ENDS)]
    luck.shuffle(streets)
    return streets


def _houses(luck: random.Random, world: World) -> list[House]:
    """Spread the clients over the houses, and the gates over the houses that have any."""
    size, streets = world.size, _streets(luck)
    houses = [
        House(f"{streets[number % len(streets)]} {1 + number // len(streets)}", 1, 1)
        for number in range(size.houses)
    ]
    villas = max(0, size.houses - size.gates, round(size.houses * 0.12) if size.areas > 1 else 0)
    for house in houses[:villas]:
        house.entrances = 0
    blocks = houses[villas:]
    for _ in range(size.clients - size.houses):
        house = luck.choice(blocks)
        while house.clients >= LARGE_HOUSE:
            house = luck.choice(blocks)
        house.clients += 1
    _add_gates(luck, blocks, size.gates - len(blocks))
    luck.shuffle(houses)
    return houses


def _add_gates(luck: random.Random, blocks: list[House], missing: int) -> None:
    for house in sorted(blocks, key=lambda one: (-one.clients, luck.random())):
        if missing <= 0:
            return
        if house.clients > 1 and luck.random() < 0.5:
            house.entrances += 1
        else:
            house.yard = True
        missing -= 1


def _property(
    world: World, luck: random.Random, owners: list[PropertyOwner], number: int, house: House
) -> Property:
    """The first houses go round the owners, the rest mostly to the few large ones."""
    owner = number if number < len(owners) else min(int(luck.expovariate(1 / 3)), len(owners) - 1)
    return Property(
        owner=owners[owner],
        designation=f"{house.address.split()[0].upper()} 1:{number + 1}",
        area=world.areas[number % len(world.areas)],
        owner_since=None,  # for as long as anybody knows
        source="fastighetsregister",
        external_id=f"H{number:05}",
    )


def _doors(
    luck: random.Random, houses: list[tuple[Property, House]]
) -> tuple[list[Door], list[Door], list[list[Door]]]:
    """Return gates, apartments, and for each apartment the gates on the way to it."""
    gates: list[Door] = []
    apartments: list[Door] = []
    ways: list[list[Door]] = []
    for estate, house in houses:
        entrances = [_gate(estate, house, "ABCDEFGH"[index]) for index in range(house.entrances)]
        yard = [_gate(estate, house, "Gård")] if house.yard else []
        gates += [*yard, *entrances]
        for place in range(house.clients):
            entrance = entrances[place % len(entrances)] if entrances else None
            apartments.append(_apartment(luck, estate, house, entrance, place))
            ways.append([*yard, *([entrance] if entrance else [])])
    return gates, apartments, ways


def _gate(estate: Property, house: House, entrance: str) -> Door:
    return Door(
        property=estate,
        kind=Door.Kind.GATE,
        address=house.address,
        entrance=entrance,
        must_sign=Door.Signatory.OWNER,
        fallback_kind=Door.Fallback.CARETAKER,
        fallback_place="Portkod hos fastighetsskötaren",
        fallback_phone="010-555 01 20",
        fallback_hours="dygnet runt",
    )


def _apartment(
    luck: random.Random, estate: Property, house: House, entrance: Door | None, place: int
) -> Door:
    floor = 1 + place // 2
    recorded = luck.random() < 0.95
    return Door(
        property=estate,
        kind=Door.Kind.APARTMENT,
        address=house.address,
        entrance=entrance.entrance if entrance else "",
        floor=str(floor) if entrance else "",
        number=f"{floor}{place % 2 + 1:02}1" if entrance else "",
        must_sign=Door.Signatory.REPRESENTATIVE if luck.random() < 0.08 else Door.Signatory.RESIDENT,
        fallback_kind=Door.Fallback.RESERVE_KEY if recorded else Door.Fallback.NONE,
        fallback_place=luck.choice(words.FALLBACK_PLACES) if recorded else "",
        fallback_phone="010-555 01 12" if recorded else "",
        fallback_hours="dygnet runt" if recorded else "",
    )
