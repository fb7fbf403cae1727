"""What a care provider and a property owner see of each model: one table, read by every scoped manager.

Every tenant model must stand here; one that does not raises as soon as a coordinator meets it. A condition
becomes part of every query on the model, so it must never multiply rows: what lies behind a relation to many
(a gate's apartments, a phone's bearers) is a sub-query on primary keys, never a join.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.apps import apps
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from server.tenancy.scoping import Sight

Condition = Callable[[int], Q]


def _rows(label: str) -> QuerySet[Model]:
    """Return all rows: the conditions below make their own walls, and must not call themselves."""
    found: QuerySet[Model] = apps.get_model(label)._base_manager.all()
    return found


def nothing(_pk: int) -> Q:
    """See no row."""
    return Q(pk__in=())


def by(path: str) -> Condition:
    """See rows whose `path`, over relations to one only, is the viewer."""
    return lambda pk: Q(**{path: pk})


def within(path: str, keys: Callable[[int], QuerySet[Any, Any]]) -> Condition:
    """See rows whose `path` is among the primary keys of a sub-query."""
    return lambda pk: Q(**{f"{path}__in": keys(pk)})


def either(*conditions: Condition) -> Condition:
    """See rows that any of the conditions shows."""

    def together(pk: int) -> Q:
        found = Q()
        for condition in conditions:
            found |= condition(pk)
        return found

    return together


# --- what is a provider's own ----------------------------------------------------------------------------


def own_clients(provider: int) -> QuerySet[Any, Any]:
    """Clients with an assignment to the provider that has not ended; one that has not begun counts too."""
    living = Q(ends_at__isnull=True) | Q(ends_at__gt=timezone.now())
    return _rows("care.CareAssignment").filter(living, provider=provider).values("client")


def own_apartments(provider: int) -> QuerySet[Any, Any]:
    """Their apartment doors."""
    return _rows("care.Client").filter(pk__in=own_clients(provider), door__isnull=False).values("door")


def _on_the_way(provider: int) -> QuerySet[Any, Any]:
    return _rows("places.DoorPath").filter(apartment__in=own_apartments(provider)).values("via")


def _practice_places(provider: int) -> Q:
    return Q(kind="practice") & (Q(practice_for__isnull=True) | Q(practice_for=provider))


own_door: Condition = either(within("pk", own_apartments), within("pk", _on_the_way), _practice_places)
"""The apartments, the gates and common rooms on the way to them, shared with whom it may be, and where the
provider's people practise: there is no door and nobody's home behind a practice lock."""


def own_doors(provider: int) -> QuerySet[Any, Any]:
    """Return the doors of `own_door`."""
    return _rows("places.Door").filter(own_door(provider)).values("pk")


def _own_properties(provider: int) -> QuerySet[Any, Any]:
    return _rows("places.Door").filter(own_door(provider)).values("property")


def _own_owners(provider: int) -> QuerySet[Any, Any]:
    return _rows("places.Property").filter(pk__in=_own_properties(provider)).values("owner")


def _own_bindings(provider: int) -> QuerySet[Any, Any]:
    return _rows("locks.Binding").filter(ends_at__isnull=True, door__in=own_doors(provider)).values("pk")


def own_locks(provider: int) -> QuerySet[Any, Any]:
    """Locks that sit on own doors now."""
    return _rows("locks.Binding").filter(ends_at__isnull=True, door__in=own_doors(provider)).values("lock")


def own_phones(provider: int) -> QuerySet[Any, Any]:
    """Phones that carry a key of own staff; a pool phone may carry others' too.

    One that carried such a key stays the provider's to see until somebody else's people have taken it over.
    """
    theirs = _rows("people.Bearer").filter(phone=OuterRef("phone"), revoked_at__isnull=True)
    keys = _rows("people.Bearer").filter(staff__provider=provider)
    living = Q(revoked_at__isnull=True) | ~Exists(theirs.exclude(staff__provider=provider))
    return keys.filter(living).values("phone")


def _phones_of_nobody_else(provider: int) -> Q:
    others = _rows("people.Bearer").filter(~Q(staff__provider=provider), revoked_at__isnull=True)
    return ~Q(pk__in=others.values("phone"))


def _own_deviation(provider: int) -> Q:
    return Q(provider=provider) | Q(provider__isnull=True, door__in=own_apartments(provider))


def _deviation(provider: int) -> Q:
    here = either(within("door", own_doors), within("lock", own_locks))(provider)
    return here & (Q(provider__isnull=True) | Q(provider=provider))


# --- what is a property owner's own ----------------------------------------------------------------------


def _portfolio(owner: int) -> QuerySet[Any, Any]:
    return _rows("places.Property").filter(owner=owner).values("pk")


def _shared_doors(owner: int) -> Q:
    return ~Q(kind__in=("apartment", "practice")) & Q(property__in=_portfolio(owner))


# --- the table -------------------------------------------------------------------------------------------

SIGHTS: Mapping[str, Sight] = {
    "people.careprovider": Sight(provider=by("pk"), owner=nothing),
    "people.team": Sight(provider=by("provider"), owner=nothing),
    "people.staffmember": Sight(provider=by("provider"), owner=nothing),
    "people.phone": Sight(provider=within("pk", own_phones), owner=nothing, changes=_phones_of_nobody_else),
    "people.phonecontact": Sight(provider=within("phone", own_phones), owner=nothing),
    "people.bearer": Sight(provider=by("staff__provider"), owner=nothing),
    "people.enrolmentcode": Sight(provider=by("staff__provider"), owner=nothing),
    "places.propertyowner": Sight(provider=within("pk", _own_owners), owner=by("pk")),
    "places.property": Sight(provider=within("pk", _own_properties), owner=by("owner")),
    # A contact never sees which apartments have a lock: that tells who has care.
    "places.door": Sight(provider=own_door, owner=_shared_doors, changes=within("pk", own_apartments)),
    "places.doorpath": Sight(provider=within("apartment", own_apartments), owner=nothing),
    "care.client": Sight(provider=within("pk", own_clients), owner=nothing),
    "care.careassignment": Sight(provider=by("provider"), owner=nothing),
    "care.consent": Sight(
        provider=either(
            within("client", own_clients), within("property", _own_properties), within("owner", _own_owners)
        ),
        owner=either(by("owner"), within("property", _portfolio)),
    ),
    # The paper itself bears a name and a signature: a provider sees that an owner consented, not the owner's.
    "care.consentdocument": Sight(
        provider=within("consent__client", own_clients),
        owner=either(by("consent__owner"), within("consent__property", _portfolio)),
    ),
    "care.shift": Sight(provider=by("provider"), owner=nothing),
    "care.visit": Sight(provider=by("shift__provider"), owner=nothing),
    "locks.lock": Sight(provider=within("pk", own_locks), owner=nothing),
    "locks.lockstatus": Sight(provider=within("lock", own_locks), owner=nothing),
    "locks.binding": Sight(provider=within("pk", _own_bindings), owner=nothing),
    "locks.bindinggroup": Sight(provider=by("provider"), owner=nothing),
    "locks.bulletin": Sight(provider=within("binding", _own_bindings), owner=nothing),
    "locks.firmwarerelease": Sight(provider=nothing, owner=nothing),
    "locks.bulletindue": Sight(provider=nothing, owner=nothing),
    "locks.serviceright": Sight(provider=nothing, owner=nothing),
    "locks.logposition": Sight(provider=nothing, owner=nothing),
    "locks.workorder": Sight(provider=within("door", own_doors), owner=nothing),
    "access.token": Sight(provider=by("provider"), owner=nothing),
    "access.extraright": Sight(provider=by("provider"), owner=nothing),
    "access.standingright": Sight(provider=by("team__provider"), owner=nothing),
    "access.revocation": Sight(
        provider=either(
            by("provider"),
            by("staff__provider"),
            by("bearer__staff__provider"),
            by("token__provider"),
            within("phone", own_phones),
        ),
        owner=nothing,
    ),
    # Strictly the own: at a shared gate nobody sees when others come and go.
    "passages.passage": Sight(provider=by("provider"), owner=nothing),
    "passages.sealedbatch": Sight(provider=nothing, owner=nothing),
    # Numbers tell how often others came and went: a provider learns in its own log that something is missing.
    "passages.loggap": Sight(provider=nothing, owner=nothing),
    "passages.batchhead": Sight(provider=nothing, owner=nothing),
    "passages.lockclock": Sight(provider=nothing, owner=nothing),
    "passages.passagecount": Sight(provider=by("provider"), owner=nothing),
    "passages.deviation": Sight(provider=_deviation, owner=nothing, changes=_own_deviation),
    # Who else was asked, and who else went, is between the patrol and them.
    "alarms.alarm": Sight(provider=by("taken_by__provider"), owner=nothing),
    "alarms.alarmoffer": Sight(provider=by("staff__provider"), owner=nothing),
    "alarms.alarmteam": Sight(provider=by("team__provider"), owner=nothing),
    "alarms.alarmcall": Sight(provider=nothing, owner=nothing),
    "alarms.alarmsystem": Sight(provider=nothing, owner=nothing),
    "alarms.alarmpolicy": Sight(provider=nothing, owner=nothing),
    # A switch is both providers' matter; what others hold at the same gates is the patrol's alone.
    "switches.providerswitch": Sight(provider=either(by("from_provider"), by("to_provider")), owner=nothing),
    "switches.switchedclient": Sight(
        provider=either(by("switch__from_provider"), by("switch__to_provider")), owner=nothing
    ),
    "switches.switcheddoor": Sight(
        provider=either(by("switched__switch__from_provider"), by("switched__switch__to_provider")),
        owner=nothing,
    ),
    "switches.gateneighbour": Sight(provider=nothing, owner=nothing),
    "integrations.apikey": Sight(provider=nothing, owner=nothing),
    "integrations.importrun": Sight(provider=by("provider"), owner=nothing),
    "audit.auditentry": Sight(provider=nothing, owner=nothing),
    "privacy.privacypolicy": Sight(provider=nothing, owner=nothing),
    "privacy.shredding": Sight(provider=nothing, owner=nothing),
    "tenancy.manifest": Sight(provider=nothing, owner=nothing),
    "tenancy.manifestdraft": Sight(provider=nothing, owner=nothing),
    "tenancy.rolekey": Sight(provider=nothing, owner=nothing),
}
