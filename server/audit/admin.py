"""The admin page of the audit trail: read, search, filter, hand out as a file; nothing else."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from server.audit.actions import label_of, labels, register
from server.audit.domain import SERVER, record
from server.audit.models import AuditEntry
from server.config.csvfile import csv_stream
from server.people.roles import Role
from server.tenancy.admin_base import ReadOnlyAdmin

EXPORTED = register("audit.exported", _("audit trail handed out as a file"), needs_actor=True)
ROLES: dict[str, Any] = {
    **dict(Role.choices),
    "administrator": _("administrator"),
    "staff": _("staff"),
    "server": _("the server"),
}
PIECE = 1000
COLUMNS = (_("when"), _("who"), _("as"), _("what"), _("object"), _("id"), _("before"), _("after"), _("why"))


class ActionFilter(admin.SimpleListFilter):
    """Entries of one action, named in plain words."""

    title = _("what")
    parameter_name = "action"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every action there is; looking for those that stand in the trail would read all of it."""
        return labels()

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Only the chosen action."""
        return queryset.filter(action=self.value()) if self.value() else queryset


class RoleFilter(admin.SimpleListFilter):
    """Entries of people in one role, or of the server itself."""

    title = _("as")
    parameter_name = "acting_as"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every role."""
        return list(ROLES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Only the chosen role."""
        return queryset.filter(acting_as=self.value()) if self.value() else queryset


class KindFilter(admin.SimpleListFilter):
    """Entries about one kind of object."""

    title = _("object")
    parameter_name = "object_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every kind that has a page."""
        kinds = [
            (model._meta.label_lower, kind_of(model._meta.label_lower)) for model in admin.site._registry
        ]
        return sorted(kinds, key=lambda pair: pair[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Only the chosen kind."""
        return queryset.filter(object_type=self.value()) if self.value() else queryset


def kind_of(object_type: str) -> str:
    """Return the kind of an object in words, or its label when it is one of an older version."""
    try:
        return str(capfirst(apps.get_model(object_type)._meta.verbose_name))
    except (LookupError, ValueError):
        return object_type


def field_of(object_type: str, key: str) -> str:
    """Return a field in the form's words, or as the verb that wrote the entry called it."""
    try:
        found = apps.get_model(object_type)._meta.get_field(key)
    except (LookupError, ValueError, FieldDoesNotExist):
        return key
    return str(getattr(found, "verbose_name", key))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who changed what, when and why."""

    list_display = ["at", "who", "role", "what", "thing", "changes", "reason"]
    list_select_related = ["actor"]
    list_filter = [
        ("at", admin.DateFieldListFilter),
        ActionFilter,
        RoleFilter,
        KindFilter,
    ]
    search_fields = ["=object_id", "actor__username", "actor__last_name", "reason"]
    search_help_text = _("A person's user name or last name, an object's number, or a reason.")
    change_list_template = "admin/nyckelfri/audit/change_list.html"
    empty_hint = _("Every change made here or by the server leaves an entry.")

    def get_urls(self) -> list[URLPattern]:
        """Add the file of what the list shows."""
        view = self.admin_site.admin_view(self.export_view)
        return [path("export/", view, name="audit_auditentry_export"), *super().get_urls()]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Let links ask for one person's entries or one object's."""
        return lookup in ("actor__id__exact", "object_id") or super().lookup_allowed(lookup, value, request)

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Hand out the entries that the list shows, filtered as it is, as a file; that is recorded too."""
        if not request.user.has_perm("audit.export_auditentry"):
            raise PermissionDenied
        chosen = self.get_changelist_instance(request).get_queryset(request).order_by("-at", "-pk")
        municipality = getattr(request.user, "municipality", None)
        if municipality is not None:
            asked = {key: str(value) for key, value in request.GET.items()}
            record(action=EXPORTED, target=municipality, actor=request.user, after=asked)  # type: ignore[arg-type]
        return csv_stream(request, name="audit", head=COLUMNS, pieces=partial(piece_of, chosen))

    @admin.display(description=_("who"), ordering="actor__username")
    def who(self, entry: AuditEntry) -> str:
        """Who did it, leading to everything that person did."""
        if entry.actor is None:
            return str(ROLES[SERVER])
        return format_html('<a href="?actor__id__exact={}">{}</a>', entry.actor.pk, entry.actor)

    @admin.display(description=_("what"), ordering="action")
    def what(self, entry: AuditEntry) -> str:
        """The action in plain words."""
        return label_of(entry.action)

    @admin.display(description=_("as"), ordering="acting_as")
    def role(self, entry: AuditEntry) -> str:
        """The role in plain words."""
        return str(ROLES.get(entry.acting_as, entry.acting_as))

    @admin.display(description=_("object"), ordering="object_type")
    def thing(self, entry: AuditEntry) -> str:
        """What it was done to, by its kind and number, leading to everything done to it."""
        about = urlencode({"object_type": entry.object_type, "object_id": entry.object_id})
        return format_html('<a href="?{}">{} {}</a>', about, kind_of(entry.object_type), entry.object_id)

    @admin.display(description=_("changed"))
    def changes(self, entry: AuditEntry) -> str:
        """Which fields changed; the values stand on the entry's own page."""
        return ", ".join(sorted(field_of(entry.object_type, key) for key in {*entry.before, *entry.after}))


def piece_of(chosen: QuerySet[AuditEntry], after: str) -> tuple[list[list[Any]], str]:
    """Return the next rows of an export, newest first, and where those after them begin."""
    if after:
        at, pk = after.split(" ")
        chosen = chosen.filter(Q(at__lt=at) | Q(at=at, pk__lt=int(pk)))
    entries = list(chosen.select_related("actor")[:PIECE])
    last = f"{entries[-1].at.isoformat()} {entries[-1].pk}" if len(entries) == PIECE else ""
    return [line_of(entry) for entry in entries], last


def line_of(entry: AuditEntry) -> list[Any]:
    """Return one entry as cells; before and after are JSON."""
    return [
        timezone.localtime(entry.at).isoformat(sep=" ", timespec="seconds"),
        entry.actor.username if entry.actor else "",
        str(ROLES.get(entry.acting_as, entry.acting_as)),
        label_of(entry.action),
        kind_of(entry.object_type),
        entry.object_id,
        json.dumps(entry.before, ensure_ascii=False, sort_keys=True) if entry.before else "",
        json.dumps(entry.after, ensure_ascii=False, sort_keys=True) if entry.after else "",
        entry.reason,
    ]
