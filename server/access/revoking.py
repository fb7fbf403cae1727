"""The page where something is revoked: what it may still open, why, and afterwards which locks know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.access.domain import revoke
from server.access.domain.exposure import Exposed, exposure
from server.access.models import Revocation, Token
from server.people.models import Bearer, CareProvider, Phone, StaffMember, User

Target = Token | Bearer | Phone | StaffMember | CareProvider
REVOCABLE: dict[str, tuple[type[Target], Callable[..., Revocation]]] = {
    "token": (Token, revoke.revoke_token),
    "bearer": (Bearer, revoke.revoke_bearer),
    "phone": (Phone, revoke.revoke_phone),
    "staff": (StaffMember, revoke.revoke_staff),
    "provider": (CareProvider, revoke.revoke_provider),
}


class RevokeForm(forms.Form):
    """Why; and a tick, so that nobody revokes by a slip."""

    reason = forms.ChoiceField(label=gettext_lazy("Why"), choices=Revocation.Reason.choices)
    sure = forms.BooleanField(label=gettext_lazy("Yes, revoke it now"))


def page(request: HttpRequest, target: str, pk: int) -> HttpResponse:
    """Show the exposure and ask (GET), or revoke and show the exposure that is left (POST)."""
    if not request.user.has_perm("access.add_revocation"):
        raise PermissionDenied
    if target not in REVOCABLE:
        raise Http404
    model, verb = REVOCABLE[target]
    what = get_object_or_404(model.objects.all(), pk=pk)
    form = RevokeForm(request.POST or None)
    if form.is_valid() and not is_revoked(what):
        assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
        verb(**{target: what}, reason=form.cleaned_data["reason"], at=timezone.now(), actor=request.user)
        messages.success(request, _("Revoked. Locks learn it from the next phone that has synchronised."))
        return redirect("admin:revoke", target=target, pk=pk)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Revoke"),
        "what": what,
        "back": reverse(f"admin:{what._meta.label_lower.replace('.', '_')}_change", args=[pk]),
        "kind": what._meta.verbose_name,
        "revoked": is_revoked(what),
        "form": form,
        "exposed": _exposed(what),
    }
    return TemplateResponse(request, "admin/nyckelfri/revoke.html", context)


def is_revoked(what: Target) -> bool:
    """Return whether it is revoked already; a person can be revoked again after a new enrolment."""
    if isinstance(what, CareProvider):
        return not what.active
    if isinstance(what, StaffMember):
        return not what.bearers.filter(revoked_at__isnull=True).exists() and not _has_login(what)
    return what.revoked_at is not None


def _has_login(staff: StaffMember) -> bool:
    return staff.user is not None and staff.user.is_active


def _exposed(what: Target) -> list[Exposed]:
    now = timezone.now()
    if not isinstance(what, Token):
        return exposure(what, at=now)
    return [one for one in exposure(what.bearer, at=now) if one.binding.pk == what.binding_id]
