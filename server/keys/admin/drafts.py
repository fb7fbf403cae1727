"""The page of one proposed manifest: what it changes, who has signed, its file out and in, and into force."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from protocol import ceremony
from protocol.manifest import RoleKey as WireKey
from server.keys.admin import overview
from server.keys.admin.forms import SignedFileForm
from server.keys.admin.overview import allowed, may_hold_ceremony
from server.keys.domain.proposing import withdraw
from server.keys.domain.publishing import publish
from server.keys.domain.signatures import ceremony_of, concerned, lacking, take_signatures
from server.keys.rules import WIRE_ROLES
from server.keys.tasks import follow_soon
from server.locks.admin.verbs import words
from server.people.models import User
from server.problems import Problem
from server.tenancy.admin_base import ReadOnlyAdmin
from server.tenancy.models import ManifestDraft


@admin.register(ManifestDraft)
class ManifestDraftAdmin(ReadOnlyAdmin):
    """Manifests that went to the roots for signing, and what became of them."""

    list_display = ["version", "outcome", "created_at", "created_by", "closed_at"]
    list_filter = ["outcome"]
    search_fields = ["version"]
    empty_hint = gettext_lazy("A new manifest is made on the page Keys of the municipality.")

    def get_urls(self) -> list[URLPattern]:
        """Add the page of all keys, and the file that goes to the roots."""
        view = self.admin_site.admin_view
        own = [
            path("keys/", view(overview.page), name="tenancy_keys"),
            path("<int:pk>/file/", view(_file), name="tenancy_manifestdraft_file"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show an open proposal as a ceremony; one that is closed as any other row."""
        draft = self.get_object(request, object_id)
        if draft is None or draft.outcome != ManifestDraft.Outcome.OPEN:
            return super().change_view(request, object_id, form_url, extra_context)
        allowed(request, "tenancy.view_manifestdraft")
        if request.method == "POST":
            return _act(request, draft)
        return _show(request, draft)


def _show(request: HttpRequest, draft: ManifestDraft) -> HttpResponse:
    read = ceremony_of(draft)
    sets, changed = concerned(draft), ceremony.changes(read)
    present = ceremony.signers(read, {key for roots in sets for key in roots.keys})
    missing = {roots.fingerprint: number for roots, number in lacking(draft)}
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Manifest %(version)s to be signed") % {"version": draft.version},
        "draft": draft,
        "added": _named(changed.added),
        "removed": _named(changed.removed),
        "new_roots": read.proposed.roots if changed.new_roots else None,
        "root_sets": [
            (roots, len(present & set(roots.keys)), missing.get(roots.fingerprint, 0)) for roots in sets
        ],
        "complete": not missing,
        "may": may_hold_ceremony(request),
        "form": SignedFileForm(),
    }
    return TemplateResponse(request, "admin/nyckelfri/keys/draft.html", context)


def _named(keys: Sequence[WireKey]) -> list[tuple[str, WireKey]]:
    """Return each key with its role as people call it."""
    labels = {wire: str(role.label) for role, wire in WIRE_ROLES.items()}
    return [(labels[key.role], key) for key in keys]


def _act(request: HttpRequest, draft: ManifestDraft) -> HttpResponse:
    """Take signatures in, bring the manifest into force, or give it up."""
    user = allowed(request, "tenancy.view_manifestdraft")
    if not may_hold_ceremony(request):
        raise PermissionDenied
    back = redirect("admin:tenancy_manifestdraft_change", draft.pk)
    try:
        if "publish" in request.POST:
            publish(draft=draft, at=timezone.now(), actor=user)
            follow_soon()
            messages.success(request, _("In force. Locks take it in with the next phone that comes."))
            return redirect("admin:tenancy_keys")
        if "withdraw" in request.POST:
            withdraw(draft=draft, at=timezone.now(), actor=user)
            messages.success(request, _("Withdrawn."))
            return redirect("admin:tenancy_keys")
        _take(request, draft, user)
    except Problem as problem:
        messages.error(request, words(problem))
    return back


def _take(request: HttpRequest, draft: ManifestDraft, user: User) -> None:
    form = SignedFileForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose the signed file."))
        return
    new = take_signatures(draft=draft, file=form.content(), at=timezone.now(), actor=user)
    messages.success(
        request, ngettext("%(count)s new signature.", "%(count)s new signatures.", new) % {"count": new}
    )


def _file(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand out the file for the holders of the root keys; nothing in it is secret."""
    allowed(request, "tenancy.view_manifestdraft")
    if not may_hold_ceremony(request):
        raise PermissionDenied
    draft = get_object_or_404(ManifestDraft.objects.filter(outcome=ManifestDraft.Outcome.OPEN), pk=pk)
    name = f"manifest-{draft.version}.ceremony"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(bytes(draft.document), content_type="application/cbor", headers=headers)
