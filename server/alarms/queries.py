"""Look-ups of alarms: who may respond and where they are, what a phone must show, the way to the door."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from server.alarms.models import Alarm, AlarmCall, AlarmOffer, AlarmPolicy, AlarmSystem, AlarmTeam
from server.alarms.rules import FRESH, LOOK_AHEAD, Candidate, Sign, Spot
from server.care.models import CareAssignment, Client, Shift, Visit
from server.passages.models import Passage
from server.people.models import Bearer
from server.places.models import Door, DoorPath
from server.tenancy.models import Municipality

UNDER_WAY = (Alarm.State.TAKEN, Alarm.State.ARRIVED)
WENT = (AlarmOffer.Answer.TAKEN, AlarmOffer.Answer.HANDED_OVER)
"""Answers of people who had the right, and whose passage is therefore an arrival."""


def policy_for(municipality: Municipality) -> AlarmPolicy:
    """Return the municipality's rules for alarms, or the defaults."""
    found: AlarmPolicy | None = AlarmPolicy.objects.filter(municipality=municipality).first()
    return found or AlarmPolicy(municipality=municipality)


def client_with(alarm_code: str) -> Client | None:
    """Return the client of an alarm code."""
    found: Client | None = (
        Client.objects.select_related("door__property", "municipality").filter(alarm_code=alarm_code).first()
    )
    return found


def open_alarms() -> QuerySet[Alarm]:
    """Return alarms that still have to be dealt with."""
    alarms: QuerySet[Alarm] = Alarm.objects.filter(ended_at__isnull=True)
    return alarms


def alarm_for_update(alarm_id: int) -> Alarm | None:
    """Return the alarm, its row locked until the transaction ends."""
    found: Alarm | None = Alarm.objects.select_for_update(no_key=True).filter(pk=alarm_id).first()
    return found


def call_of(system: AlarmSystem, external_id: str) -> AlarmCall | None:
    """Return the call that a system has made before under this id."""
    found: AlarmCall | None = (
        AlarmCall.objects.filter(system=system, external_id=external_id)
        .select_related("alarm__client")
        .first()
    )
    return found


def alarm_of_system(system: AlarmSystem, alarm_id: int) -> Alarm | None:
    """Return an alarm that a system has called about."""
    found: Alarm | None = Alarm.objects.filter(pk=alarm_id, calls__system=system).first()
    return found


def system_with(token: str) -> AlarmSystem | None:
    """Return the system that has this token, in whichever municipality."""
    found: AlarmSystem | None = AlarmSystem.unscoped.filter(token_hash=hash_token(token)).first()
    return found


def hash_token(token: str) -> bytes:
    """Return what is kept of a system's token (256 random bits need no more than one SHA-256)."""
    return hashlib.sha256(token.encode()).digest()


# --- who may respond, and where they are ------------------------------------------------------------------


def shifts_to_ask(client: Client, *, at: datetime) -> QuerySet[Shift]:
    """Return running shifts, people fetched along, of teams that respond for this client.

    The person must be employed today and carry a key on a phone, neither of them revoked.
    """
    living = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
    caring = CareAssignment.objects.filter(living, client=client, starts_at__lte=at).values("provider")
    everybodys = Q(team__alarm_team__reach=AlarmTeam.Reach.ALL)
    own = Q(team__alarm_team__reach=AlarmTeam.Reach.OWN, provider__in=caring)
    today = timezone.localdate(at)
    bearer = Bearer.objects.filter(
        staff=OuterRef("staff"), revoked_at__isnull=True, phone__revoked_at__isnull=True
    )
    shifts: QuerySet[Shift] = Shift.objects.filter(
        everybodys | own,
        Exists(bearer),
        Q(staff__employed_to__isnull=True) | Q(staff__employed_to__gte=today),
        starts_at__lte=at,
        ends_at__gt=at,
        cancelled_at__isnull=True,
        provider__active=True,
        staff__employed_from__lte=today,
    ).select_related("staff__provider", "team")
    return shifts


