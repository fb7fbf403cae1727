"""What the tests of alarms share: teams that respond, people on duty with phones, doors near and far."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from server.alarms.domain.raising import raise_alarm
from server.alarms.models import Alarm, AlarmOffer, AlarmTeam
from server.care.models import Visit
from server.passages.models import Passage
from server.people.models import Bearer, StaffMember, Team
from server.places.models import Door
from server.tenancy.models import Municipality
from tests.server.world import HOUR, World, make_bearer, make_client, make_door, make_shift, make_staff

AT = datetime.fromisoformat("2026-11-23T09:00:00+00:00")
"""Ten o'clock in Sweden, three hours into the shift."""


def respond(team: Team, reach: str = "own") -> AlarmTeam:
    """Let a team respond to alarms."""
    return AlarmTeam.objects.create(municipality=team.municipality, team=team, reach=reach)


def on_duty(team: Team, name: str, *, at: datetime = AT, **fields: Any) -> StaffMember:
    """Somebody with a key on a phone, in the middle of a shift."""
    staff = make_staff(team, name, **fields)
    make_bearer(staff, label=f"{name}s telefon")
    make_shift(staff, team, starts_at=at - 2 * HOUR, ends_at=at + 6 * HOUR)
    return staff


def visiting(staff: StaffMember, door: Door, alarm_code: str, *, starts_at: datetime) -> Visit:
    """Plan half an hour at a client behind `door`."""
    shift = staff.shifts.get()
    client, _assignment, _consent = make_client(door, shift.team, alarm_code)
    return Visit.objects.create(
        municipality=staff.municipality,
        shift=shift,
        client=client,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=30),
    )


def raised(world: World, *, at: datetime = AT, **fields: Any) -> Alarm:
    """An alarm for the world's client."""
    return raise_alarm(alarm_code=world.client.alarm_code, at=at, **fields).alarm


def asked(alarm: Alarm) -> list[str]:
    """Names of those who were asked, nearest first."""
    return [one.staff.name for one in AlarmOffer.objects.filter(alarm=alarm).order_by("rank")]


def answers(alarm: Alarm) -> dict[str, str]:
    """What each person answered, by name."""
    return {one.staff.name: one.answer for one in AlarmOffer.objects.filter(alarm=alarm)}


def elsewhere(world: World, *, address: str = "Skogsvägen 9", estate: Any = None) -> Door:
    """Another apartment."""
    return make_door(estate or world.property, Door.Kind.APARTMENT, address=address, number="1301")


def log_opening(
    binding: Any, bearer: Bearer, *, happened_at: datetime, outcome: str = "moved", **fields: Any
) -> Passage:
    """Store what the lock logs of one opening: granted, then what came of it. Returns the outcome."""
    seq = Passage.objects.filter(lock=binding.lock).count() + 1
    common: dict[str, Any] = {
        "municipality": binding.municipality,
        "lock": binding.lock,
        "epoch": 1,
        "binding": binding,
        "bearer": bearer,
        "provider": bearer.staff.provider,
        "happened_at": happened_at,
        "entry_bytes": b"",
        "entry_hash": b"h" * 32,
        "known_at": happened_at + timedelta(minutes=1),
        **fields,
    }
    command = common.pop("command", "open")
    Passage.objects.create(**common, seq=seq, kind="granted", detail={"command": command})
    return Passage.objects.create(
        **common, seq=seq + 1, kind="outcome", reason=outcome, detail={"granted_seq": seq}
    )


def team_of(municipality: Municipality, name: str) -> Team:
    """A team of the municipality, by name."""
    return Team.objects.get(municipality=municipality, name=name)
