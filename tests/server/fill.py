"""Fills the database of a running server for browser tests; called in a process of its own.

What the tests need to know of it: the sign-in below, alarm codes 4711 and 4712, and `add_passage`.
"""

from __future__ import annotations

import hashlib
import itertools
from datetime import timedelta

from allauth.mfa.totp.internal.auth import TOTP
from django.utils import timezone
from django_scopes import scope

from server.locks.models import Binding, LockStatus
from server.passages.live import notify_passages
from server.passages.models import Passage
from server.people.models import Bearer, User
from server.places.models import Door, DoorPath
from server.tenancy.models import Municipality
from tests.server.world import (
    World,
    make_binding,
    make_client,
    make_door,
    make_municipality,
    make_shift,
    make_world,
)

USERNAME, PASSWORD = "patrull", "ett-riktigt-långt-lösenord"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def fill(*, totp: bool = True) -> None:
    """Make a municipality, an administrator and a few doors."""
    municipality = make_municipality()
    user = User.objects.create_superuser(
        USERNAME, password=PASSWORD, municipality=municipality, first_name="Petra", last_name="Patrull"
    )
    if totp:
        TOTP.activate(user, TOTP_SECRET)
    with scope(municipality=municipality):
        world = make_world(municipality)
        now = timezone.now()
        make_shift(
            world.alice, world.team, starts_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=6)
        )
        neighbour = make_door(world.property, Door.Kind.APARTMENT, floor="2", number="1202")
        DoorPath.objects.create(municipality=municipality, apartment=neighbour, via=world.gate)
        make_client(neighbour, world.team, "4712")
        for binding, battery in ((world.gate_binding, 82), (world.apartment_binding, 34)):
            LockStatus.objects.create(
                municipality=municipality, lock=binding.lock, battery_percent=battery, last_contact_at=now
            )
        make_binding(make_door(world.property, Door.Kind.LAUNDRY, address="Storgatan 3"), "Lås 3")


def add_passages(world: World | None = None, *, count: int = 1, refused: bool = False) -> None:
    """Store passages as the intake does, and tell the live boards."""
    municipality = world.municipality if world else Municipality.objects.get()
    with scope(municipality=municipality):
        binding = world.gate_binding if world else Binding.objects.order_by("pk")[0]
        bearer = world.bearer if world else Bearer.objects.get()
        ids = [add_passage(binding, bearer, refused) for _ in range(count)]
    notify_passages(municipality.pk, ids)


def add_passage(binding: Binding, bearer: Bearer, refused: bool = False) -> int:
    seq = next(n for n in itertools.count(1) if not Passage.objects.filter(lock=binding.lock, epoch=1, seq=n))
    now = timezone.now()
    return Passage.objects.create(
        municipality=binding.municipality,
        lock=binding.lock,
        epoch=1,
        seq=seq,
        binding=binding,
        bearer=bearer,
        provider=bearer.staff.provider,
        happened_at=now - timedelta(minutes=7 * seq),
        known_at=now,
        kind="refused" if refused else "granted",
        reason="expired" if refused else "",
        detail={"command": "open"},
        entry_bytes=b"",
        entry_hash=hashlib.sha256(bytes([seq])).digest(),
    ).pk