def candidates(shifts: Sequence[Shift], *, at: datetime) -> list[Candidate]:
    """Return the people of these shifts with every sign of where they are: three queries."""
    visits = _visits({shift.pk for shift in shifts}, at)
    staff = {shift.staff_id for shift in shifts}
    passages, busy = _last_passages(staff, at), _on_the_way(staff)
    by_staff: dict[int, list[Visit]] = defaultdict(list)
    for shift in shifts:
        by_staff[shift.staff_id].extend(visits.get(shift.pk, ()))
    return [_candidate(one, by_staff[one], passages.get(one), one in busy, at) for one in sorted(staff)]


def _candidate(
    staff: int, visits: Iterable[Visit], passage: Sign | None, busy: bool, at: datetime
) -> Candidate:
    with_door = [visit for visit in visits if visit.client.door is not None]
    now = [_visit_sign(visit) for visit in with_door if visit.starts_at <= at]
    return Candidate(
        staff=staff,
        signs=(*now, *([passage] if passage else [])),
        later=tuple(_visit_sign(visit) for visit in with_door if visit.starts_at > at),
        visiting=bool(now),
        busy=busy,
    )


def _visit_sign(visit: Visit) -> Sign:
    assert visit.client.door is not None  # noqa: S101  the caller has looked
    return Sign(spot_of(visit.client.door), visit.starts_at)


def spot_of(door: Door) -> Spot:
    """Return where a door is; its property must be fetched along."""
    return Spot(door.address, door.property_id, door.property.area)


def _visits(shift_ids: Collection[int], at: datetime) -> dict[int, list[Visit]]:
    visits = Visit.objects.filter(shift__in=shift_ids, ends_at__gt=at, starts_at__lt=at + LOOK_AHEAD)
    found: dict[int, list[Visit]] = defaultdict(list)
    for visit in visits.select_related("client__door__property"):
        found[visit.shift_id].append(visit)
    return found


def _last_passages(staff: Collection[int], at: datetime) -> dict[int, Sign]:
    """Return each person's last opened door; a lock that does not know the time says nothing about when."""
    rows = (
        Passage.objects.filter(
            bearer__staff__in=staff,
            kind="granted",
            time_uncertain=False,
            happened_at__gt=at - FRESH,
            happened_at__lte=at,
            binding__isnull=False,
        )
        .order_by("happened_at")
        .values_list(
            "bearer__staff",
            "happened_at",
            "binding__door__address",
            "binding__door__property",
            "binding__door__property__area",
        )
    )
    return {who: Sign(Spot(address, estate, area), when, True) for who, when, address, estate, area in rows}


def _on_the_way(staff: Collection[int]) -> set[int]:
    return set(open_alarms().filter(taken_by__in=staff).values_list("taken_by", flat=True))


# --- offers --------------------------------------------------------------------------------------------


def offer_for(alarm: Alarm, staff_id: int) -> AlarmOffer | None:
    """Return what this person was asked."""
    found: AlarmOffer | None = (
        AlarmOffer.objects.filter(alarm=alarm, staff=staff_id)
        .select_related("right", "staff__provider")
        .first()
    )
    return found


def asked(alarm: Alarm) -> QuerySet[AlarmOffer]:
    """Return everybody who was asked, nearest first."""
    offers: QuerySet[AlarmOffer] = AlarmOffer.objects.filter(alarm=alarm).select_related(
        "staff__provider", "right"
    )
    return offers.order_by("rank", "pk")


# --- what a phone shows -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class PhoneAlarm:
    """An alarm as the phone of somebody who was asked shows it."""

    id: int
    alarm_code: str
    doors: tuple[Door, ...]
    """From the street inwards, the apartment last; none when the client has no door."""
    taken: bool
    raised_at: datetime
    respond_by: datetime
    expires: datetime
    """When the right ends, or, for one that is only offered, when the alarm is closed at the latest."""


