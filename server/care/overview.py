"""All of one client on one page: doors, providers, consents, locks, visits, passages, metal keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from server.access.consents import MissingConsent, missing_consents_of
from server.care.metal_keys import Check, Verdict, may_go_back
from server.care.missing import holding, waiting_assignments
from server.care.models import CareAssignment, Client, Consent, Visit
from server.care.rules import covers
from server.locks.models import Binding
from server.locks.queries import LiveStatus, live_status
from server.passages.labels import describe, tone
from server.passages.models import Passage
from server.people.models import CareProvider, User
from server.places.models import Door
from server.tenancy.scoping import seen_by, viewer_now, whole_municipality

MOST_VISITS, MOST_PASSAGES = 5, 8


@dataclass(frozen=True)
class DoorLine:
    """One door of the way: its lock, and who consented or has not."""

    door: Door
    lock: LiveStatus
    consent: Consent | None
    missing: list[MissingConsent]


@dataclass(frozen=True)
class PassageLine:
    """One passage in plain words."""

    passage: Passage
    words: str
    tone: str


@dataclass(frozen=True)
class Overview:
    """What the page shows; narrow where the viewer is."""

    doors: list[DoorLine]
    assignments: list[CareAssignment]
    other_providers: int
    visits: list[Visit]
    passages: list[PassageLine]
    keys: Verdict


def overview(client: Client, *, user: User, at: datetime) -> Overview:
    """Return the page of one client as this person may see it."""
    way = _way(client)
    own = list(
        CareAssignment.objects.filter(Q(ends_at__isnull=True) | Q(ends_at__gt=at), client=client)
        .select_related("provider", "team")
        .order_by("provider__name", "starts_at")
    )
    everybody = set(waiting_assignments(at).filter(client=client).values_list("provider_id", flat=True))
    return Overview(
        doors=_door_lines(client, way, at),
        assignments=own,
        other_providers=len(everybody - {row.provider_id for row in own}),
        visits=_visits(client, at) if user.has_perm("care.view_visit") else [],
        passages=_passages(client) if user.has_perm("passages.view_passage") else [],
        keys=_narrowed(may_go_back(client, at=at)),
    )


@whole_municipality()
def _way(client: Client) -> list[Door]:
    if client.door is None:
        return []
    on_the_way = Door.objects.filter(leads_to__apartment=client.door).order_by("leads_to__order", "pk")
    return [*on_the_way.select_related("property__owner"), client.door]


@whole_municipality()
def _door_lines(client: Client, way: list[Door], at: datetime) -> list[DoorLine]:
    locks = live_status([door.pk for door in way], at=at)
    lacking = missing_consents_of(way, at=at)
    estates = {door.property_id for door in way}
    owners = {door.property.owner_id for door in way}
    consents = list(
        Consent.objects.filter(holding(at)).filter(
            Q(client=client) | Q(property__in=estates) | Q(owner__in=owners)
        )
    )
    return [
        DoorLine(door, locks[door.pk], _consent_for(door, client, consents), lacking[door.pk]) for door in way
    ]


def _consent_for(door: Door, client: Client, consents: Iterable[Consent]) -> Consent | None:
    """Return the consent by which the door may have a lock for this client, the narrowest first."""

    def counts(consent: Consent) -> bool:
        if consent.signed_by != door.must_sign:
            return False
        if consent.client_id is not None:
            return consent.client_id == client.pk
        if consent.property_id is not None:
            return consent.property_id == door.property_id
        return consent.owner_id == door.property.owner_id and covers(consent, door.property)

    found = [consent for consent in consents if counts(consent)]
    return min(found, key=lambda consent: consent.owner_id is not None, default=None)


def _visits(client: Client, at: datetime) -> list[Visit]:
    rows = Visit.objects.filter(client=client, ends_at__gt=at, shift__cancelled_at__isnull=True)
    return list(rows.select_related("shift__staff", "shift__team").order_by("starts_at")[:MOST_VISITS])


def _passages(client: Client) -> list[PassageLine]:
    """Return the last passages at the apartment; what happens at a gate concerns others too."""
    if client.door_id is None:
        return []
    bindings = list(Binding.objects.filter(door=client.door_id).values_list("pk", flat=True))
    rows: QuerySet[Passage] = Passage.unscoped.filter(binding__in=bindings)
    viewer = viewer_now()
    if viewer is not None:
        rows = seen_by(viewer, rows)
    rows = rows.select_related("bearer__staff").defer("entry_bytes")
    return [
        PassageLine(
            row,
            describe(row.kind, row.reason, str(row.detail.get("command", ""))),
            tone(row.kind, row.reason),
        )
        for row in rows.order_by("-happened_at", "-pk")[:MOST_PASSAGES]
    ]


def _narrowed(verdict: Verdict) -> Verdict:
    """Leave out other providers' names where the viewer may not know them; that they are there counts."""
    if viewer_now() is None:
        return verdict
    known = set(CareProvider.objects.values_list("pk", flat=True))
    return replace(verdict, providers=[_nameless(check, known) for check in verdict.providers])


def _nameless(check: Check, known: set[int]) -> Check:
    if check.provider is not None and check.provider.pk in known:
        return check
    # Why another provider is not ready is that provider's own matter.
    return Check(_("another provider"), check.ok, () if check.ok else (_("not ready yet"),))
