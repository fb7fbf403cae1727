"""Whether a client's metal keys may go back: every provider is live at every door, and the way in stands.

`judge` is the rule. `facts_of` fetches what it needs for any number of clients in a constant number of
queries; `ready` says the same as a set in the database, for the list of those whose keys may go back now.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from server.access.consents import missing_consents_of
from server.care.missing import blocked, cared_for, waiting_assignments
from server.care.models import CareAssignment, Client
from server.locks.models import Binding
from server.locks.queries import LiveStatus, live_status
from server.locks.rules import LIVE_WITHIN
from server.passages.models import Deviation, Passage
from server.people.models import Bearer, CareProvider
from server.places.models import Door, DoorPath
from server.tenancy.scoping import whole_municipality

OPENED = {"kind": "outcome", "reason__in": ("moved", "already")}
"""An opening whose bolt moved, or stood where it should."""


@dataclass(frozen=True)
class DoorFacts:
    """One door of the client's way."""

    door: Door
    status: LiveStatus
    consented: bool


@dataclass(frozen=True)
class ProviderFacts:
    """One provider that cares for the client, now or soon."""

    provider: CareProvider
    has_phones: bool
    """Somebody of its staff holds a key on a phone."""
    opened_at: datetime | None
    """When its staff last opened the apartment's present lock."""


@dataclass(frozen=True)
class KeyFacts:
    """All that the rule looks at for one client."""

    ended: bool
    doors: tuple[DoorFacts, ...]
    """The gates on the way, then the apartment; empty when the client has no door."""
    providers: tuple[ProviderFacts, ...]


@dataclass(frozen=True)
class Check:
    """One line of the checklist."""

    subject: str
    ok: bool
    reasons: tuple[str | Promise, ...] = ()
    door: Door | None = None
    provider: CareProvider | None = None


@dataclass(frozen=True)
class Verdict:
    """The answer, with everything that was looked at."""

    doors: list[Check] = field(default_factory=list)
    ways_in: list[Check] = field(default_factory=list)
    providers: list[Check] = field(default_factory=list)
    ended: bool = False

    @property
    def yes(self) -> bool:
        """Whether the keys may go back."""
        checks = [*self.doors, *self.ways_in, *self.providers]
        asked = self.doors and self.providers
        return self.ended or (bool(asked) and all(check.ok for check in checks))


def judge(facts: KeyFacts) -> Verdict:
    """Return whether the metal keys may go back, and each reason why not. Pure.

    After the end of care they always may: nobody is to come in any more.
    """
    if facts.ended:
        return Verdict(ended=True)
    return Verdict(
        doors=[_check_door(one) for one in facts.doors],
        ways_in=[_check_way_in(one.door) for one in facts.doors],
        providers=[_check_provider(one) for one in facts.providers],
    )


def _check_door(one: DoorFacts) -> Check:
    reasons: list[str | Promise] = [reason.label for reason in one.status.reasons]
    if not one.consented:
        reasons.append(_("consent is missing"))
    return Check(str(one.door), not reasons, tuple(reasons), door=one.door)


def _check_way_in(door: Door) -> Check:
    recorded = door.fallback_kind != Door.Fallback.NONE
    why = () if recorded else (_("no way in without the phone is recorded"),)
    return Check(str(door), recorded, why, door=door)


def _check_provider(one: ProviderFacts) -> Check:
    asked = (
        (one.provider.active, _("the provider is not active")),
        (one.has_phones, _("nobody there has a phone enrolled")),
        (one.opened_at is not None, _("nobody there has opened the apartment by phone yet")),
    )
    reasons = tuple(reason for holds, reason in asked if not holds)
    return Check(one.provider.name, not reasons, reasons, provider=one.provider)


def may_go_back(client: Client, *, at: datetime) -> Verdict:
    """Return the rule's answer for one client."""
    return judge(facts_of([client], at=at)[client.pk])


@whole_municipality()
def facts_of(clients: Collection[Client], *, at: datetime) -> dict[int, KeyFacts]:
    """Return what the rule needs for these clients, in a constant number of queries."""
    ways = _ways({client.door_id for client in clients if client.door_id is not None})
    doors = {door.pk: door for way in ways.values() for door in way}
    live = live_status(list(doors), at=at)
    lacking = missing_consents_of(doors.values(), at=at)
    providers = _providers(clients, live, at)
    return {
        client.pk: KeyFacts(
            ended=client.ended_at is not None and client.ended_at <= at,
            doors=tuple(
                DoorFacts(door, live[door.pk], not lacking[door.pk])
                for door in ways.get(client.door_id or 0, [])
            ),
            providers=tuple(providers[client.pk]),
        )
        for client in clients
    }


def _ways(apartments: Collection[int]) -> dict[int, list[Door]]:
    paths = DoorPath.objects.filter(apartment__in=apartments).order_by("order", "pk")
    pairs = list(paths.values_list("apartment_id", "via_id"))
    wanted = set(apartments) | {via for _apartment, via in pairs}
    doors = {door.pk: door for door in Door.objects.filter(pk__in=wanted).select_related("property")}
    ways: dict[int, list[Door]] = defaultdict(list)
    for apartment, via in pairs:
        ways[apartment].append(doors[via])
    for apartment in apartments:
        ways[apartment].append(doors[apartment])
    return ways


