"""Imports: what each did, and the page where a CSV file is tried and imported."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.integrations.domain.columns import COLUMNS
from server.integrations.domain.csvreading import MOST_BYTES, UnreadableError, read_csv, template_of
from server.integrations.domain.importing import Outcome, Sender, import_rows, may_bring
from server.integrations.domain.keys import may_import
from server.integrations.models import ImportRun, Kind, is_source_name
from server.people.models import CareProvider, User
from server.tenancy.admin_base import ReadOnlyAdmin

MOST_SHOWN = 500


def kinds_for(provider: CareProvider | None) -> list[tuple[str, Any]]:
    """Return what somebody may import: a coordinator only what is a provider's own."""
    return [(kind.value, kind.label) for kind in Kind if may_import(kind, provider)]


class UploadForm(forms.Form):
    """A file, what it holds and which system it comes from."""

    kind = forms.ChoiceField(label=gettext_lazy("What"), choices=())
    source = forms.CharField(
        label=gettext_lazy("Source"),
        max_length=32,
        validators=[is_source_name],
        help_text=gettext_lazy(
            "Short name of the system the rows come from, such as “planering”; the same every time."
        ),
    )
    file = forms.FileField(label=gettext_lazy("CSV file"), required=False)
    held = forms.CharField(required=False, widget=forms.HiddenInput, max_length=2 * MOST_BYTES)
    good_rows_only = forms.BooleanField(
        label=gettext_lazy("Import the good rows although others are bad"), required=False
    )

    def __init__(
        self,
        *args: Any,
        kinds: Iterable[tuple[str, Any]],
        provider: CareProvider | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.provider = provider
        self.fields["kind"].choices = list(kinds)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Read the file, or the one that was tried before."""
        data: dict[str, Any] = super().clean() or {}
        kind, source = data.get("kind"), data.get("source")
        if kind and source and not may_bring(kind=kind, source=source, provider=self.provider):
            others = gettext_lazy("Others' rows come from this source. Write one of your own.")
            self.add_error("source", str(others))
        try:
            data["data"] = self._bytes(data)
            data["rows"] = read_csv(data["data"])
        except UnreadableError as error:
            self.add_error("file", ValidationError(str(error.why)))
        return data

    @staticmethod
    def _bytes(data: dict[str, Any]) -> bytes:
        uploaded: UploadedFile | None = data.get("file")
        if uploaded is not None:
            if (uploaded.size or 0) > MOST_BYTES:
                raise UnreadableError(gettext_lazy("The file is larger than 2 MB. Divide it."))
            content: bytes = uploaded.read()
            return content
        if not data.get("held"):
            raise UnreadableError(gettext_lazy("Choose a file."))
        try:
            return _unpack(data["held"])
        except (binascii.Error, zlib.error, ValueError) as error:
            raise UnreadableError(gettext_lazy("Choose the file again.")) from error


def _pack(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def _unpack(text: str) -> bytes:
    reader = zlib.decompressobj()
    return reader.decompress(base64.b64decode(text, validate=True), MOST_BYTES + 1)


@admin.register(ImportRun)
class ImportRunAdmin(ReadOnlyAdmin):
    """What was imported, by whom, with the counts."""

    list_display = ["at", "kind", "source", "sender", "provider", "rows", "added", "changed", "refused"]
    list_select_related = ["key", "by", "provider"]
    list_filter = ["kind", "source"]
    search_fields = ["source", "key__name"]
    date_hierarchy = "at"
    empty_hint = gettext_lazy("Import a CSV file here, or let a business system do it with a key of its own.")

    @admin.display(description=gettext_lazy("by"))
    def sender(self, run: ImportRun) -> str:
        """The system or the person."""
        return str(run.key or run.by or "–")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Importing is for those whose role says so, within a municipality."""
        own = getattr(request.user, "municipality_id", None)
        return own is not None and request.user.has_perm("integrations.add_importrun")

    def get_urls(self) -> list[URLPattern]:
        """Add the templates to fill in."""
        view = self.admin_site.admin_view(self.template_view)
        own = [path("template/<str:kind>.csv", view, name="integrations_import_template")]
        return [*own, *super().get_urls()]

    def template_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Return a file to begin with."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if kind not in Kind.values:
            raise Http404
        response = HttpResponse(template_of(kind), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
        return response

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Try a file, or import it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
        provider: CareProvider | None = request.user.provider
        kinds = kinds_for(provider)
        form = UploadForm(request.POST or None, request.FILES or None, kinds=kinds, provider=provider)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Import a file"),
            "opts": self.model._meta,
            "form": form,
            "provider": provider,
            "kinds": [(kind, label, COLUMNS[kind]) for kind, label in kinds],
        }
        if form.is_valid():
            outcome = _import(form, request)
            if outcome.run is not None:
                messages.success(request, _counts(outcome))
                if not outcome.troubles:
                    return redirect("admin:integrations_importrun_changelist")
            context |= {
                "outcome": outcome,
                "shown": outcome.troubles[:MOST_SHOWN],
                "held": _pack(form.cleaned_data["data"]),
                "counts": _counts(outcome),
            }
        return TemplateResponse(request, "admin/nyckelfri/integrations/upload.html", context)


def _import(form: UploadForm, request: HttpRequest) -> Outcome:
    data, user = form.cleaned_data, request.user
    assert isinstance(user, User) and user.municipality is not None  # noqa: S101  has_add_permission
    return import_rows(
        kind=data["kind"],
        rows=data["rows"],
        sender=Sender(user.municipality, data["source"], user.provider, user=user),
        at=timezone.now(),
        dry_run="import" not in request.POST,
        good_rows_only=data["good_rows_only"],
    )


def _counts(outcome: Outcome) -> str:
    return _("%(added)s added, %(changed)s changed, %(unchanged)s as before, %(refused)s bad.") % {
        "added": outcome.added,
        "changed": outcome.changed,
        "unchanged": outcome.unchanged,
        "refused": outcome.refused,
    }
