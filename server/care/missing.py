"""Who still has to sign, and how many clients wait for it: sets in the database, never row by row.

The same rule as `server.access.consents`, said in SQL, since a city has sixteen thousand clients and one list
of whom to ask. What is counted is narrow where the viewer is: a coordinator's list counts own clients only,
while whether a consent holds is the whole truth.

What stands in a sub-query beside a row is found by that row's own keys, and so in its municipality without
naming it: a planner without statistics would otherwise go by the municipality and read all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, TruncDate

from server.care.models import CareAssignment, Client, Consent
from server.places.models import Door, DoorPath, Property
from server.tenancy.scoping import seen_by, viewer_now, whole_municipality

LONG_AGO = date(1, 1, 1)
RESIDENTS = (Door.Signatory.RESIDENT, Door.Signatory.REPRESENTATIVE)


def holding(at: datetime) -> Q:
    """Return the condition: a consent holds at `at`."""
    begun = Q(valid_from__lte=at)
    unended = Q(valid_to__isnull=True) | Q(valid_to__gt=at)
    return begun & unended & (Q(withdrawn_at__isnull=True) | Q(withdrawn_at__gt=at))


def living(at: datetime) -> Q:
    """Return the condition: a client's care has not ended."""
    return Q(ended_at__isnull=True) | Q(ended_at__gt=at)


@whole_municipality()
def waiting_assignments(at: datetime) -> QuerySet[CareAssignment]:
    """Return assignments that run or are to begin."""
    rows: QuerySet[CareAssignment] = CareAssignment.objects.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=at)
    )
    return rows


def cared_for(at: datetime) -> QuerySet[Client]:
    """Return the viewer's clients who have a door and care, now or soon; a pause is no end."""
    rows: QuerySet[Client] = Client.objects.filter(living(at), door__isnull=False)
    return rows.filter(Exists(waiting_assignments(at).filter(client=OuterRef("pk"))))


@whole_municipality()
def lacking_properties(at: datetime, *, without: Consent | None = None) -> QuerySet[Property]:
    """Return properties whose owner has not consented as of `at`, or would not have but for `without`."""
    consents = Consent.objects.filter(holding(at), signed_by=Door.Signatory.OWNER)
    if without is not None:
        consents = consents.exclude(pk=without.pk)
    own = consents.filter(property=OuterRef("pk"))
    day = Coalesce("signed_on", TruncDate("valid_from"))
    since = Coalesce(OuterRef("owner_since"), Value(LONG_AGO))
    whole = consents.filter(owner=OuterRef("owner")).alias(given=day)
    covering = whole.filter(Q(covers_later=True) | Q(given__gte=since))
    rows: QuerySet[Property] = Property.objects.filter(~Exists(own), ~Exists(covering))
    return rows


def own_consents(at: datetime, *, without: Consent | None = None) -> QuerySet[Consent]:
    """Return, for use beside clients, the client's holding consents by whoever must sign for the door."""
    rows: QuerySet[Consent] = Consent.unscoped.filter(
        holding(at), client=OuterRef("pk"), signed_by=OuterRef("door__must_sign")
    )
    return rows if without is None else rows.exclude(pk=without.pk)


def owner_doors(at: datetime, *, area: str = "") -> QuerySet[Door]:
    """Return one row for each door that waits for its owner and each of the viewer's clients behind it.

    Every row has `waiting`, the client's id. A gate has apartments behind it and no client of its own, an
    apartment the other way round, so neither multiplies the other.
    """
    doors: QuerySet[Door] = Door.objects.filter(
        must_sign=Door.Signatory.OWNER, property__in=lacking_properties(at).values("pk")
    )
    if area:
        doors = doors.filter(property__area=area)
    behind = doors.annotate(waiting=Coalesce("leads_to__apartment__clients", "clients"))
    return behind.filter(waiting__in=cared_for(at).values("pk"))


def owners_to_ask(at: datetime, *, area: str = "") -> QuerySet[Any, Any]:
    """Return owners who must sign, with how many doors, properties and clients wait; most clients first."""
    return (
        owner_doors(at, area=area)
        .values(
            owner=F("property__owner"),
            name=F("property__owner__name"),
            phone=F("property__owner__contact_phone"),
            email=F("property__owner__contact_email"),
        )
        .annotate(
            client_count=Count("waiting", distinct=True),
            door_count=Count("pk", distinct=True),
            estate_count=Count("property", distinct=True),
        )
        .order_by("-client_count", "name", "owner")
    )


