"""Planning installations: choose a property or an area, look at what would be ordered, then order it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from server.config.rownumbers import row_number
from server.locks.domain.orders import MOST_AT_ONCE, plan_mountings
from server.locks.order_queries import doors_to_mount, proposals
from server.people.models import User
from server.people.queries import visible_users
from server.people.roles import Role
from server.places.models import Property


class PlanForm(forms.Form):
    """When, and who."""

    planned_for = forms.DateField(
        label=_("Planned for"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    installer = forms.ModelChoiceField(label=_("Installer"), required=False, queryset=User.objects.none())


def page(request: HttpRequest) -> HttpResponse:
    """Show what would be ordered (GET), or order it (POST)."""
    user = request.user
    if not user.has_perm("locks.plan_workorder"):
        raise PermissionDenied
    assert isinstance(user, User)  # noqa: S101  admin_view lets nobody else in
    place, chosen = _place(request)
    form = PlanForm(request.POST or None)
    field = form.fields["installer"]
    assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  it is declared so above
    field.queryset = visible_users(User.objects.all(), user).filter(role=Role.INSTALLER, is_active=True)
    if request.method == "POST" and chosen and form.is_valid():
        made = plan_mountings(**place, **form.cleaned_data, at=timezone.now(), actor=user)
        messages.success(
            request,
            ngettext("%(n)d order made.", "%(n)d orders made.", len(made)) % {"n": len(made)},
        )
        return redirect("admin:locks_workorder_changelist")
    query = request.GET.get("q", "").strip()[:60]
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Plan installations"),
        "form": form,
        "query": query,
        "hits": Property.objects.filter(designation__icontains=query)[:20] if query else [],
        "areas": list(
            Property.objects.exclude(area="").order_by("area").values_list("area", flat=True).distinct()
        ),
        "chosen": chosen,
        "area": place.get("area", ""),
        "most": MOST_AT_ONCE,
    }
    if chosen:
        doors = list(doors_to_mount(**place)[: MOST_AT_ONCE + 1])
        context["more"] = len(doors) > MOST_AT_ONCE
        context["proposals"] = proposals(doors[:MOST_AT_ONCE], at=timezone.now())
        context["ready"] = sum(not one.blocks for one in context["proposals"])
    return TemplateResponse(request, "admin/nyckelfri/locks/plan.html", context)


def _place(request: HttpRequest) -> tuple[dict[str, Any], str]:
    """Return where, as `doors_to_mount` takes it, and its name; both empty before anything is chosen."""
    number, area = request.GET.get("property", ""), request.GET.get("area", "").strip()[:60]
    if number:
        estate = get_object_or_404(Property.objects.all(), pk=row_number(number))
        return {"property_id": estate.pk}, str(estate)
    return ({"area": area}, area) if area else ({}, "")
