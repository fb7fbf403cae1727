"""Alarm systems: connected with a key that is shown once, and shut out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _

from server.alarms.domain.systems import connect, disconnect
from server.alarms.models import AlarmSystem
from server.people.models import User
from server.tenancy.admin_base import ReadOnlyAdmin


class ConnectForm(forms.Form):
    """Which system it is."""

    name = forms.CharField(
        label=_("Name"), max_length=60, help_text=_("Which system it is, never a person's name.")
    )

    def clean_name(self) -> str:
        """Two systems with one name could not be told apart."""
        name: str = self.cleaned_data["name"].strip()
        if AlarmSystem.objects.filter(name=name).exists():
            raise forms.ValidationError(_("There is a system with this name already."))
        return name


@admin.register(AlarmSystem)
class AlarmSystemAdmin(ReadOnlyAdmin):
    """Systems that may raise and end alarms over HTTP."""

    list_display = ["name", "created_at", "last_used_at", "revoked_at"]
    list_filter = [("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name"]
    change_form_template = "admin/nyckelfri/alarms/system_change_form.html"
    empty_hint = _("Connect the alarm system to have alarms raised without anybody typing.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Connecting is for those whose role says so, within a municipality."""
        own = getattr(request.user, "municipality_id", None)
        return own is not None and request.user.has_perm("alarms.add_alarmsystem")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything but the key's hash."""
        return ["name", "created_at", "last_used_at", "revoked_at"]

    def get_urls(self) -> list[URLPattern]:
        """Add shutting a system out."""
        view = self.admin_site.admin_view(self.disconnect_view)
        return [path("<int:pk>/disconnect/", view, name="alarms_alarmsystem_disconnect"), *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for a name (GET), or make the key and show it this once (POST)."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        person = _person(request)
        form = ConnectForm(request.POST or None)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Connect an alarm system"),
            "opts": self.model._meta,
            "form": form,
        }
        if form.is_valid():
            assert person.municipality is not None  # noqa: S101  has_add_permission has looked
            name = form.cleaned_data["name"]
            system, token = connect(municipality=person.municipality, name=name, actor=person)
            server = request.build_absolute_uri(reverse("api-alarms"))
            context |= {"system": system, "token": token, "server": server}
        response = TemplateResponse(request, "admin/nyckelfri/alarms/system.html", context)
        add_never_cache_headers(response)
        return response

    def disconnect_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shut a system out."""
        if not request.user.has_perm("alarms.change_alarmsystem"):
            raise PermissionDenied
        system = get_object_or_404(AlarmSystem.objects.all(), pk=pk)
        if request.method == "POST":
            disconnect(system=system, at=timezone.now(), actor=_person(request))
        return redirect("admin:alarms_alarmsystem_change", pk)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    return request.user