def doors_of_owner(owner_id: int, at: datetime) -> QuerySet[Door]:
    """Return an owner's doors that wait for the signature, each with how many `clients` wait behind it."""
    counted = (
        owner_doors(at)
        .filter(property__owner=owner_id, pk=OuterRef("pk"))
        .order_by()
        .values("pk")
        .annotate(n=Count("waiting", distinct=True))
        .values("n")
    )
    doors: QuerySet[Door] = Door.objects.filter(
        property__owner=owner_id, pk__in=owner_doors(at).filter(property__owner=owner_id).values("pk")
    )
    return (
        doors.annotate(client_count=Subquery(counted))
        .select_related("property")
        .order_by("-client_count", "pk")
    )


def clients_to_ask(at: datetime, *, area: str = "") -> QuerySet[Client]:
    """Return the viewer's clients who, or whose representative, must sign; those who hold up most first.

    A door's lock needs everybody who lives there, so a signature keeps the others behind it waiting too.
    """
    rows = cared_for(at).filter(door__must_sign__in=RESIDENTS).filter(~Exists(own_consents(at)))
    if area:
        rows = rows.filter(door__property__area=area)
    together = _at_the_same_door(at).order_by().values("door").annotate(n=Count("pk"))
    return (
        rows.annotate(waiting_count=Coalesce(Subquery(together.values("n")), Value(1)))
        .select_related("door__property")
        .order_by("-waiting_count", "door__address", "alarm_code")
    )


def _at_the_same_door(at: datetime) -> QuerySet[Client]:
    """Return, for use beside clients, the viewer's clients behind the same door."""
    rows: QuerySet[Client] = Client.unscoped.filter(living(at), door=OuterRef("door"))
    viewer = viewer_now()
    rows = rows if viewer is None else seen_by(viewer, rows)
    return rows.filter(Exists(waiting_assignments(at).filter(client=OuterRef("pk"))))


def blocked(at: datetime, *, area: str = "") -> QuerySet[Client]:
    """Return the viewer's clients for whom any signature is missing, at the apartment or on the way to it."""
    lacking = lacking_properties(at).values("pk")
    on_the_way = DoorPath.unscoped.filter(apartment=OuterRef("door"), via__property__in=lacking)
    by_owner = Q(door__must_sign=Door.Signatory.OWNER)
    waits = (
        Exists(on_the_way)
        | (by_owner & Q(door__property__in=lacking))
        | (~by_owner & ~Exists(own_consents(at)))
    )
    rows = cared_for(at).filter(waits)
    return rows.filter(door__property__area=area) if area else rows


@dataclass(frozen=True)
class Signatory:
    """Whose signature it is: one of them is set."""

    client: int | None = None
    property: int | None = None
    owner: int | None = None

    @classmethod
    def of(cls, consent: Consent) -> Signatory:
        """Return whose signature a consent is."""
        return cls(client=consent.client_id, property=consent.property_id, owner=consent.owner_id)


def behind(signatory: Signatory, at: datetime) -> QuerySet[Client]:
    """Return the viewer's clients whom a signature concerns."""
    rows = cared_for(at)
    if signatory.client is not None:
        with whole_municipality():
            door = Client.objects.filter(pk=signatory.client, door__isnull=False).values("door")
        return rows.filter(door__in=door)
    if signatory.property is not None:
        via, own = Q(via__property=signatory.property), Q(door__property=signatory.property)
    else:
        via, own = Q(via__property__owner=signatory.owner), Q(door__property__owner=signatory.owner)
    on_the_way = DoorPath.unscoped.filter(via, apartment=OuterRef("door"))
    return rows.filter(Exists(on_the_way) | (own & Q(door__must_sign=Door.Signatory.OWNER)))


def blocked_behind(signatory: Signatory, at: datetime) -> int:
    """Return how many of the viewer's clients behind a signature still wait for any."""
    return blocked(at).filter(pk__in=behind(signatory, at).values("pk")).count()


def areas() -> list[str]:
    """Return the areas that the viewer's properties lie in."""
    rows = Property.objects.exclude(area="").order_by("area").values_list("area", flat=True).distinct()
    return list(rows)


def coverage(at: datetime) -> Mapping[str, tuple[int, int]]:
    """Return by area how many of the viewer's clients wait for no signature, and how many there are."""

    def count(rows: QuerySet[Client]) -> dict[str, int]:
        by_area = rows.order_by().values("door__property__area").annotate(n=Count("pk"))
        return {row["door__property__area"]: row["n"] for row in by_area}

    everybody, waiting = count(cared_for(at)), count(blocked(at))
    return {area: (total - waiting.get(area, 0), total) for area, total in sorted(everybody.items())}
