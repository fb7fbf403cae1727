"""How large a made-up municipality is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """The numbers that everything else follows from."""

    clients: int
    staff: int
    providers: int
    municipal_providers: int
    owners: int
    houses: int
    gates: int
    apartment_locks: int
    areas: int
    night_areas: int
    """Areas whose every door the night patrol opens; 0 = there is no night patrol."""
    clients_in_a_team: int = 70
    passages_a_client: int = 24
    """Log entries kept for the last weeks, on average."""


PILOT = Size(
    clients=35,
    staff=10,
    providers=1,
    municipal_providers=1,
    owners=11,
    houses=20,
    gates=20,
    apartment_locks=25,
    areas=1,
    night_areas=0,
    clients_in_a_team=20,
)
"""The first pilot: 35 clients, 25 apartment locks, 20 gates, 11 owners, 10 staff, one provider."""

CITY = 16_000
"""Clients of the city that the design must carry, with 7 000 staff, 80 providers and 10 000 owners."""


def city(clients: int) -> Size:
    """Return a city in the proportions of the real one; small ones keep at least two providers."""
    houses = max(2, round(clients * 0.72))
    areas = max(2, round(clients / 400))
    return Size(
        clients=clients,
        staff=max(4, round(clients * 7 / 16)),
        providers=max(2, round(clients / 200)),
        municipal_providers=max(1, round(clients / 1600)),
        owners=max(2, min(houses, round(clients * 10 / 16))),
        houses=houses,
        gates=round(clients * 0.8),
        apartment_locks=round(clients * 0.92),
        areas=areas,
        night_areas=max(1, round(areas / 7)),
    )
