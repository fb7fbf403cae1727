"""Whose consent a door still lacks: what blocks mounting a lock and names who must sign.

Also whether openings by hand may be counted there, which needs a consent of its own. For one door or for
thousands, in a constant number of queries; always the whole truth, whoever asks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from server.access.intervals import Interval, first_useful
from server.access.rules import consent_periods
from server.care.models import Client, Consent
from server.care.rules import covers
from server.places.models import Door, Property
from server.tenancy.scoping import whole_municipality


@dataclass(frozen=True)
class MissingConsent:
    """Somebody who must sign before there may be a lock on the door."""

    signatory: str
    """`Door.Signatory`."""
    who: str
    """The owner's name or the client's alarm code; empty when nobody with care lives behind the door."""


def missing_consents(door: Door, *, at: datetime) -> list[MissingConsent]:
    """Return who has not consented to a lock on `door` as of `at`; empty when it may be mounted.

    An apartment needs every client who lives there, any other door its property's owner, a practice place
    nobody: there is no door behind its lock.
    """
    return missing_consents_of([door], at=at)[door.pk]


@whole_municipality()
def missing_consents_of(doors: Iterable[Door], *, at: datetime) -> dict[int, list[MissingConsent]]:
    """Return the same for many doors, by door id, in at most five queries."""
    doors = list(doors)
    free: dict[int, list[MissingConsent]] = {door.pk: [] for door in doors if door.kind == Door.Kind.PRACTICE}
    real = [door for door in doors if door.pk not in free]
    found = _owners_missing([door for door in real if door.must_sign == Door.Signatory.OWNER], at)
    found |= _clients_missing([door for door in real if door.must_sign != Door.Signatory.OWNER], at)
    return found | free


def _owners_missing(doors: Collection[Door], at: datetime) -> dict[int, list[MissingConsent]]:
    rows = Property.objects.filter(pk__in={door.property_id for door in doors}).select_related("owner")
    estates: dict[int, Property] = {row.pk: row for row in rows} if doors else {}
    by_property: dict[int | None, list[Consent]] = defaultdict(list)
    by_owner: dict[int | None, list[Consent]] = defaultdict(list)
    if estates:
        owners = {estate.owner_id for estate in estates.values()}
        for consent in Consent.objects.filter(Q(property__in=estates) | Q(owner__in=owners)):
            by_property[consent.property_id].append(consent)
            by_owner[consent.owner_id].append(consent)
    missing = {}
    for door in doors:
        estate = estates[door.property_id]
        whole = [consent for consent in by_owner[estate.owner_id] if covers(consent, estate)]
        held = _holds([*by_property[estate.pk], *whole], door.must_sign, at)
        missing[door.pk] = [] if held else [MissingConsent(door.must_sign, estate.owner.name)]
    return missing


def _clients_missing(doors: Collection[Door], at: datetime) -> dict[int, list[MissingConsent]]:
    residents = _residents({door.pk for door in doors}, at) if doors else {}
    missing = {}
    for door in doors:
        clients = residents.get(door.pk)
        missing[door.pk] = (
            [
                MissingConsent(door.must_sign, client.alarm_code)
                for client in clients
                if not _holds(list(client.consents.all()), door.must_sign, at)
            ]
            if clients
            else [MissingConsent(door.must_sign, "")]
        )
    return missing


def _residents(door_ids: Collection[int], at: datetime) -> dict[int, list[Client]]:
    living: QuerySet[Client] = Client.objects.filter(
        Q(ended_at__isnull=True) | Q(ended_at__gt=at), door__in=door_ids
    )
    residents: dict[int, list[Client]] = defaultdict(list)
    for client in living.prefetch_related("consents"):
        assert client.door_id is not None  # noqa: S101  the query asks for doors
        residents[client.door_id].append(client)
    return residents


@whole_municipality()
def hand_counts_allowed(door_ids: Collection[int], *, at: datetime) -> set[int]:
    """Return the doors where everybody with care behind them agreed that openings by hand are counted."""
    return {
        door
        for door, clients in _residents(door_ids, at).items()
        if all(_agrees_to_counting(client, at) for client in clients)
    }


def _agrees_to_counting(client: Client, at: datetime) -> bool:
    consents = [consent for consent in client.consents.all() if consent.count_hand_openings]
    return any(_holds([consent], consent.signed_by, at) for consent in consents)


def _holds(consents: list[Consent], signatory: str, at: datetime) -> bool:
    useful: Interval | None = first_useful(consent_periods(consents, signatory), at)
    return useful is not None and useful.start <= at
