"""The pilot as plain data: who lives behind which gate, who owns it, who works where. No person is real.

Every number of the pilot is decided here: 11 property owners of whom one has not consented, 20 gates with
locks (two an owner) and one without, 35 clients of whom 25 have a lock on their apartment door, two teams of
one provider, and a second provider with one client behind each of the first two gates. A practice lock hangs
in the office, for everybody's staff.
"""

from dataclasses import dataclass, field

OWNERS = (
    "Lindviksbostäder AB",
    "Fastighets AB Ekbacken",
    "Brf Björken",
    "Brf Sjöutsikten",
    "Stiftelsen Åkerbo",
    "Granlunds Fastigheter AB",
    "Brf Kvarnhjulet",
    "Hamnmagasinet AB",
    "Brf Solgläntan",
    "Ängsholm Förvaltning AB",
    "Klockarens Fastighets AB",
)
CONSENTING_OWNERS = 10
STREETS = (
    "Björkgatan",
    "Ekbacken",
    "Sjövägen",
    "Kvarngatan",
    "Åkerstigen",
    "Granvägen",
    "Hjulgatan",
    "Hamngatan",
    "Solgläntan",
    "Ängsvägen",
    "Klockargatan",
)
MAIN_PROVIDER = "Hemtjänsten Lindvik"
SECOND_PROVIDER = "Omsorg i Väst AB"
TEAMS = ("Norr", "Söder")
SECOND_TEAM = "Väst"
GATES_WITH_LOCKS = 20
TWO_CLIENT_HOUSES = 13
"""The first 13 houses have two clients each, the other seven one; the house without consent has two."""
APARTMENT_LOCKS = 25
OFFICE = "Rådhusgatan 1"
"""Where the first provider's people meet in the morning, and where a practice lock hangs on the wall."""


@dataclass(frozen=True)
class Person:
    """A staff member with a sign-in; ``team`` is an index into the provider's teams."""

    username: str
    name: str
    provider: str
    team: str


STAFF = (
    Person("anna", "Anna Lind", MAIN_PROVIDER, TEAMS[0]),
    Person("bjorn", "Björn Ek", MAIN_PROVIDER, TEAMS[0]),
    Person("cecilia", "Cecilia Dahl", MAIN_PROVIDER, TEAMS[0]),
    Person("david", "David Holm", MAIN_PROVIDER, TEAMS[0]),
    Person("elif", "Elif Kaya", MAIN_PROVIDER, TEAMS[0]),
    Person("fatima", "Fatima Noor", MAIN_PROVIDER, TEAMS[1]),
    Person("gustav", "Gustav Berg", MAIN_PROVIDER, TEAMS[1]),
    Person("hanna", "Hanna Sjö", MAIN_PROVIDER, TEAMS[1]),
    Person("ibrahim", "Ibrahim Said", MAIN_PROVIDER, TEAMS[1]),
    Person("johanna", "Johanna Ström", SECOND_PROVIDER, SECOND_TEAM),
)


@dataclass(frozen=True)
class Apartment:
    """A client's door; ``alarm_code`` is all that says whose."""

    alarm_code: str
    floor: str
    number: str
    provider: str
    team: str
    has_lock: bool


@dataclass(frozen=True)
class House:
    """One property with one gate and the apartments behind it."""

    owner: str
    address: str
    designation: str
    consented: bool
    apartments: tuple[Apartment, ...] = field(default=())


def houses() -> tuple[House, ...]:
    """Return all 21 houses in a fixed order; the last one is the owner's who has not consented."""
    built = []
    client = 0
    for index in range(GATES_WITH_LOCKS + 1):
        owner = index // 2
        size = 2 if index < TWO_CLIENT_HOUSES or index == GATES_WITH_LOCKS else 1
        apartments = tuple(_apartment(index, client + place, place) for place in range(size))
        client += size
        built.append(
            House(
                owner=OWNERS[owner],
                address=f"{STREETS[owner]} {2 * (index % 2) + 3}",
                designation=f"{STREETS[owner].upper()} 1:{index + 1}",
                consented=owner < CONSENTING_OWNERS,
                apartments=apartments,
            )
        )
    return tuple(built)


def _apartment(house: int, client: int, place: int) -> Apartment:
    """Make the ``client``-th client (from 0) as number ``place`` of its house."""
    second = house < 2 and place == 1
    team = TEAMS[0] if house < GATES_WITH_LOCKS // 2 or house == GATES_WITH_LOCKS else TEAMS[1]
    return Apartment(
        alarm_code=str(4100 + client),
        floor=str(place + 1),
        number=f"{place + 1}{1 + client % 2:03d}",
        provider=SECOND_PROVIDER if second else MAIN_PROVIDER,
        team=SECOND_TEAM if second else team,
        has_lock=client < APARTMENT_LOCKS - 1 or (house == GATES_WITH_LOCKS and place == 0),
    )
