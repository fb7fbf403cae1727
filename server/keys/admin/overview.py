"""The page of the municipality's keys: which there are, how far they have come, and what can be done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from server.keys.admin.forms import LeakForm, RenewForm, RootsForm
from server.keys.domain.proposing import propose
from server.keys.queries import (
    keys_in_manifest,
    locks_behind,
    open_draft,
    phones_behind,
    roots_still_trusted,
    sealing_waits_for,
    spread,
    unissued_openings,
)
from server.locks.admin.verbs import words
from server.people.models import User
from server.problems import Problem
from server.tenancy.domain.keyring import KeyMissingError, current_manifest, root_set
from server.tenancy.models import Municipality, RoleKey
from server.tenancy.scoping import viewer_now

MOST_SHOWN = 50
LOOK_BACK = timedelta(days=30)
"""How far back the page looks for openings that nobody issued a key for."""


def may_hold_ceremony(request: HttpRequest) -> bool:
    """Return whether keys are this person's to change: an administrator's, in the own municipality."""
    own = getattr(request.user, "municipality_id", None)
    return own is not None and request.user.has_perm("tenancy.hold_ceremony")


def allowed(request: HttpRequest, permission: str) -> User:
    """Return who asks; raises `PermissionDenied`. Keys are nobody's in part."""
    if not request.user.has_perm(permission) or viewer_now() is not None:
        raise PermissionDenied
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    return request.user


def page(request: HttpRequest) -> HttpResponse:
    """Show the keys (GET), or propose a manifest (POST)."""
    user = allowed(request, "tenancy.view_rolekey")
    context = {**admin.site.each_context(request), "title": _("Keys of the municipality")}
    if user.municipality is None:
        return TemplateResponse(request, "admin/nyckelfri/no_municipality.html", context)
    municipality = user.municipality
    keys = keys_in_manifest(municipality.pk)
    may = may_hold_ceremony(request)
    asked = request.POST.get("what", "") if request.method == "POST" else ""
    told = {name: request.POST if asked == name else None for name in ("renew", "leak", "roots")}
    offered = {
        "renew": RenewForm(told["renew"]),
        "leak": LeakForm(told["leak"], keys=keys),
        "roots": RootsForm(told["roots"]),
    }
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        answer = _propose(request, user, municipality, asked, offered)
        if answer is not None:
            return answer
    context |= {"forms": offered, "may": may, **_state(municipality, keys)}
    return TemplateResponse(request, "admin/nyckelfri/keys/overview.html", context)


def _propose(
    request: HttpRequest, user: User, municipality: Municipality, asked: str, offered: dict[str, forms.Form]
) -> HttpResponse | None:
    """Propose what was asked for; None when something is wrong with it."""
    form = offered.get(asked)
    if form is None or not form.is_valid():
        return None
    try:
        draft = propose(municipality=municipality, at=timezone.now(), actor=user, **_wanted(form))
    except Problem as problem:
        messages.error(request, words(problem))
        return None
    messages.success(request, _("Proposed. Now the holders of the root keys have to sign it."))
    return redirect("admin:tenancy_manifestdraft_change", draft.pk)


def _wanted(form: forms.Form) -> dict[str, Any]:
    if isinstance(form, RenewForm):
        return {"renew": form.cleaned_data["roles"]}
    if isinstance(form, LeakForm):
        return {"leaked": form.kids()}
    assert isinstance(form, RootsForm)  # noqa: S101  there are three
    return {"roots": form.roots()}


def _state(municipality: Municipality, keys: list[RoleKey]) -> dict[str, Any]:
    """Return what the page shows of keys, manifest, locks and phones."""
    try:
        held, _document = current_manifest(municipality)
    except KeyMissingError:
        return {"held": None}
    locks = locks_behind(municipality.pk, held.version)
    phones = phones_behind(municipality.pk, held.version)
    waiting = RoleKey.unscoped.filter(
        municipality=municipality, role=RoleKey.Role.SEALING, retired_at__isnull=False, erased_at__isnull=True
    ).filter(active_from__isnull=False)
    return {
        "held": held,
        "fingerprint": root_set(municipality).fingerprint.hex(),
        "older_roots": [
            one.fingerprint.hex()
            for one in roots_still_trusted(municipality.pk)
            if one.fingerprint != root_set(municipality).fingerprint
        ],
        "keys": keys,
        "opening_still": [(key, sealing_waits_for(key)) for key in waiting],
        "draft": open_draft(municipality.pk),
        "spread": spread(municipality.pk),
        "unissued": unissued_openings(municipality.pk, since=timezone.now() - LOOK_BACK)[:MOST_SHOWN],
        "locks_behind": locks[:MOST_SHOWN],
        "locks_behind_count": len(locks),
        "phones_behind": phones[:MOST_SHOWN],
        "phones_behind_count": phones.count(),
    }
