"""The list of missing signatures: whom to ask, for which doors, and how many clients wait."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from server.care import missing
from server.care.admin.parts import demand
from server.care.models import CareAssignment, Client
from server.config.csvfile import csv_file
from server.places.models import PropertyOwner

PER_PAGE = 50
OWNERS, CLIENTS = "owners", "clients"


def page(request: HttpRequest) -> HttpResponse:
    """Answer ?who=owners or clients, ?area= and ?p=; who holds up most stands first."""
    demand(request, "care.view_consent", "care.view_client")
    now, who, area = timezone.now(), _who(request), request.GET.get("area", "")
    owners, clients = missing.owners_to_ask(now, area=area), missing.clients_to_ask(now, area=area)
    rows: QuerySet[Any, Any] = owners if who == OWNERS else clients
    shown = _page(request, rows)
    if who == CLIENTS:
        _say_who_meets(shown)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Missing consents"),
        "who": who,
        "area": area,
        "areas": missing.areas(),
        "page": shown,
        "page_query": urlencode({"who": who, "area": area}) + "&",
        "owner_count": owners.count(),
        "client_count": clients.count(),
        "waiting": missing.blocked(now, area=area).count(),
        "may_add": request.user.has_perm("care.add_consent"),
        "may_ask_owners": request.user.has_perm("care.change_consent"),
    }
    return TemplateResponse(request, "admin/nyckelfri/care/missing.html", context)


def owner_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one owner's doors that wait, and how many clients behind each."""
    demand(request, "care.view_consent", "care.view_client")
    owner = get_object_or_404(PropertyOwner.objects.all(), pk=pk)
    now = timezone.now()
    doors = missing.doors_of_owner(owner.pk, now)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Missing consents"),
        "owner": owner,
        "page": _page(request, doors),
        "waiting": missing.owners_to_ask(now).filter(property__owner=owner).first(),
        "may_ask_owners": request.user.has_perm("care.change_consent"),
    }
    return TemplateResponse(request, "admin/nyckelfri/care/missing_owner.html", context)


def export(request: HttpRequest) -> HttpResponse:
    """Return the same list, all of it, as a file."""
    demand(request, "care.view_consent", "care.view_client")
    now, area = timezone.now(), request.GET.get("area", "")
    rows = _owner_rows(now, area) if _who(request) == OWNERS else _client_rows(now, area)
    head = [
        _("Who must sign"),
        _("Whom to ask"),
        _("telephone"),
        _("e-mail"),
        _("Doors"),
        _("Clients waiting"),
    ]
    return csv_file(name=f"medgivanden-{timezone.localdate()}", head=head, rows=rows)


def _owner_rows(now: Any, area: str) -> Iterator[list[Any]]:
    for row in missing.owners_to_ask(now, area=area):
        yield [
            _("property owner"),
            row["name"],
            row["phone"],
            row["email"],
            row["door_count"],
            row["client_count"],
        ]


def _client_rows(now: Any, area: str) -> Iterator[list[Any]]:
    for client in missing.clients_to_ask(now, area=area):
        assert client.door is not None  # noqa: S101  the list is of clients with a door
        signatory = client.door.get_must_sign_display()
        yield [signatory, client.alarm_code, "", "", str(client.door), _waiting(client)]


def _say_who_meets(page: Page[Client]) -> None:
    """Hang onto each client (`met_by`) the providers that meet it, as far as the viewer may see them."""
    rows = CareAssignment.objects.filter(client__in=[client.pk for client in page])
    found: dict[int, set[str]] = defaultdict(set)
    for client, provider in rows.values_list("client_id", "provider__name"):
        found[client].add(provider)
    for client in page:
        client.met_by = ", ".join(sorted(found[client.pk]))  # type: ignore[attr-defined]


def _waiting(client: Client) -> int:
    count: int = client.waiting_count  # type: ignore[attr-defined]
    return count


def _who(request: HttpRequest) -> str:
    return CLIENTS if request.GET.get("who") == CLIENTS else OWNERS


def _page(request: HttpRequest, rows: QuerySet[Any, Any]) -> Page[Any]:
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
