"""The page "who may open": for a door, a client or a person, with the verdict and why.

All verdicts come from the decision function, which knows the whole municipality. What is shown of them is
what the viewer may see: a coordinator the own staff, the own clients' doors and codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from server.access.answers import Line, Sights, opener_lines, person_lines
from server.access.decision import decide_all, who_may_open
from server.access.duties import Duty
from server.access.queries import current_extras, current_shifts
from server.care.models import Client
from server.config.rownumbers import row_number
from server.people.models import StaffMember
from server.places.models import Door
from server.tenancy.policy import policy_of
from server.tenancy.scoping import viewer_now, whole_municipality

MOST_HITS = 30
LINES_A_PAGE = 100
AHEAD = timedelta(hours=24)


def page(request: HttpRequest) -> HttpResponse:
    """Answer ?q=, ?door=, ?client= or ?staff=."""
    if not request.user.has_perm("access.view_token"):
        raise PermissionDenied
    context: dict[str, Any] = {**admin.site.each_context(request), "title": _("Who may open?")}
    query = request.GET.get("q", "").strip()
    now = timezone.now()
    if door_id := row_number(request.GET.get("door")):
        doors = Door.objects.select_related("property__owner")
        context |= _about_door(get_object_or_404(doors, pk=door_id), now)
    elif client_id := row_number(request.GET.get("client")):
        context |= _about_client(get_object_or_404(Client.objects.all(), pk=client_id), now)
    elif staff_id := row_number(request.GET.get("staff")):
        people = StaffMember.objects.select_related("provider", "municipality")
        context |= _about_person(get_object_or_404(people, pk=staff_id), now)
    elif query:
        context |= {"hits": _doors(query), "people": _people(query), "clients": _clients(query)}
    if lines := context.pop("lines", None):
        context["page"] = Paginator(lines, LINES_A_PAGE).get_page(request.GET.get("p"))
        context["page_query"] = _query_of(request)
    context |= {"query": query, "narrow": viewer_now() is not None, "now": now}
    return TemplateResponse(request, "admin/nyckelfri/who_may_open.html", context)


def _query_of(request: HttpRequest) -> str:
    asked = request.GET.copy()
    asked.pop("p", None)
    return f"{asked.urlencode()}&" if asked else ""


def _doors(query: str) -> Iterable[Door]:
    words = Q()
    for word in query.split():
        # Codes are looked up among the clients that may be seen: a joined search would find the others too.
        words &= (
            Q(address__icontains=word)
            | Q(number__iexact=word)
            | Q(pk__in=Client.objects.filter(alarm_code=word, door__isnull=False).values("door"))
            | Q(property__designation__icontains=word)
        )
    doors: Iterable[Door] = Door.objects.filter(words)[:MOST_HITS]
    return doors


def _people(query: str) -> Iterable[StaffMember]:
    people: Iterable[StaffMember] = StaffMember.objects.filter(name__icontains=query)[:MOST_HITS]
    return people


def _clients(query: str) -> Iterable[Client]:
    clients: Iterable[Client] = Client.objects.filter(alarm_code=query)[:MOST_HITS]
    return clients


def _about_door(door: Door, now: datetime) -> dict[str, Any]:
    openers = who_may_open(door, at=now, until=now + AHEAD)
    return {"door": door, "lines": _sorted(opener_lines(openers, Sights.of(viewer_now()), at=now), now)}


def _about_client(client: Client, now: datetime) -> dict[str, Any]:
    """Answer for the apartment door; the doors on the way are a press away."""
    context: dict[str, Any] = {"client": client, "lines": []}
    door = Door.objects.select_related("property__owner").filter(pk=client.door_id).first()
    if door is None:
        return context
    way = [path.via for path in door.path.select_related("via").order_by("order", "pk")]
    return {**context, **_about_door(door, now), "way": way}


def _about_person(staff: StaffMember, now: datetime) -> dict[str, Any]:
    with whole_municipality():
        duties = _duties_of(staff, now)
        decisions = decide_all(duties, at=now)
    sights = Sights.of(viewer_now())
    lines, hidden = person_lines(duties, decisions, sights)
    return {"person": staff, "duties": duties, "lines": lines, "hidden": hidden}


def _duties_of(staff: StaffMember, now: datetime) -> list[Duty]:
    grace = policy_of(staff.municipality).grace
    shifts = current_shifts(at=now - grace, until=now + AHEAD).filter(staff=staff).order_by("starts_at")
    return [*shifts, *current_extras(at=now, until=now + AHEAD).filter(staff=staff).order_by("starts_at")]


def _sorted(lines: Iterable[Line], now: datetime) -> list[Line]:
    """Order by who can open now, who can later, and who cannot."""

    def key(line: Line) -> tuple[bool, bool, str]:
        return not line.opens, line.right is not None and line.right.not_before > now, line.title

    return sorted(lines, key=key)
