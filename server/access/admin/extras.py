"""Rights beside the plan and standing rights: lists, and the pages to give, end and review them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.access.admin import giving, reviewing, substituting
from server.access.models import ExtraRight, StandingRight
from server.places.models import Property
from server.tenancy.admin_base import ReadOnlyAdmin, TenantAdmin, TenantForm


class StateFilter(admin.SimpleListFilter):
    """Running now, to come, or over."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("running", _("running now")), ("coming", _("to come")), ("over", _("over"))]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[ExtraRight]) -> QuerySet[ExtraRight]:
        """Return the rights in the chosen state."""
        now = timezone.now()
        ended = Q(withdrawn_at__isnull=False) | Q(ends_at__lte=now)
        states = {
            "running": ~ended & Q(starts_at__lte=now),
            "coming": ~ended & Q(starts_at__gt=now),
            "over": ended,
        }
        return queryset.filter(states[self.value() or ""]) if self.value() in states else queryset


@admin.register(ExtraRight)
class ExtraRightAdmin(ReadOnlyAdmin):
    """Every right that was given or taken beside the plan."""

    revoke_target = "right"
    list_display = [
        "staff",
        "kind",
        "team",
        "client",
        "starts_at",
        "ends_at",
        "withdrawn_at",
        "reason",
        "verdict",
    ]
    list_filter = [StateFilter, "kind", "verdict"]
    list_select_related = ["staff", "team", "client"]
    search_fields = ["staff__name"]
    date_hierarchy = "starts_at"
    empty_hint = _("Rights follow the shifts. Give one by hand when the plan cannot be waited for.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExtraRight]:
        """Practice is listed when it is asked for: there nobody's home was opened."""
        rows: QuerySet[ExtraRight] = super().get_queryset(request)
        match = request.resolver_match
        in_list = match is not None and match.url_name == "access_extraright_changelist"
        if in_list and "kind__exact" not in request.GET:
            rows = rows.exclude(kind=ExtraRight.Kind.PRACTICE)
        return rows

    def get_urls(self) -> list[URLPattern]:
        """Add the pages where rights are given, ended and reviewed, and a substitute is let in."""
        wrap = self.admin_site.admin_view
        own = [
            path("give/", wrap(giving.page), name="access_give"),
            path("<int:pk>/end/", wrap(giving.end_page), name="access_end"),
            path("review/", wrap(reviewing.page), name="access_review"),
            path("substitute/", wrap(substituting.page), name="access_substitute"),
        ]
        return [*own, *super().get_urls()]


class StandingRightForm(TenantForm):
    """Areas are chosen among those that properties have."""

    areas = forms.MultipleChoiceField(
        label=_("Areas"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=(),
        help_text=_("Those that the properties name."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "areas" in self.fields:
            names = set(Property.objects.exclude(area="").values_list("area", flat=True).distinct())
            names |= set(self.instance.areas or [])  # one that no property has any more stays visible
            self.fields["areas"].choices = [(name, name) for name in sorted(names)]  # type: ignore[attr-defined]


@admin.register(StandingRight)
class StandingRightAdmin(TenantAdmin):
    """Teams whose shifts open every door of whole areas; only the patrol gives such a right."""

    form = StandingRightForm
    list_display = ["team", "where", "starts_at", "ends_at"]
    list_select_related = ["team__provider"]
    search_fields = ["team__name"]
    autocomplete_fields = ["team"]
    fields = ["team", "everywhere", "areas", "starts_at", "ends_at"]
    empty_hint = _("A night patrol's team gets its doors here: by areas, or everywhere.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is ended by its last day, never deleted: the audit trail and the review read it."""
        return False