def _providers(
    clients: Iterable[Client], live: Mapping[int, LiveStatus], at: datetime
) -> dict[int, list[ProviderFacts]]:
    doors = {client.pk: client.door_id for client in clients}
    ids = set(doors)
    rows = (
        waiting_assignments(at).filter(client__in=ids).select_related("provider").order_by("provider__name")
    )
    assignments = list(rows)
    enrolled = set(
        enrolled_bearers()
        .filter(staff__provider__in={row.provider_id for row in assignments})
        .values_list("staff__provider_id", flat=True)
    )
    opened = _opened({door for door in doors.values() if door is not None}, live)
    found: dict[int, list[ProviderFacts]] = defaultdict(list)
    seen: set[tuple[int, int]] = set()
    for row in assignments:
        key = (row.client_id, row.provider_id)
        if key not in seen:
            seen.add(key)
            found[row.client_id].append(
                ProviderFacts(
                    row.provider,
                    row.provider_id in enrolled,
                    opened.get((doors[row.client_id], row.provider_id)),
                )
            )
    return found


def _opened(
    apartments: Collection[int], live: Mapping[int, LiveStatus]
) -> dict[tuple[int | None, int | None], datetime]:
    """Return by apartment and provider when its present lock was last opened by the provider's staff."""
    door_of = {
        status.binding.pk: door
        for door, status in live.items()
        if door in apartments and status.binding is not None
    }
    rows = Passage.unscoped.filter(**OPENED, binding__in=door_of, provider__isnull=False)
    last = rows.order_by().values_list("binding_id", "provider_id").annotate(last=Max("happened_at"))
    return {(door_of[binding], provider): moment for binding, provider, moment in last}


def enrolled_bearers() -> QuerySet[Bearer]:
    """Return keys of people on phones that are neither revoked."""
    rows: QuerySet[Bearer] = Bearer.objects.filter(revoked_at__isnull=True, phone__revoked_at__isnull=True)
    return rows


def live_doors(at: datetime) -> QuerySet[Door]:
    """Return doors whose lock is live: `server.locks.rules.is_live`, said as a set."""
    dead = Deviation.unscoped.filter(
        Q(lock__isnull=True) | Q(lock=OuterRef("lock")),
        door=OuterRef("door"),
        kind=Deviation.Kind.DEAD_LOCK,
        closed_at__isnull=True,
    )
    bindings = Binding.objects.filter(
        ~Exists(dead),
        ends_at__isnull=True,
        commissioned_at__isnull=False,
        lock__status__last_contact_at__gte=at - LIVE_WITHIN,
        starts_at__lte=F("lock__status__last_contact_at"),
    )
    rows: QuerySet[Door] = Door.objects.filter(pk__in=bindings.values("door"))
    return rows


def ready(at: datetime) -> QuerySet[Client]:
    """Return the viewer's clients whose metal keys may go back now and have not."""
    with whole_municipality():
        live = live_doors(at).values("pk")
        on_the_way = DoorPath.unscoped.filter(apartment=OuterRef("door"))
        shut = on_the_way.filter(~Q(via__in=live) | Q(via__fallback_kind=Door.Fallback.NONE))
        not_ready = _providers_not_ready(at).filter(client=OuterRef("pk"))
        waiting = blocked(at).values("pk")
    living = (
        cared_for(at)
        .exclude(metal_keys=Client.MetalKeys.RETURNED)
        .exclude(door__fallback_kind=Door.Fallback.NONE)
        .filter(~Exists(shut), ~Exists(not_ready), door__in=live)
        .exclude(pk__in=waiting)
    )
    ended = Q(ended_at__lte=at, metal_keys=Client.MetalKeys.HANDED_OUT)
    rows: QuerySet[Client] = Client.objects.filter(Q(pk__in=living.values("pk")) | ended)
    return rows


def _providers_not_ready(at: datetime) -> QuerySet[CareAssignment]:
    reachable = enrolled_bearers().values("staff__provider")
    opened = Passage.unscoped.filter(
        **OPENED,
        binding__door=OuterRef("client__door"),
        binding__ends_at__isnull=True,
        provider=OuterRef("provider"),
    )
    return waiting_assignments(at).filter(
        Q(provider__active=False) | ~Q(provider__in=reachable) | ~Exists(opened)
    )


def with_live_locks(at: datetime) -> QuerySet[Client]:
    """Return the viewer's clients all of whose doors, from the gate on, have a live lock."""
    with whole_municipality():
        live = live_doors(at).values("pk")
        shut = DoorPath.unscoped.filter(~Q(via__in=live), apartment=OuterRef("door"))
    return cared_for(at).filter(~Exists(shut), door__in=live).annotate(area=F("door__property__area"))
