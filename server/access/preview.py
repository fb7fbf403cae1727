"""The page "who may open": for a door everybody on shift with the verdict, for a person every door."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from server.access.decision import Opener, decide_all, who_may_open
from server.access.duties import Duty
from server.access.queries import current_shifts
from server.access.reasons import WhyNot
from server.access.rules import Ground, Refusal, Right
from server.care.models import Shift
from server.people.models import StaffMember
from server.places.models import Door
from server.tenancy.policy import policy_of

MOST_HITS = 30
AHEAD = timedelta(hours=24)


@dataclass(frozen=True)
class Line:
    """One line of the answer: a person or a door, and why or why not."""

    title: str
    link_kind: str
    link_id: int | None
    opens: bool
    why: str
    right: Right | None = None
    shift: Duty | None = None


def page(request: HttpRequest) -> HttpResponse:
    """Answer ?q=, ?door= or ?staff=; all verdicts come from the decision function."""
    if not request.user.has_perm("access.view_token"):
        raise PermissionDenied
    context: dict[str, Any] = {**admin.site.each_context(request), "title": _("Who may open?")}
    query = request.GET.get("q", "").strip()
    if door_id := _number(request.GET.get("door")):
        doors = Door.objects.select_related("property__owner")
        context |= _about_door(get_object_or_404(doors, pk=door_id))
    elif staff_id := _number(request.GET.get("staff")):
        people = StaffMember.objects.select_related("provider", "municipality")
        context |= _about_person(get_object_or_404(people, pk=staff_id))
    elif query:
        context |= {"hits": _doors(query), "people": _people(query)}
    return TemplateResponse(request, "admin/nyckelfri/who_may_open.html", {**context, "query": query})


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() and len(text) < 19 else None


def _doors(query: str) -> Iterable[Door]:
    words = Q()
    for word in query.split():
        words &= (
            Q(address__icontains=word)
            | Q(number__iexact=word)
            | Q(clients__alarm_code=word)
            | Q(property__designation__icontains=word)
        )
    doors: Iterable[Door] = Door.objects.filter(words).distinct()[:MOST_HITS]
    return doors


def _people(query: str) -> Iterable[StaffMember]:
    people: Iterable[StaffMember] = StaffMember.objects.filter(name__icontains=query)[:MOST_HITS]
    return people


def _about_door(door: Door) -> dict[str, Any]:
    now = timezone.now()
    openers = who_may_open(door, at=now, until=now + AHEAD)
    lines = [_opener_line(opener) for opener in openers]
    return {"door": door, "lines": sorted(lines, key=lambda line: (not line.opens, line.title))}


def _opener_line(opener: Opener) -> Line:
    staff = opener.duty.staff
    grounds = opener.right.grounds if opener.right else ()
    why = _in_words(opener.why_not) if opener.why_not else _grounds(grounds)
    return Line(staff.name, "staff", staff.pk, opener.right is not None, why, opener.right, opener.duty)


def _about_person(staff: StaffMember) -> dict[str, Any]:
    now = timezone.now()
    grace = policy_of(staff.municipality).grace
    shifts = list(current_shifts(at=now - grace, until=now + AHEAD).filter(staff=staff).order_by("starts_at"))
    decisions = decide_all(shifts, at=now)
    lines = []
    for shift in shifts:
        decision = decisions[shift]
        lines += [_right_line(shift, right) for right in decision.rights]
        lines += [_refusal_line(shift, refusal) for refusal in decision.refusals]
    return {"person": staff, "shifts": shifts, "lines": lines}


def _right_line(shift: Shift, right: Right) -> Line:
    return Line(str(right.door), "door", right.door.pk, True, _grounds(right.grounds), right, shift)


def _refusal_line(shift: Shift, refusal: Refusal) -> Line:
    title = str(refusal.door) if refusal.door else str(refusal.client or _("The whole shift"))
    link = refusal.door.pk if refusal.door else None
    return Line(title, "door", link, False, _in_words(refusal.reason), None, shift)


def _grounds(grounds: tuple[Ground, ...]) -> str:
    own = sorted(ground.client.alarm_code for ground in grounds if not ground.on_the_way)
    way = sorted(ground.client.alarm_code for ground in grounds if ground.on_the_way)
    parts = []
    if own:
        parts.append(_("Care at %(codes)s") % {"codes": ", ".join(own)})
    if way:
        parts.append(_("On the way to %(codes)s") % {"codes": ", ".join(way)})
    return " · ".join(parts)


def _in_words(reason: WhyNot) -> str:
    return reason.en if get_language() == "en" else reason.sv
