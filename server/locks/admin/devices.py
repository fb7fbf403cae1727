"""The admin pages of locks. Locks are made by commissioning, so most of it is read here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from server.locks.admin import verbs
from server.locks.admin.filters import BatteryFilter, BulletinFilter, ConditionFilter, SilentFilter
from server.locks.models import Binding, Lock, LockStatus
from server.locks.overview import lock_page
from server.locks.rules import LOW_BATTERY_PERCENT
from server.tenancy.admin_base import TenantAdmin
from server.tenancy.scoping import viewer_now


@admin.register(Lock)
class LockAdmin(TenantAdmin):
    """Locks; the label can be changed, the keys cannot."""

    list_display = ["name", "door", "state", "battery", "last_contact", "clock", "firmware_version"]
    list_select_related = ["status"]
    list_filter = [ConditionFilter, SilentFilter, BatteryFilter, BulletinFilter, "state", "is_practice"]
    search_fields = ["name", "bindings__door__address", "bindings__door__clients__alarm_code"]
    fieldsets = [
        (None, {"fields": ["name", "is_practice"]}),
        (
            _("Keys and registration"),
            {
                "classes": ["collapse"],
                "fields": [
                    "state",
                    "lock_id_hex",
                    "static_public_key_hex",
                    "log_public_key_hex",
                    "seal_public_key_hex",
                    "protocol_version",
                    "suites",
                    "firmware_version",
                    "registered_at",
                ],
            },
        ),
    ]
    change_form_template = "admin/nyckelfri/locks/lock.html"
    empty_hint = _("Locks appear here when an installer commissions them at a door.")

    def get_urls(self) -> list[Any]:
        """Add what can be done with a lock."""
        own: list[URLPattern] = [
            path(
                "<int:pk>/do/<slug:verb>/",
                self.admin_site.admin_view(verbs.page),
                name="locks_lock_do",
            ),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lock]:
        """Fetch the door of each along."""
        here = Binding.objects.filter(ends_at__isnull=True).select_related("door")
        here = here.defer("commission_document", "lock_record", "sealed_adv_key", "sealed_adv_key_next")
        rows: QuerySet[Lock] = super().get_queryset(request)
        return rows.prefetch_related(Prefetch("bindings", queryset=here, to_attr="here"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only label and practice mark are changed by hand."""
        return [str(name) for name in self.fieldsets[1][1]["fields"]]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Commissioning adds locks."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A lock is retired, never deleted."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what is known of the lock above the form."""
        lock = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if lock is not None and self.has_view_permission(request, lock):
            sees = request.user.has_perm("passages.view_passage")
            context |= {"title": lock.name, "subtitle": None}
            context["page"] = lock_page(lock, at=timezone.now(), with_passages=sees)
            context["verbs"] = verbs.offered(request, lock, context["page"])
            context["low_battery"] = LOW_BATTERY_PERCENT
        shown: HttpResponse = super().change_view(request, object_id, form_url, context)
        return shown

    @admin.display(description=_("door"))
    def door(self, lock: Any) -> str:
        """Where it sits now."""
        return str(lock.here[0].door) if lock.here else "–"

    @admin.display(description=_("battery, %"), ordering="status__battery_percent")
    def battery(self, lock: Lock) -> str:
        """Charge as last told."""
        status = _status(lock)
        if status is None or status.battery_percent is None:
            return "–"
        if status.battery_percent >= LOW_BATTERY_PERCENT:
            return str(status.battery_percent)
        return format_html('<strong class="low">{} · {}</strong>', status.battery_percent, _("low"))

    @admin.display(description=_("last contact"), ordering="status__last_contact_at")
    def last_contact(self, lock: Lock) -> Any:
        """When a phone last brought something from it; for a coordinator the day, since gates are shared."""
        status = _status(lock)
        heard = status.last_contact_at if status else None
        return timezone.localdate(heard) if heard is not None and viewer_now() is not None else heard

    @admin.display(description=_("clock"), ordering="status__clock_uncertain")
    def clock(self, lock: Lock) -> str:
        """Whether it knows the time."""
        status = _status(lock)
        if status is None or (status.last_contact_at is None and not status.clock_uncertain):
            return "–"
        return str(_("uncertain") if status.clock_uncertain else _("certain"))


def _status(lock: Lock) -> LockStatus | None:
    status: LockStatus | None = getattr(lock, "status", None)
    return status