def alarms_on_phone(bearer: Bearer) -> list[PhoneAlarm]:
    """Return a person's open alarms: asked and not answered, or taken."""
    offers = _offers_to_show(bearer.staff_id)
    if not offers:
        return []
    policy = policy_for(bearer.municipality)
    apartments = {offer.alarm.client.door for offer in offers if offer.alarm.client.door is not None}
    ways = _ways_to({door.pk for door in apartments})
    return [_on_phone(offer, policy, ways) for offer in offers]


def _on_phone(offer: AlarmOffer, policy: AlarmPolicy, ways: dict[int, list[Door]]) -> PhoneAlarm:
    alarm, apartment = offer.alarm, offer.alarm.client.door
    closes = alarm.raised_at + timedelta(hours=policy.close_after_hours)
    return PhoneAlarm(
        id=alarm.pk,
        alarm_code=alarm.client.alarm_code,
        doors=(*ways.get(apartment.pk, ()), apartment) if apartment is not None else (),
        taken=offer.answer == AlarmOffer.Answer.TAKEN,
        raised_at=alarm.raised_at,
        respond_by=offer.offered_at + timedelta(seconds=policy.widen_after_s),
        expires=offer.right.ends_at if offer.right is not None else closes,
    )


def _offers_to_show(staff_id: int) -> list[AlarmOffer]:
    asked = Q(answer=AlarmOffer.Answer.NONE, alarm__state=Alarm.State.RAISED)
    taken = Q(answer=AlarmOffer.Answer.TAKEN, alarm__state__in=UNDER_WAY, alarm__taken_by=staff_id)
    return list(
        AlarmOffer.objects.filter(asked | taken, staff=staff_id)
        .select_related("alarm__client__door", "right")
        .order_by("alarm__raised_at", "pk")
    )


def _ways_to(apartment_ids: Collection[int]) -> dict[int, list[Door]]:
    ways: dict[int, list[Door]] = defaultdict(list)
    paths = DoorPath.objects.filter(apartment__in=apartment_ids).select_related("via")
    for path in paths.order_by("order", "pk"):
        ways[path.apartment_id].append(path.via)
    return ways


# --- the way to the door ----------------------------------------------------------------------------------


def with_news_from_doors(*, known_after: datetime, raised_after: datetime) -> QuerySet[Alarm]:
    """Return taken alarms of whose door a log that has come in since then has told something."""
    told = Passage.objects.filter(known_at__gt=known_after, kind="outcome").values("binding__door")
    taken = AlarmOffer.objects.filter(answer__in=WENT).values("alarm")
    alarms: QuerySet[Alarm] = Alarm.objects.filter(
        raised_at__gt=raised_after, client__door__in=told, pk__in=taken
    )
    return alarms


def passages_of_takers(alarm: Alarm) -> list[Passage]:
    """Return what the apartment's locks logged of everybody who had taken the alarm, in the log's order.

    A passage with the alarm's own right came after the call whatever the lock's clock says.
    """
    went = AlarmOffer.objects.filter(alarm=alarm, answer__in=WENT)
    ours = Q(token__extra__in=went.filter(right__isnull=False).values("right"))
    after = Q(happened_at__gte=alarm.raised_at)
    if alarm.ended_at is not None:
        after &= Q(happened_at__lt=alarm.ended_at)
    passages = Passage.objects.filter(
        ours | after,
        binding__door=alarm.client.door_id,
        bearer__staff__in=went.values("staff"),
        kind__in=("granted", "outcome"),
    )
    return list(passages.order_by("happened_at", "lock_id", "epoch", "seq"))


def alarms_reached(*, since: datetime) -> list[tuple[datetime, datetime]]:
    """Return (raised, door opened) of alarms since then whose lock knew the time."""
    rows = Alarm.objects.filter(raised_at__gte=since, arrived_at__isnull=False, arrival_uncertain=False)
    return list(rows.values_list("raised_at", "arrived_at"))
