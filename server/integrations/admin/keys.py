"""Keys of business systems: made and shown once, listed with their last use, shut out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _

from server.integrations.domain.keys import make_key, may_import, revoke_key
from server.integrations.models import ApiKey, Kind, is_source_name
from server.people.models import CareProvider, User
from server.tenancy.admin_base import ReadOnlyAdmin


class KeyForm(forms.Form):
    """Which system, whose rows, and what it may import."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("Which system it is, never a person's name.")
    )
    source = forms.CharField(
        label=_("Source"),
        max_length=32,
        validators=[is_source_name],
        help_text=_("Short name that stands on every imported row, such as “planering”. Keys may share it."),
    )
    provider = forms.ModelChoiceField(
        label=_("Care provider"),
        queryset=CareProvider.unscoped.none(),
        required=False,
        empty_label=_("the whole municipality"),
    )
    scopes = forms.MultipleChoiceField(
        label=_("May import"), choices=Kind.choices, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].queryset = CareProvider.objects.order_by("name")  # type: ignore[attr-defined]

    def clean_name(self) -> str:
        """Two keys with one name could not be told apart."""
        name: str = self.cleaned_data["name"].strip()
        if ApiKey.objects.filter(name=name).exists():
            raise forms.ValidationError(_("There is a key with this name already."))
        return name

    def clean(self) -> dict[str, Any]:
        """Clients and assignments are the municipality's, not one provider's."""
        data: dict[str, Any] = super().clean() or {}
        provider = data.get("provider")
        if any(not may_import(kind, provider) for kind in data.get("scopes", [])):
            self.add_error(
                "scopes",
                _("Clients and care assignments are the municipality's, never one provider's."),
            )
        return data


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys that let business systems import."""

    list_display = ["name", "source", "provider", "beginning", "created_at", "last_used_at", "revoked_at"]
    list_select_related = ["provider"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name", "source", "beginning"]
    change_form_template = "admin/nyckelfri/integrations/key_change_form.html"
    empty_hint = _("Make a key for each business system that is to import by itself.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Making keys is for those whose role says so, within a municipality."""
        own = getattr(request.user, "municipality_id", None)
        return own is not None and request.user.has_perm("integrations.add_apikey")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything but the key's hash."""
        return [
            "name",
            "source",
            "provider",
            "scopes",
            "beginning",
            "created_at",
            "created_by",
            "last_used_at",
            "revoked_at",
        ]

    def get_urls(self) -> list[URLPattern]:
        """Add shutting a key out."""
        view = self.admin_site.admin_view(self.revoke_view)
        return [path("<int:pk>/revoke/", view, name="integrations_apikey_revoke"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask what the key is for (GET), or make it and show it this once (POST)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        person = _person(request)
        form = KeyForm(request.POST or None)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("New key for a business system"),
            "opts": self.model._meta,
            "form": form,
        }
        if form.is_valid():
            assert person.municipality is not None  # noqa: S101  has_add_permission has looked
            key, token = make_key(
                municipality=person.municipality, actor=person, at=timezone.now(), **form.cleaned_data
            )
            context |= {"key": key, "token": token, "server": request.build_absolute_uri("/api/v1/import/")}
        response = TemplateResponse(request, "admin/nyckelfri/integrations/key.html", context)
        add_never_cache_headers(response)
        return response

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shut a key out."""
        if not request.user.has_perm("integrations.change_apikey"):
            raise PermissionDenied
        key = get_object_or_404(ApiKey.objects.all(), pk=pk)
        if request.method == "POST":
            revoke_key(key=key, at=timezone.now(), actor=_person(request))
        return redirect("admin:integrations_apikey_change", pk)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    return request.user
