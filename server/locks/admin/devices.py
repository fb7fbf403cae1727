"""The admin pages of locks. Locks are made by commissioning, so most of it is read here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from server.locks.models import Lock, LockStatus
from server.tenancy.admin_base import TenantAdmin


@admin.register(Lock)
class LockAdmin(TenantAdmin):
    """Locks; the label can be changed, the keys cannot."""

    list_display = [
        "name",
        "state",
        "lock_id_hex",
        "battery",
        "last_contact",
        "clock_uncertain",
        "firmware_version",
    ]
    list_select_related = ["status"]
    list_filter = ["state", "is_practice"]
    search_fields = ["name", "bindings__door__address", "bindings__door__clients__alarm_code"]
    fields = [
        "name",
        "is_practice",
        "state",
        "lock_id_hex",
        "static_public_key_hex",
        "log_public_key_hex",
        "seal_public_key_hex",
        "protocol_version",
        "firmware_version",
        "registered_at",
    ]
    empty_hint = _("Locks appear here when an installer commissions them at a door.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only label and practice mark are changed by hand."""
        return [str(name) for name in self.fields or () if name not in ("name", "is_practice")]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Commissioning adds locks."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A lock is retired, never deleted."""
        return False

    @admin.display(description=_("battery, %"), ordering="status__battery_percent")
    def battery(self, lock: Lock) -> str:
        """Charge as last told."""
        status = _status(lock)
        return "–" if status is None or status.battery_percent is None else str(status.battery_percent)

    @admin.display(description=_("last contact"), ordering="status__last_contact_at")
    def last_contact(self, lock: Lock) -> Any:
        """When a phone last brought something from it."""
        status = _status(lock)
        return status.last_contact_at if status else None

    @admin.display(description=_("clock uncertain"), boolean=True)
    def clock_uncertain(self, lock: Lock) -> bool:
        """Whether it does not know the time."""
        status = _status(lock)
        return bool(status and status.clock_uncertain)


def _status(lock: Lock) -> LockStatus | None:
    status: LockStatus | None = getattr(lock, "status", None)
    return status
