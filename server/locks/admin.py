"""Admin pages of locks. Locks and bindings are made by commissioning, so most of it is read here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from server.locks.models import (
    Binding,
    BindingGroup,
    Bulletin,
    Lock,
    LockStatus,
    LogPosition,
)
from server.tenancy.admin_base import ReadOnlyAdmin, TenantAdmin


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


@admin.register(LockStatus)
class LockStatusAdmin(ReadOnlyAdmin):
    """What the locks last told about themselves."""

    list_display = [
        "lock",
        "battery_percent",
        "last_contact_at",
        "last_passage_at",
        "clock_uncertain",
        "bulletin_seq",
    ]
    list_select_related = ["lock"]
    list_filter = ["clock_uncertain"]
    search_fields = ["lock__name"]
    empty_hint = _("A lock's status comes with the first log that a phone carries home from it.")


@admin.register(Binding)
class BindingAdmin(ReadOnlyAdmin):
    """Which lock sits, or sat, on which door."""

    list_display = ["lock", "door", "binding_id_hex", "starts_at", "ends_at", "commissioned_at"]
    list_select_related = ["lock", "door"]
    list_filter = [("ends_at", admin.EmptyFieldListFilter), ("commissioned_at", admin.EmptyFieldListFilter)]
    search_fields = ["lock__name", "door__address", "door__number"]
    empty_hint = _("A binding is made when an installer commissions a lock at a door.")


@admin.register(BindingGroup)
class BindingGroupAdmin(ReadOnlyAdmin):
    """The number that stands for a provider at one lock."""

    list_display = ["binding", "provider", "grp", "not_before"]
    list_select_related = ["binding__lock", "binding__door", "provider"]
    list_filter = ["provider"]
    search_fields = ["binding__lock__name", "provider__name"]
    empty_hint = _("Made by itself when the first key is issued to a provider at a lock.")


@admin.register(Bulletin)
class BulletinAdmin(ReadOnlyAdmin):
    """What the locks are told, and whether they know it."""

    list_display = ["binding", "seq", "created_at", "known_at"]
    list_select_related = ["binding__lock", "binding__door"]
    list_filter = [("known_at", admin.EmptyFieldListFilter)]
    search_fields = ["binding__lock__name", "binding__door__address"]
    empty_hint = _("Bulletins are built by itself for every mounted lock.")


@admin.register(LogPosition)
class LogPositionAdmin(ReadOnlyAdmin):
    """How far each lock's log is receipted."""

    list_display = ["lock", "epoch", "acked_seq", "receipted_at"]
    list_select_related = ["lock"]
    search_fields = ["lock__name"]
    empty_hint = _("Positions come with the first log that a phone carries home.")
