"""Whose consent a door still lacks: what blocks mounting a lock and names who must sign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from server.access.intervals import Interval, first_useful
from server.access.rules import consent_periods
from server.care.models import Client, Consent
from server.places.models import Door


@dataclass(frozen=True)
class MissingConsent:
    """Somebody who must sign before there may be a lock on the door."""

    signatory: str
    """`Door.Signatory`."""
    who: str
    """The owner's name or the client's alarm code; empty when nobody with care lives behind the door."""


def missing_consents(door: Door, *, at: datetime) -> list[MissingConsent]:
    """Return who has not consented to a lock on `door` as of `at`; empty when it may be mounted.

    An apartment needs every client who lives there, any other door its property's owner.
    """
    if door.must_sign == Door.Signatory.OWNER:
        owner = door.property.owner
        rows = list(Consent.objects.filter(Q(property=door.property_id) | Q(owner=owner)))
        return [] if _holds(rows, door.must_sign, at) else [MissingConsent(door.must_sign, owner.name)]
    clients = list(Client.objects.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=at), door=door))
    if not clients:
        return [MissingConsent(door.must_sign, "")]
    return [
        MissingConsent(door.must_sign, client.alarm_code)
        for client in clients
        if not _holds(list(client.consents.all()), door.must_sign, at)
    ]


def _holds(consents: list[Consent], signatory: str, at: datetime) -> bool:
    useful: Interval | None = first_useful(consent_periods(consents, signatory), at)
    return useful is not None and useful.start <= at
