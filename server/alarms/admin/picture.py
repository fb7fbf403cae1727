"""What the page of one alarm shows: its course with times, the doors, and everybody who was asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from server.access.decision import decide
from server.access.models import ExtraRight, Token
from server.access.queries import extras_with_people, ways_to
from server.alarms.models import Alarm, AlarmOffer
from server.alarms.queries import asked, offer_for
from server.alarms.rules import in_words
from server.places.models import Door
from server.tenancy.scoping import whole_municipality

MINUTE_S = 60
HOUR_S = 3600


@dataclass(frozen=True)
class Step:
    """One thing that happened, or has not yet (`at` is None)."""

    title: str | Promise
    at: datetime | None
    after: str = ""
    """How long after the alarm, in words."""
    note: str = ""
    warning: bool = False


@dataclass(frozen=True)
class DoorLine:
    """One door on the way, and whether whoever goes can open it."""

    door: Door
    opens_until: datetime | None = None
    fetched_at: datetime | None = None
    why_not: str = ""


@dataclass(frozen=True)
class OfferLine:
    """Somebody who was asked."""

    offer: AlarmOffer
    grounds: list[str]


def picture_of(alarm: Alarm, *, at: datetime) -> dict[str, Any]:
    """Return the template's context; the alarm's client and door must be fetched along."""
    taken = offer_for(alarm, alarm.taken_by_id) if alarm.taken_by_id is not None else None
    right = taken.right if taken is not None else None
    offers = [OfferLine(offer, in_words(offer.grounds)) for offer in asked(alarm)]
    doors = _doors(alarm, right, at)
    apartment = next((line.door for line in doors if line.door.pk == alarm.client.door_id), None)
    return {
        "alarm": alarm,
        "now": at,
        "running_for": lasted((alarm.ended_at or at) - alarm.raised_at),
        "steps": _steps(alarm, offers),
        "offers": offers,
        "right": right,
        "right_is_over": right is not None and (right.withdrawn_at is not None or right.ends_at <= at),
        "doors": doors,
        "apartment": apartment,
        "unanswered": alarm.state == Alarm.State.RAISED,
    }


def lasted(length: timedelta) -> str:
    """Return a length of time in words, as exactly as it matters: "40 s", "9 min 5 s", "2 h 3 min"."""
    seconds = max(int(length.total_seconds()), 0)
    if seconds < MINUTE_S:
        return gettext("%(s)d s") % {"s": seconds}
    if seconds < HOUR_S:
        return gettext("%(m)d min %(s)d s") % {"m": seconds // MINUTE_S, "s": seconds % MINUTE_S}
    return gettext("%(h)d h %(m)d min") % {"h": seconds // HOUR_S, "m": seconds % HOUR_S // MINUTE_S}


def _steps(alarm: Alarm, offers: list[OfferLine]) -> list[Step]:
    def after(moment: datetime | None) -> str:
        return lasted(moment - alarm.raised_at) if moment is not None else ""

    first = min((line.offer.offered_at for line in offers), default=None)
    steps = [
        Step(_("Alarm raised"), alarm.raised_at, note=_raised_by(alarm)),
        Step(_("Offered"), first, after(first), _asked_how_many(len(offers)), warning=not offers),
        Step(
            _("Taken by"),
            alarm.taken_at,
            after(alarm.taken_at),
            str(alarm.taken_by) if alarm.taken_by else "",
            warning=alarm.state == Alarm.State.RAISED,
        ),
        _arrival(alarm, after(alarm.arrived_at)),
    ]
    if alarm.ended_at is not None:
        steps.append(Step(_("Ended"), alarm.ended_at, after(alarm.ended_at), alarm.get_why_display()))
    return steps


def _raised_by(alarm: Alarm) -> str:
    if alarm.system is not None:
        return str(alarm.system)
    return str(alarm.raised_by.get_full_name() or alarm.raised_by.get_username()) if alarm.raised_by else ""


def _asked_how_many(count: int) -> str:
    if not count:
        return gettext("nobody is on duty who could be asked")
    return ngettext("%(count)d person asked", "%(count)d people asked", count) % {"count": count}


def _arrival(alarm: Alarm, after: str) -> Step:
    if alarm.arrived_at is None:
        return Step(_("Door opened"), None, note=gettext("shown when the lock's log has come in"))
    note = gettext("by the lock's own log")
    if alarm.arrival_uncertain:
        note = gettext("the lock was not sure of the time")
        after = ""
    return Step(_("Door opened"), alarm.arrived_at, after, note, warning=alarm.arrival_uncertain)


def _doors(alarm: Alarm, right: ExtraRight | None, at: datetime) -> list[DoorLine]:
    doors = _doors_seen(alarm.client.door)
    if right is None or right.withdrawn_at is not None:
        return [DoorLine(door) for door in doors]
    tokens = {token.binding.door_id: token for token in _tokens(right)}
    decision = decide(duty=extras_with_people().get(pk=right.pk), at=at)
    lines = []
    for door in doors:
        token, why = tokens.get(door.pk), decision.why_not(door.pk)
        if token is not None:
            lines.append(DoorLine(door, token.expires, token.delivered_at))
        else:
            lines.append(DoorLine(door, why_not=_words(why)))
    return lines


def _doors_seen(apartment: Door | None) -> list[Door]:
    """Return the way in, as far as the viewer may see it: own staff may have gone to a client of others."""
    if apartment is None:
        return []
    with whole_municipality():
        doors = [*ways_to([apartment.pk]).get(apartment.pk, []), apartment]
    seen = set(Door.objects.filter(pk__in=[door.pk for door in doors]).values_list("pk", flat=True))
    return [door for door in doors if door.pk in seen]


def _tokens(right: ExtraRight) -> Iterable[Token]:
    tokens = Token.objects.filter(extra=right, revoked_at__isnull=True, replaced_at__isnull=True)
    return tokens.defer("document").select_related("binding").order_by("delivered_at")


def _words(why: Any) -> str:
    if why is None:
        return gettext("not issued yet")
    return str(why.sv if get_language() == "sv" else why.en)


def with_all(queryset: Any) -> Any:
    """Fetch along what the page reads of an alarm."""
    return queryset.select_related(
        "client__door__property", "municipality", "taken_by__provider", "raised_by", "system", "ended_by"
    )
