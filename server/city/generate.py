"""The order in which a municipality comes into being."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django_scopes import scope

from server.city.care import make_clients, make_consents, make_plan
from server.city.desks import ADMINISTRATOR, SignIn, make_desks
from server.city.locks import make_locks
from server.city.logs import make_logs
from server.city.luck import Luck
from server.city.people import make_phones, make_providers, make_staff
from server.city.places import make_places
from server.city.size import Size
from server.city.store import Store, Tell
from server.city.upkeep import make_upkeep
from server.city.world import LONG_AGO, World
from server.locks.domain.bulletins import build_due
from server.people.models import User
from server.tenancy.domain.keys import found_municipality
from server.tenancy.models import Municipality


@dataclass(frozen=True)
class City:
    """What was made, and what must be known to use it."""

    municipality: Municipality
    sign_ins: list[SignIn] = field(repr=False)
    root_seeds: tuple[bytes, ...] = field(repr=False)
    counts: dict[str, int] = field(default_factory=dict)
    """Rows by model."""


def generate(
    *, slug: str, name: str, size: Size, seed: int, at: datetime, morning: datetime, tell: Tell
) -> City:
    """Found a municipality and fill it, all or nothing.

    `at` counts as now, `morning` is when today's day shifts begin. Tokens are not made here: the issuing
    sweep finds the plan and does what it always does.
    """
    at = at.replace(microsecond=0)
    with transaction.atomic():
        founding = found_municipality(slug=slug, name=name, at=at - LONG_AGO)
        municipality = founding.municipality
        _introduce(municipality)
        with scope(municipality=municipality):
            world = World(
                municipality=municipality,
                size=size,
                luck=Luck(seed, slug),
                store=Store(municipality.pk, tell),
                at=at,
                morning=morning,
            )
            sign_ins = _fill(world)
            tell(f"besked: {build_due(municipality, at=at)}")
    return City(municipality, sign_ins, founding.root_seeds, world.store.counts)


def _introduce(municipality: Municipality) -> None:
    municipality.support_phone = "010-555 01 12"
    municipality.deviation_routine_sv = (
        "Ring Trygghetsjouren. Säg dörrens adress och vad appen visade. Använd reservvägen om jouren ber dig."
    )
    municipality.deviation_routine_en = (
        "Call the patrol. Tell them the address and what the app showed. Use the fallback if they ask you to."
    )
    municipality.save()


def _fill(world: World) -> list[SignIn]:
    make_providers(world)
    make_staff(world)
    make_phones(world)
    make_places(world)
    make_clients(world)
    make_consents(world)
    make_plan(world)
    make_locks(world)
    make_logs(world)
    sign_ins = make_desks(world)
    chief = next(one.username for one in sign_ins if one.role == ADMINISTRATOR)
    make_upkeep(world, User.objects.get(username=chief))
    return sign_ins
