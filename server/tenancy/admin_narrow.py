"""What every admin page does for a coordinator or an owner's contact: ask for nothing foreign, let nothing be
found out, change nothing that is others' too.

Which rows they see is no matter of pages: the managers are narrow already (`server.tenancy.scoping`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db import models
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import smart_split, unescape_string_literal

from server.people.queries import visible_users
from server.tenancy.base import TenantModel
from server.tenancy.scoping import may_change, viewer_now

if TYPE_CHECKING:  # Django's own class cannot be subscribed when the program runs
    PlainAdmin = admin.ModelAdmin[Any]
else:
    PlainAdmin = admin.ModelAdmin

ORIGIN_FIELDS = ("source", "external_id")
"""A business system's names are unique over all providers: who may type them can ask which exist."""

PREFIXES = {"^": "istartswith", "=": "iexact", "@": "search"}


class OneTrail(PlainAdmin):
    """What was done stands in the audit trail and nowhere else.

    Django's own log keeps names beyond their time, and shows everybody who sees a row what others did to it.
    """

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Leave Django's log empty."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Leave Django's log empty."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Leave Django's log empty."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the audit trail of one row to those who may read the trail."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        if not self.has_view_permission(request, row) or not request.user.has_perm("audit.view_auditentry"):
            raise PermissionDenied
        query = urlencode({"object_type": row._meta.label_lower, "object_id": row.pk})
        return redirect(f"{reverse('admin:audit_auditentry_changelist')}?{query}")


class NarrowAdmin(OneTrail):
    """The narrow side of a page; for everybody else it is as Django has it."""

    narrow_readonly: ClassVar[tuple[str, ...]] = ()
    """Fields that a coordinator sees and does not change."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What a coordinator shares with others (a gate, a pool phone) is seen, not changed."""
        return super().has_change_permission(request, obj) and (obj is None or may_change(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What may not be changed may not be deleted either."""
        return super().has_delete_permission(request, obj) and (obj is None or may_change(obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Fix what a coordinator does not change."""
        fields = super().get_readonly_fields(request, obj)
        if viewer_now() is None:
            return fields
        own = {field.name for field in self.opts.concrete_fields}
        fixed = [name for name in (*self.narrow_readonly, *ORIGIN_FIELDS) if name in own]
        return [*fields, *(name for name in fixed if name not in fields)]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave out a coordinator's own provider: it goes without saying, and cannot be forged."""
        excluded = list(super().get_exclude(request, obj) or [])
        return [*excluded, "provider"] if self._provider_goes_without_saying() else excluded

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave the provider out of the groups of fields too, and what no new row can have yet."""
        fieldsets = super().get_fieldsets(request, obj)
        if viewer_now() is None:
            return fieldsets
        gone = {"provider"} if self._provider_goes_without_saying() else set()
        if obj is None:
            gone |= {*self.narrow_readonly, *ORIGIN_FIELDS}
        left = [
            (title, {**options, "fields": [name for name in options["fields"] if name not in gone]})
            for title, options in fieldsets
        ]
        return [(title, options) for title, options in left if options["fields"]]

    def _provider_goes_without_saying(self) -> bool:
        viewer = viewer_now()
        names = {field.name for field in self.opts.concrete_fields}
        return viewer is not None and viewer.provider is not None and "provider" in names

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Let a sign-in be chosen only among those the person may see; others follow their managers."""
        if db_field.related_model is get_user_model() and "queryset" not in kwargs:
            kwargs["queryset"] = visible_users(get_user_model().objects.all(), request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Let an address filter by the row's own columns and the page's filters only.

        Django also takes any column of a related row (`?clients__alarm_code__startswith=4`), which asks about
        rows that are not shown.
        """
        allowed: bool = super().lookup_allowed(lookup, value, request)  # type: ignore[arg-type]
        if not allowed or viewer_now() is None:
            return allowed
        filters = {entry[0] if isinstance(entry, tuple) else entry for entry in self.list_filter}
        return lookup.removesuffix("__exact").removesuffix("__isnull") in filters or _is_own_column(
            self.model, lookup
        )

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Search; for a narrow viewer a related row counts only when it may be seen itself."""
        if viewer_now() is None:
            return super().get_search_results(request, queryset, search_term)
        for bit in smart_split(search_term):
            word = unescape_string_literal(bit) if bit.startswith(('"', "'")) and bit[0] == bit[-1] else bit
            found = models.Q()
            for field in self.get_search_fields(request):
                found |= _narrow_lookup(self.model, field, word, request)
            queryset = queryset.filter(found)
        return queryset, False


def _is_own_column(model: type[models.Model], lookup: str) -> bool:
    """Return whether a lookup stays in the row itself; a relation counts by its primary key only."""
    name, _sep, rest = lookup.partition(LOOKUP_SEP)
    try:
        field = model._meta.get_field("id" if name == "pk" else name)
    except FieldDoesNotExist:
        return True  # a filter's own word, such as the audit trail's "action"
    if not field.is_relation:
        return True
    plain = ("", "exact", "in", "isnull", "id", "id__exact", "id__in", "pk", "pk__exact", "pk__in")
    return not field.auto_created and rest in plain


def _narrow_lookup(model: type[models.Model], field: str, word: str, request: HttpRequest) -> models.Q:
    """Return a condition on `model`; every relation on the way is a sub-query through a narrow manager."""
    kind = PREFIXES.get(field[0], "icontains")
    name, _sep, rest = field.lstrip("^=@").partition(LOOKUP_SEP)
    column = model._meta.get_field("id" if name == "pk" else name)
    related = column.related_model
    if not column.is_relation or not isinstance(related, type) or not rest:
        return models.Q(**{f"{name}__{rest or kind}": word})
    prefix = field[0] if field[0] in PREFIXES else ""
    rows = _rows_to_search(related, request).filter(_narrow_lookup(related, prefix + rest, word, request))
    return models.Q(**{f"{name}__in": rows.values("pk")})


def _rows_to_search(model: type[models.Model], request: HttpRequest) -> models.QuerySet[Any]:
    if model is get_user_model():
        return visible_users(get_user_model().objects.all(), request.user)
    return model._default_manager.all() if issubclass(model, TenantModel) else model._default_manager.none()
