"""Write the pilot into a server's database. Needs Django set up; everything else comes in as arguments."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_scopes import scope

from server.care.models import CareAssignment, Client, Consent, Shift, Visit
from server.people.domain.enrolment import make_enrolment_code
from server.people.models import CareProvider, StaffMember, Team, User
from server.people.roles import Role
from server.places.models import Door, DoorPath, Property, PropertyOwner
from server.tenancy.models import Municipality
from simulation.pilot import layout
from simulation.pilot.signin import SignIn

SHIFT = timedelta(hours=8)
VISIT = timedelta(minutes=20)
BETWEEN_VISITS = timedelta(minutes=35)
LONG_AGO = timedelta(days=60)


@dataclass
class Pilot:
    """What was written, by the names a story uses."""

    municipality: Municipality
    sign_ins: dict[str, SignIn] = field(default_factory=dict)
    staff: dict[str, StaffMember] = field(default_factory=dict)
    teams: dict[str, Team] = field(default_factory=dict)
    gates: dict[str, Door] = field(default_factory=dict)
    """By address."""
    apartments: dict[str, Door] = field(default_factory=dict)
    """By alarm code."""
    practice: dict[str, Door] = field(default_factory=dict)
    """Practice places, by address."""
    clients: dict[str, Client] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict, repr=False)
    """One-time enrolment codes by user name."""


@transaction.atomic
def equip(municipality: Municipality, *, evening: str = "", with_codes: Sequence[str] = ()) -> Pilot:
    """Fill a municipality just founded (see ``fill``) and make enrolment codes for ``with_codes``."""
    now = timezone.now()
    municipality.support_phone = "010-555 01 12"
    municipality.deviation_routine_sv = (
        "Ring Trygghetsjouren. Säg dörrens adress och vad appen visade. Använd reservvägen om jouren ber dig."
    )
    municipality.deviation_routine_en = (
        "Call the patrol. Tell them the address and what the app showed. Use the fallback if they ask you to."
    )
    municipality.save()
    pilot = fill(municipality, now=now, evening=evening)
    with scope(municipality=municipality):
        for username in with_codes:
            _code, text = make_enrolment_code(staff=pilot.staff[username])
            pilot.codes[username] = text
    return pilot


@transaction.atomic
def fill(municipality: Municipality, *, now: datetime, evening: str = "") -> Pilot:
    """Fill an empty municipality; today's shifts begin at ``now`` and last eight hours.

    ``evening``: the user name of somebody whose shift begins when the others' ends.
    """
    pilot = Pilot(municipality)
    with scope(municipality=municipality):
        _providers_and_staff(pilot, now)
        for house in layout.houses():
            _house(pilot, house, now)
        _office(pilot, now)
        _plan(pilot, now, evening)
        _administrators(pilot)
    return pilot


def _providers_and_staff(pilot: Pilot, now: datetime) -> None:
    kinds = {
        layout.MAIN_PROVIDER: CareProvider.Kind.MUNICIPAL,
        layout.SECOND_PROVIDER: CareProvider.Kind.PRIVATE,
    }
    teams = {layout.MAIN_PROVIDER: layout.TEAMS, layout.SECOND_PROVIDER: (layout.SECOND_TEAM,)}
    for name, kind in kinds.items():
        provider = CareProvider.objects.create(municipality=pilot.municipality, name=name, kind=kind)
        for team in teams[name]:
            pilot.teams[team] = Team.objects.create(
                municipality=pilot.municipality, provider=provider, name=team
            )
    for person in layout.STAFF:
        pilot.staff[person.username] = StaffMember.objects.create(
            municipality=pilot.municipality,
            provider=pilot.teams[person.team].provider,
            user=_user(pilot, person.username, is_staff=False),
            name=person.name,
            employed_from=(now - LONG_AGO).date(),
        )


def _user(pilot: Pilot, username: str, *, is_staff: bool) -> User:
    """Make a user with a password and a second factor of its own."""
    password = get_random_string(16)
    user = User.objects.create_user(
        username=username,
        password=password,
        municipality=pilot.municipality,
        is_staff=is_staff,
        is_superuser=is_staff,
    )
    secret = generate_totp_secret()
    TOTP.activate(user, secret)
    pilot.sign_ins[username] = SignIn(username, password, secret)
    return user


def _administrators(pilot: Pilot) -> None:
    _user(pilot, "jouren", is_staff=True)
    installer = _user(pilot, "montor", is_staff=False)
    installer.role = Role.INSTALLER
    installer.save()


def _house(pilot: Pilot, house: layout.House, now: datetime) -> None:
    owner, _ = PropertyOwner.objects.get_or_create(municipality=pilot.municipality, name=house.owner)
    estate = Property.objects.create(
        municipality=pilot.municipality,
        owner=owner,
        designation=house.designation,
        area="Lindvik",
        owner_since=(now - LONG_AGO).date(),
    )
    gate = Door.objects.create(
        municipality=pilot.municipality,
        property=estate,
        kind=Door.Kind.GATE,
        address=house.address,
        entrance="A",
        must_sign=Door.Signatory.OWNER,
        fallback_kind=Door.Fallback.CARETAKER,
        fallback_place="Portkod hos fastighetsskötaren",
        fallback_phone="010-555 01 20",
        fallback_hours="dygnet runt",
    )
    pilot.gates[house.address] = gate
    if house.consented:
        _owner_consent(pilot, owner, estate, now)
    for apartment in house.apartments:
        _apartment(pilot, house, apartment, gate, now)


def _office(pilot: Pilot, now: datetime) -> None:
    """A practice place: there is no door behind its lock, so nobody is asked."""
    owner = PropertyOwner.objects.get(municipality=pilot.municipality, name=layout.OWNERS[-1])
    estate = Property.objects.create(
        municipality=pilot.municipality,
        owner=owner,
        designation="RÅDHUSET 1:1",
        area="Lindvik",
        owner_since=(now - LONG_AGO).date(),
    )
    pilot.practice[layout.OFFICE] = Door.objects.create(
        municipality=pilot.municipality,
        property=estate,
        kind=Door.Kind.PRACTICE,
        address=layout.OFFICE,
        floor="1",
    )


def _owner_consent(pilot: Pilot, owner: PropertyOwner, estate: Property, now: datetime) -> None:
    """The first owner consents for the whole portfolio, the others property by property."""
    portfolio = owner.name == layout.OWNERS[0]
    if portfolio and Consent.objects.filter(owner=owner).exists():
        return
    Consent.objects.create(
        municipality=pilot.municipality,
        scope=Consent.Scope.PORTFOLIO if portfolio else Consent.Scope.PROPERTY,
        owner=owner if portfolio else None,
        property=None if portfolio else estate,
        signed_by=Door.Signatory.OWNER,
        signed_on=(now - LONG_AGO).date(),
        valid_from=now - LONG_AGO,
    )


def _apartment(
    pilot: Pilot, house: layout.House, apartment: layout.Apartment, gate: Door, now: datetime
) -> None:
    door = Door.objects.create(
        municipality=pilot.municipality,
        property=gate.property,
        kind=Door.Kind.APARTMENT,
        address=house.address,
        entrance="A",
        floor=apartment.floor,
        number=apartment.number,
        must_sign=Door.Signatory.RESIDENT,
        fallback_kind=Door.Fallback.RESERVE_KEY,
        fallback_place="Trygghetsjourens nyckelskåp",
        fallback_phone="010-555 01 12",
        fallback_hours="dygnet runt",
    )
    DoorPath.objects.create(municipality=pilot.municipality, apartment=door, via=gate)
    client = Client.objects.create(
        municipality=pilot.municipality,
        alarm_code=apartment.alarm_code,
        door=door,
        source="omsorgssystem",
        external_id=f"K{apartment.alarm_code}",
    )
    Consent.objects.create(
        municipality=pilot.municipality,
        scope=Consent.Scope.CLIENT,
        client=client,
        signed_by=Door.Signatory.RESIDENT,
        signed_on=(now - LONG_AGO).date(),
        valid_from=now - LONG_AGO,
    )
    team = pilot.teams[apartment.team]
    CareAssignment.objects.create(
        municipality=pilot.municipality,
        client=client,
        provider=team.provider,
        team=team,
        starts_at=now - LONG_AGO,
    )
    pilot.apartments[apartment.alarm_code] = door
    pilot.clients[apartment.alarm_code] = client


def _plan(pilot: Pilot, now: datetime, evening: str) -> None:
    """Give everybody a shift of today, and the team's clients in turn as visits."""
    for username, member in pilot.staff.items():
        person = next(one for one in layout.STAFF if one.username == username)
        team = pilot.teams[person.team]
        starts_at = now + SHIFT if username == evening else now
        shift = Shift.objects.create(
            municipality=pilot.municipality,
            staff=member,
            provider=team.provider,
            team=team,
            starts_at=starts_at,
            ends_at=starts_at + SHIFT,
        )
        colleagues = [one.username for one in layout.STAFF if one.team == person.team]
        codes = [
            apartment.alarm_code
            for house in layout.houses()
            for apartment in house.apartments
            if apartment.team == person.team
        ]
        _visits(pilot, shift, codes[colleagues.index(username) :: len(colleagues)])


def _visits(pilot: Pilot, shift: Shift, codes: list[str]) -> None:
    start = shift.starts_at + timedelta(minutes=15)
    for order, code in enumerate(codes):
        begins = start + order * (VISIT + BETWEEN_VISITS)
        Visit.objects.create(
            municipality=pilot.municipality,
            shift=shift,
            client=pilot.clients[code],
            starts_at=begins,
            ends_at=begins + VISIT,
            order=order,
        )
