"""Two providers behind one gate: the world, and beside it what another provider has there."""

from __future__ import annotations

from dataclasses import dataclass

from server.care.models import Client, Consent
from server.locks.models import Binding
from server.people.models import Bearer, CareProvider, Team
from server.places.models import Door, DoorPath
from tests.server.world import World, make_bearer, make_binding, make_client, make_door, make_staff, make_team


@dataclass
class Neighbour:
    """The other provider's client, in the apartment next door."""

    provider: CareProvider
    team: Team
    bearer: Bearer
    apartment: Door
    binding: Binding
    client: Client
    consent: Consent


def share_gate(world: World, code: str = "8888", number: str = "1102") -> Neighbour:
    """Give another provider a client behind the world's gate."""
    team = make_team(world.municipality, "Privat Vård AB", f"Grupp {number}")
    apartment = make_door(world.property, Door.Kind.APARTMENT, number=number, address="Bakgatan 9")
    DoorPath.objects.create(municipality=world.municipality, apartment=apartment, via=world.gate)
    client, _assignment, consent = make_client(apartment, team, code)
    bearer = make_bearer(make_staff(team, f"Främling {number}"))
    binding = make_binding(apartment)
    return Neighbour(team.provider, team, bearer, apartment, binding, client, consent)
