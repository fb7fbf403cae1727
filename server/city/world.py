"""What the parts of the generator hand on to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from server.care.models import Client, Shift
from server.city.luck import Luck
from server.city.size import Size
from server.city.store import Store
from server.locks.models import Binding
from server.people.models import Bearer, CareProvider, StaffMember, Team
from server.places.models import Door, Property
from server.tenancy.models import Municipality

LONG_AGO = timedelta(days=200)
"""How long before "now" the municipality began."""


@dataclass
class World:
    """A municipality in the making."""

    municipality: Municipality
    size: Size
    luck: Luck
    store: Store
    at: datetime
    """The instant that counts as now."""
    morning: datetime
    """When today's day shifts begin."""
    areas: list[str] = field(default_factory=list)
    providers: list[CareProvider] = field(default_factory=list)
    teams_by_area: dict[str, list[Team]] = field(default_factory=dict)
    night_team: Team | None = None
    team_members: dict[int, list[StaffMember]] = field(default_factory=dict)
    """By team id: who works there."""
    bearers: dict[int, Bearer] = field(default_factory=dict)
    """By staff id."""
    properties: list[Property] = field(default_factory=list)
    apartments: list[Door] = field(default_factory=list)
    ways: dict[int, list[Door]] = field(default_factory=dict)
    """Gates on the way, by apartment id."""
    gates: list[Door] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    team_of: dict[int, Team] = field(default_factory=dict)
    """The team that a client's care is with now, by client id."""
    unconsented: set[int] = field(default_factory=set)
    """Doors that nobody may mount a lock on."""
    shifts: list[Shift] = field(default_factory=list)
    bindings: dict[int, Binding] = field(default_factory=dict)
    """By door id."""

    @property
    def began(self) -> datetime:
        """When the municipality began."""
        return self.at - LONG_AGO
