"""Admin pages of property owners, properties and doors."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from server.care.domain.consents import settle
from server.places import portfolio_pages
from server.places.models import Door, DoorPath, Property, PropertyOwner
from server.tenancy.admin_base import TenantAdmin, TenantInline

ORIGIN: tuple[Any, Any] = (
    _("Where it was imported from"),
    {"fields": ["source", "external_id"], "classes": ["collapse"]},
)


@admin.register(PropertyOwner)
class PropertyOwnerAdmin(TenantAdmin):
    """Who must consent to locks on gates and common rooms."""

    list_display = ["name", "contact_phone", "contact_email"]
    search_fields = ["name", "contact_email"]
    fieldsets = [(None, {"fields": ["name", "contact_phone", "contact_email"]}), ORIGIN]
    change_form_template = "admin/nyckelfri/care/owner_change_form.html"
    empty_hint = _("Add the owners of the houses where locks will be mounted, then their properties.")

    def get_urls(self) -> list[URLPattern]:
        """Add what an owner's contact sees, for that contact and for whoever answers the owner."""
        own = [
            path("own/", self.admin_site.admin_view(portfolio_pages.own), name="places_own_portfolio"),
            path(
                "<int:pk>/as-owner/",
                self.admin_site.admin_view(portfolio_pages.as_owner),
                name="places_propertyowner_as_owner",
            ),
        ]
        return [*own, *super().get_urls()]


@admin.register(Property)
class PropertyAdmin(TenantAdmin):
    """Properties of the owners."""

    list_display = ["designation", "owner", "area"]
    list_filter = ["area"]
    list_select_related = ["owner"]
    search_fields = ["designation", "owner__name", "area"]
    autocomplete_fields = ["owner"]
    fieldsets = [(None, {"fields": ["owner", "owner_since", "designation", "area"]}), ORIGIN]
    empty_hint = _("Add a property and choose its owner. Doors are added to properties.")

    def save_model(self, request: HttpRequest, obj: Property, form: Any, change: bool) -> None:
        """A new owner has it from today, unless the form says from when."""
        if change and "owner" in form.changed_data and "owner_since" not in form.changed_data:
            obj.owner_since = timezone.localdate()
        super().save_model(request, obj, form, change)


class DoorPathInline(TenantInline):
    """The gates and common rooms on the way."""

    model = DoorPath
    fk_name = "apartment"
    fields = ["order", "via"]
    autocomplete_fields = ["via"]
    extra = 0
    verbose_name = _("door on the way here")
    verbose_name_plural = _("doors on the way here")


@admin.register(Door)
class DoorAdmin(TenantAdmin):
    """Doors with their way in without the phone."""

    list_display = ["__str__", "floor", "property", "must_sign", "fallback_kind"]
    list_filter = ["kind", "must_sign", "fallback_kind"]
    list_select_related = ["property"]
    search_fields = ["address", "number", "property__designation", "clients__alarm_code"]
    autocomplete_fields = ["property"]
    inlines = [DoorPathInline]
    narrow_readonly = (
        "property",
        "kind",
        "address",
        "entrance",
        "floor",
        "number",
        "must_sign",
        "practice_for",
    )
    change_form_template = "admin/nyckelfri/door_change_form.html"
    fieldsets = [
        (None, {"fields": ["property", "kind", "address", "entrance", "floor", "number", "must_sign"]}),
        (
            _("Way in without the phone"),
            {"fields": ["fallback_kind", "fallback_place", "fallback_phone", "fallback_hours"]},
        ),
        (
            _("The lock"),
            {
                "fields": ["relock_seconds", "hold_seconds", "opens_with_last_energy"],
                "classes": ["collapse"],
            },
        ),
        (_("Practice place"), {"fields": ["practice_for"], "classes": ["collapse"]}),
        ORIGIN,
    ]
    empty_hint = _("Add the gate first, then the apartment, and put the gate on the way to it.")

    def save_model(self, request: HttpRequest, obj: Door, form: Any, change: bool) -> None:
        """Another way in may be what a withdrawn consent waits for."""
        super().save_model(request, obj, form, change)
        if "fallback_kind" in form.changed_data and obj.fallback_kind != Door.Fallback.NONE:
            settle(municipality=obj.municipality, at=timezone.now())


@admin.register(DoorPath)
class DoorPathAdmin(TenantAdmin):
    """Which gates lie on the way to which apartments."""

    list_display = ["apartment", "via", "order"]
    list_select_related = ["apartment", "via"]
    search_fields = ["apartment__address", "apartment__number", "via__address"]
    autocomplete_fields = ["apartment", "via"]
    empty_hint = _("Open an apartment door and add the gates on the way to it.")
