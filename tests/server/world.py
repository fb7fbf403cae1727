"""A small municipality for the tests, built through the models, with names that tell who is who.

One property with a gate and an apartment behind it, a client there, Alice on shift in the client's team,
locks on both doors, every consent in place. Tests take away one thing and see what follows.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from server.care.models import CareAssignment, Client, Consent, Shift
from server.locks.models import Binding, Lock
from server.people.models import Bearer, CareProvider, Phone, StaffMember, Team
from server.places.models import Door, DoorPath, Property, PropertyOwner
from server.tenancy import custody
from server.tenancy.models import Municipality

NOW = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""A Monday morning, half past seven in Sweden, half an hour before the shift."""
SHIFT_START = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SHIFT_END = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass
class World:
    """Everything of one municipality that tests reach for."""

    municipality: Municipality
    provider: CareProvider
    team: Team
    alice: StaffMember
    phone: Phone
    bearer: Bearer
    owner: PropertyOwner
    property: Property
    gate: Door
    apartment: Door
    gate_binding: Binding
    apartment_binding: Binding
    client: Client
    assignment: CareAssignment
    client_consent: Consent
    owner_consent: Consent
    shift: Shift


def make_municipality(slug: str = "testköping") -> Municipality:
    return Municipality.objects.create(slug=slug, name=slug.capitalize(), support_phone="010-000 00 00")


def make_staff(team: Team, name: str, **fields: Any) -> StaffMember:
    return StaffMember.objects.create(
        municipality=team.municipality,
        provider=team.provider,
        name=name,
        **{"employed_from": date(2026, 1, 1), **fields},
    )


def make_bearer(staff: StaffMember, **phone_fields: Any) -> Bearer:
    phone = Phone.objects.create(
        municipality=staff.municipality,
        device_token_hash=secrets.token_bytes(32),
        model="Pixel 9",
        app_version="1.0.0",
        **phone_fields,
    )
    key = secrets.token_bytes(32)
    return Bearer.objects.create(
        municipality=staff.municipality,
        staff=staff,
        phone=phone,
        public_key=key,
        fingerprint=hashlib.sha256(key).digest()[:8],
    )


def make_door(estate: Property, kind: str, **fields: Any) -> Door:
    signatory = Door.Signatory.RESIDENT if kind == Door.Kind.APARTMENT else Door.Signatory.OWNER
    return Door.objects.create(
        municipality=estate.municipality,
        property=estate,
        kind=kind,
        **{"address": "Storgatan 1", "must_sign": signatory, **fields},
    )


def make_binding(door: Door, name: str = "", **fields: Any) -> Binding:
    lock = Lock.objects.create(
        municipality=door.municipality,
        name=name or f"Lås {secrets.token_hex(3)}",
        lock_id=secrets.token_bytes(8),
        static_public_key=secrets.token_bytes(32),
        log_public_key=secrets.token_bytes(32),
        seal_public_key=secrets.token_bytes(32),
        state=Lock.State.MOUNTED,
    )
    return Binding.objects.create(
        municipality=door.municipality,
        binding_id=secrets.token_bytes(8),
        lock=lock,
        door=door,
        sealed_adv_key=custody.seal(secrets.token_bytes(32), "binding.adv_key"),
        **{"starts_at": LONG_AGO, "commissioned_at": LONG_AGO, **fields},
    )


def make_shift(staff: StaffMember, team: Team, **fields: Any) -> Shift:
    return Shift.objects.create(
        municipality=team.municipality,
        staff=staff,
        provider=team.provider,
        team=team,
        **{"starts_at": SHIFT_START, "ends_at": SHIFT_END, **fields},
    )


def make_client(door: Door | None, team: Team, alarm_code: str) -> tuple[Client, CareAssignment, Consent]:
    """Make a client cared for by `team`, who consented to the apartment lock."""
    client = Client.objects.create(municipality=team.municipality, alarm_code=alarm_code, door=door)
    assignment = CareAssignment.objects.create(
        municipality=team.municipality, client=client, provider=team.provider, team=team, starts_at=LONG_AGO
    )
    consent = Consent.objects.create(
        municipality=team.municipality,
        scope=Consent.Scope.CLIENT,
        client=client,
        signed_by=Door.Signatory.RESIDENT,
        valid_from=LONG_AGO,
    )
    return client, assignment, consent


def make_team(municipality: Municipality, provider_name: str, team_name: str) -> Team:
    provider, _ = CareProvider.unscoped.get_or_create(municipality=municipality, name=provider_name)
    return Team.objects.create(municipality=municipality, provider=provider, name=team_name)


def make_estate(municipality: Municipality, owner_name: str, designation: str) -> Property:
    owner, _ = PropertyOwner.unscoped.get_or_create(municipality=municipality, name=owner_name)
    return Property.objects.create(
        municipality=municipality, owner=owner, designation=designation, owner_since=LONG_AGO.date()
    )


def make_world(municipality: Municipality) -> World:
    """Build the municipality; must run in its scope."""
    team = make_team(municipality, "Hemtjänst Norr", "Grupp 1")
    alice = make_staff(team, "Alice Andersson")
    bearer = make_bearer(alice)
    estate = make_estate(municipality, "Bostads AB Eken", "Eken 1")
    gate, apartment = make_door(estate, Door.Kind.GATE), make_door(estate, Door.Kind.APARTMENT, number="1101")
    DoorPath.objects.create(municipality=municipality, apartment=apartment, via=gate)
    client, assignment, client_consent = make_client(apartment, team, "4711")
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
        alice=alice,
        phone=bearer.phone,
        bearer=bearer,
        owner=estate.owner,
        property=estate,
        gate=gate,
        apartment=apartment,
        gate_binding=make_binding(gate, "Lås 1"),
        apartment_binding=make_binding(apartment, "Lås 2"),
        client=client,
        assignment=assignment,
        client_consent=client_consent,
        owner_consent=owner_consent,
        shift=make_shift(alice, team),
    )
