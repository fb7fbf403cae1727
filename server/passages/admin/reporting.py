"""The page where somebody says what is wrong at a door, found by address or alarm code among their own."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from server.care.models import Client
from server.config.rownumbers import row_number
from server.passages.domain.handling import REPORTABLE, report
from server.people.models import User
from server.places.models import Door

HITS = 20


def page(request: HttpRequest) -> HttpResponse:
    """Find the door and ask what is wrong (GET), or note it (POST)."""
    user = request.user
    if not user.has_perm("passages.change_deviation") or not user.has_perm("places.view_door"):
        raise PermissionDenied
    door = _door(request.POST.get("door") or request.GET.get("door", ""))
    if request.method == "POST" and door is not None:
        kind = request.POST.get("kind", "")
        if kind not in REPORTABLE:
            raise Http404
        report(kind=kind, door=door, at=timezone.now(), actor=actor(request), source="reported_by_person")
        messages.success(request, gettext("Reported."))
        return redirect("admin:passages_deviation_changelist")
    query = request.GET.get("q", "").strip()[:60]
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Report what is wrong at a door"),
        "door": door,
        "kinds": [(kind.value, kind.label) for kind in REPORTABLE],
        "query": query,
        "hits": _doors(query) if query and door is None else [],
    }
    return TemplateResponse(request, "admin/nyckelfri/locks/report.html", context)


def _door(number: str) -> Door | None:
    if not number:
        return None
    found: Door = get_object_or_404(Door.objects.select_related("property"), pk=row_number(number))
    return found


def _doors(query: str) -> list[Door]:
    lived = Client.objects.filter(alarm_code=query, door__isnull=False).values("door")
    rows = Door.objects.filter(Q(address__icontains=query) | Q(pk__in=lived))
    return list(rows.select_related("property").order_by("address", "kind", "number")[:HITS])


def actor(request: HttpRequest) -> User:
    """Return who is signed in, for verbs that note who did it."""
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    return request.user
