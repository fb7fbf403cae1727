"""The page of an owner's contact: own properties, consents, locks, counts of passages, nothing else."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from server.people.models import User
from server.places.models import PropertyOwner
from server.places.portfolio import (
    FEWEST,
    consents_of,
    estates,
    months_before,
    properties_of,
    totals,
)
from server.tenancy.scoping import viewer_now, whole_municipality

PER_PAGE = 25
MOST_CONSENTS = 50


def own(request: HttpRequest) -> HttpResponse:
    """Show the signed-in contact's own properties."""
    user = request.user
    if not user.has_perm("places.view_own_portfolio"):
        raise PermissionDenied
    assert isinstance(user, User)  # noqa: S101  admin_view lets nobody else in
    if user.owner_id is None:
        messages.info(request, _("Open a property owner and choose: as the owner sees it."))
        return redirect("admin:places_propertyowner_changelist")
    with whole_municipality():
        owner = get_object_or_404(PropertyOwner.objects.all(), pk=user.owner_id)
    return _answer(request, owner, of_contact=True)


def as_owner(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what the owner's contact sees, to whoever answers the owner's questions."""
    if not request.user.has_perm("places.change_propertyowner") or viewer_now() is not None:
        raise PermissionDenied
    return _answer(request, get_object_or_404(PropertyOwner.objects.all(), pk=pk), of_contact=False)


def _answer(request: HttpRequest, owner: PropertyOwner, *, of_contact: bool) -> HttpResponse:
    now = timezone.now()
    page = Paginator(properties_of(owner), PER_PAGE).get_page(request.GET.get("p"))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("My properties") if of_contact else _("As the owner sees it"),
        "owner": owner,
        "of_contact": of_contact,
        "page": page,
        "estates": estates(list(page), at=now),
        "totals": totals(owner, at=now),
        "consents": list(consents_of(owner)[:MOST_CONSENTS]),
        "months": months_before(now),
        "fewest": FEWEST,
        "now": now,
    }
    return TemplateResponse(request, "admin/nyckelfri/care/portfolio.html", context)
