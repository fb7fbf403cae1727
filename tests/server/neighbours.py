"""Two care providers in one municipality who share a gate: ours, and one whose every row stands out.

A page, an answer or a message for our provider in which `MARKER` or one of `foreign_keys` turns up is a leak.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django_scopes import scope

from server.access.models import Token
from server.care.models import Consent
from server.locks.models import BindingGroup
from server.people.models import User
from server.places.models import Door, DoorPath
from server.tenancy.scoping import Viewer
from tests.server.fill import add_passage
from tests.server.pages import SECRET, fill_every_table
from tests.server.world import (
    LONG_AGO,
    NOW,
    SHIFT_END,
    SHIFT_START,
    World,
    make_bearer,
    make_binding,
    make_client,
    make_door,
    make_estate,
    make_shift,
    make_staff,
    make_team,
)

MARKER = "Stranger"


@dataclass
class Neighbours:
    """Both providers' worlds; the gate they share is ours.gate."""

    ours: World
    theirs: World
    now: datetime

    def as_provider(self, world: World | None = None) -> AbstractContextManager[None]:
        """See with the eyes of a provider: ours, when no other is named."""
        return scope(viewer=Viewer(provider=(world or self.ours).provider.pk))

    def as_owner(self, world: World | None = None) -> AbstractContextManager[None]:
        """See with the eyes of an owner: ours, when no other is named."""
        return scope(viewer=Viewer(owner=(world or self.ours).owner.pk))


def make_neighbours(ours: World) -> Neighbours:
    """Put another provider beside ours, in the same municipality and partly in the same houses."""
    theirs = _their_world(ours)
    fill_every_table(theirs)
    _share_the_gate(ours, theirs)
    return Neighbours(ours, theirs, timezone.now())


def _their_world(ours: World) -> World:
    municipality = ours.municipality
    team = make_team(municipality, f"{MARKER} Vård AB", f"{MARKER}s grupp")
    user = User.objects.create_user(f"{MARKER}-frida", municipality=municipality, first_name=MARKER)
    frida = make_staff(team, f"{MARKER} Frida", user=user)
    bearer = make_bearer(frida, label=f"{MARKER}s telefon")
    estate = make_estate(municipality, f"{MARKER} Fastigheter", f"{MARKER} 1")
    gate = make_door(estate, Door.Kind.GATE, address=f"{MARKER}sgatan 1")
    apartment = make_door(estate, Door.Kind.APARTMENT, address=f"{MARKER}sgatan 1", number="7701")
    DoorPath.objects.create(municipality=municipality, apartment=apartment, via=gate)
    client, assignment, client_consent = make_client(apartment, team, f"{MARKER}-77")
    owner_consent = Consent.objects.create(
        municipality=municipality,
        scope=Consent.Scope.PROPERTY,
        property=estate,
        signed_by=Door.Signatory.OWNER,
        valid_from=LONG_AGO,
    )
    return World(
        municipality=municipality,
        provider=team.provider,
        team=team,
        alice=frida,
        phone=bearer.phone,
        bearer=bearer,
        owner=estate.owner,
        property=estate,
        gate=gate,
        apartment=apartment,
        gate_binding=make_binding(gate, f"{MARKER}s lås 1"),
        apartment_binding=make_binding(apartment, f"{MARKER}s lås 2"),
        client=client,
        assignment=assignment,
        client_consent=client_consent,
        owner_consent=owner_consent,
        shift=make_shift(frida, team),
    )


def _share_the_gate(ours: World, theirs: World) -> None:
    """Their client also lives behind our gate, and another of theirs next door to ours."""
    municipality = ours.municipality
    DoorPath.objects.create(municipality=municipality, apartment=theirs.apartment, via=ours.gate, order=2)
    next_door = make_door(ours.property, Door.Kind.APARTMENT, number=f"{MARKER}"[:8])
    DoorPath.objects.create(municipality=municipality, apartment=next_door, via=ours.gate)
    make_client(next_door, theirs.team, f"{MARKER}-78")
    make_binding(next_door, f"{MARKER}s lås 3")
    BindingGroup.objects.create(
        municipality=municipality, binding=ours.gate_binding, provider=theirs.provider, grp=2
    )
    Token.objects.create(
        municipality=municipality,
        token_id=b"frammand",
        bearer=theirs.bearer,
        binding=ours.gate_binding,
        shift=theirs.shift,
        provider=theirs.provider,
        issued_at=NOW,
        not_before=SHIFT_START,
        expires=SHIFT_END,
        scope=1,
        grp=2,
        document=SECRET,
    )
    add_passage(ours.gate_binding, theirs.bearer)
