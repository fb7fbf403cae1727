"""What every admin page shares: the municipality set by itself, audit entries, bytes shown as hexadecimal.

Private keys, hashes of secrets and signed documents are never shown, here or anywhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import changes, record, snapshot
from server.tenancy.admin_narrow import NarrowAdmin
from server.tenancy.admin_paginator import PatientPaginator
from server.tenancy.base import TenantModel
from server.tenancy.fields import BytesField
from server.tenancy.scoping import viewer_now, whole_municipality

if TYPE_CHECKING:  # Django's own classes cannot be subscribed when the program runs
    PlainAdmin = admin.ModelAdmin[Any]
    PlainForm = forms.ModelForm[Any]
    PlainInline = admin.TabularInline[Any, Any]
else:
    PlainAdmin, PlainForm, PlainInline = admin.ModelAdmin, forms.ModelForm, admin.TabularInline

SECRET_PREFIXES = ("sealed_",)
SECRET_FIELDS = frozenset(
    {
        "document",
        "code_hash",
        "device_token_hash",
        "receipt",
        "commission_document",
        "lock_record",
        "entry_bytes",
    }
)


def is_secret(field: models.Field[Any, Any]) -> bool:
    """Return whether a field must never reach a page."""
    return field.name in SECRET_FIELDS or field.name.startswith(SECRET_PREFIXES)


class TenantForm(PlainForm):
    """Knows the municipality although the form does not ask for it, so that every rule is checked."""

    tenant_id: ClassVar[int | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.tenant_id is not None and self.instance.municipality_id is None:
            self.instance.municipality_id = self.tenant_id
        self.not_asked = {"municipality"} if viewer_now() is None else {"municipality", "provider"}
        viewer = viewer_now()
        if viewer is not None and viewer.provider is not None and self.instance.pk is None:
            self.instance.provider_id = viewer.provider  # models without a provider do not look at it

    def _get_validation_exclusions(self) -> set[str]:
        # A field left out of a form is left out of unique constraints too; these must take part.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        return excluded - self.not_asked

    @whole_municipality()
    def _post_clean(self) -> None:
        # What is unique is so in the whole municipality: the database knows no viewer.
        super()._post_clean()  # type: ignore[misc]


class TenantAdmin(NarrowAdmin):
    """An admin page for rows of one municipality."""

    form = TenantForm
    change_list_template = "admin/nyckelfri/change_list.html"
    change_form_template = "admin/nyckelfri/change_form.html"
    list_per_page = 50
    show_full_result_count = False
    paginator = PatientPaginator
    empty_hint: ClassVar[str | Promise] = _("Nothing here yet.")
    """What to do next, shown when a list is empty."""

    revoke_target: ClassVar[str] = ""
    """The name under which the page "revoke" knows these rows, if they can be revoked."""

    def __init__(self, model: type[models.Model], admin_site: admin.AdminSite) -> None:
        super().__init__(model, admin_site)
        for field in model._meta.concrete_fields:
            if isinstance(field, BytesField) and not is_secret(field):
                setattr(self, f"{field.name}_hex", _hex_column(field))

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Leave out the municipality of somebody who has one, and everything that must not be shown."""
        excluded = list(super().get_exclude(request, obj) or [])
        if getattr(request.user, "municipality_id", None) is not None:
            excluded.append("municipality")
        return excluded

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let an operator, who has no municipality, choose one for a new row."""
        fieldsets = list(super().get_fieldsets(request, obj))
        named = any("municipality" in options["fields"] for _name, options in fieldsets)
        if obj is not None or named or getattr(request.user, "municipality_id", None) is not None:
            return fieldsets
        return [(None, {"fields": ["municipality"]}), *fieldsets]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form with the person's municipality in it."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return type(form.__name__, (form,), {"tenant_id": getattr(request.user, "municipality_id", None)})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kw: Any) -> Any:
        """Offer to revoke what can be revoked."""
        return super().render_change_form(
            request, {**context, "revoke_target": self.revoke_target}, *args, **kw
        )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save, and write who changed what to the audit trail in the same transaction."""
        before = snapshot(type(obj)._base_manager.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        self._record(request, actions.CHANGED if change else actions.ADDED, obj, before, snapshot(obj))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Give rows in the table below the same municipality, and record them too."""
        rows = formset.save(commit=False)
        for row in rows:
            row.municipality_id = form.instance.municipality_id
            before = {} if row.pk is None else snapshot(type(row)._base_manager.get(pk=row.pk))
            row.save()
            self._record(request, actions.CHANGED if before else actions.ADDED, row, before, snapshot(row))
        for row in formset.deleted_objects:
            self._record(request, actions.DELETED, row, snapshot(row), {})
            row.delete()
        formset.save_m2m()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete one row and record what it said."""
        self._record(request, actions.DELETED, obj, snapshot(obj), {})
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        """Delete the chosen rows one by one, each recorded."""
        for row in queryset:
            self.delete_model(request, row)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the list under its own name, or what to do next when there is nothing in it."""
        own = {"title": capfirst(self.opts.verbose_name_plural), "empty_hint": self.empty_hint}
        return super().changelist_view(request, {**own, **(extra_context or {})})

    @staticmethod
    def _record(
        request: HttpRequest, action: str, row: models.Model, before: dict[str, Any], after: dict[str, Any]
    ) -> None:
        if isinstance(row, TenantModel):
            earlier, later = changes(before, after) if before and after else (before, after)
            record(action=action, target=row, actor=request.user, before=earlier, after=later)  # type: ignore[arg-type]


class TenantInline(PlainInline):
    """Rows below their parent's form, of the same municipality as the parent."""

    form = TenantForm

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Return the rows' forms with the municipality in them."""
        formset = super().get_formset(request, obj, **kwargs)
        tenant_id = obj.municipality_id if obj else getattr(request.user, "municipality_id", None)
        formset.form = type(formset.form.__name__, (formset.form,), {"tenant_id": tenant_id})
        return formset


class ReadOnlyAdmin(TenantAdmin):
    """Pages of what only the server or a lock writes: seen and searched, never edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return every field that may be shown, bytes as hexadecimal."""
        return [
            f"{field.name}_hex" if isinstance(field, BytesField) else field.name
            for field in self.model._meta.concrete_fields
            if not is_secret(field) and field.name not in ("id", "municipality")
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything shown is read-only."""
        return self.get_fields(request, obj)


def _hex_column(field: models.Field[Any, Any]) -> Callable[[Any], str]:
    def show(row: Any) -> str:
        value = getattr(row, field.name)
        return bytes(value).hex() if value is not None else "–"

    return admin.display(description=field.verbose_name, ordering=field.name)(show)
