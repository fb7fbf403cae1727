"""Admin pages of what commissioning and logs write about locks: read here, never edited."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from server.locks.models import (
    Binding,
    BindingGroup,
    Bulletin,
    BulletinDue,
    LockStatus,
    LogPosition,
    ServiceRight,
)
from server.tenancy.admin_base import ReadOnlyAdmin


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
    ordering = ["-pk"]
    search_fields = ["binding__lock__name", "provider__name"]
    empty_hint = _("Made by itself when the first key is issued to a provider at a lock.")


@admin.register(Bulletin)
class BulletinAdmin(ReadOnlyAdmin):
    """What the locks are told, and whether they know it."""

    list_display = ["binding", "seq", "created_at", "known_at"]
    list_select_related = ["binding__lock", "binding__door"]
    list_filter = [("known_at", admin.EmptyFieldListFilter)]
    ordering = ["-pk"]
    search_fields = ["binding__lock__name", "binding__door__address"]
    empty_hint = _("Bulletins are built by itself for every mounted lock.")


@admin.register(BulletinDue)
class BulletinDueAdmin(ReadOnlyAdmin):
    """Bulletins that wait for the next sweep."""

    list_display = ["binding", "noted_at"]
    list_select_related = ["binding__lock", "binding__door"]
    search_fields = ["binding__lock__name"]
    empty_hint = _("Nothing waits: whatever changed has been looked at.")


@admin.register(LogPosition)
class LogPositionAdmin(ReadOnlyAdmin):
    """How far each lock's log is receipted."""

    list_display = ["lock", "epoch", "acked_seq", "receipted_at"]
    list_select_related = ["lock"]
    ordering = ["-pk"]
    search_fields = ["lock__name"]
    empty_hint = _("Positions come with the first log that a phone carries home.")


@admin.register(ServiceRight)
class ServiceRightAdmin(ReadOnlyAdmin):
    """Which installer was given a right to work at which lock."""

    list_display = ["binding", "installer", "scope", "issued_at", "expires"]
    list_select_related = ["binding__lock", "binding__door", "installer"]
    search_fields = ["binding__lock__name", "installer__username"]
    empty_hint = _("A service right is given when an installer begins work at a mounted lock in the app.")
