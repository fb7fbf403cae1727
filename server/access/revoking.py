"""The page where something is revoked: what it may still open, why, and afterwards which locks know."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.access.domain import extra, revoke
from server.access.domain.exposure import Source, couriers, exposed_until, exposure
from server.access.models import ExtraRight, Revocation, Token
from server.people.models import Bearer, CareProvider, Phone, StaffMember, User
from server.tenancy.scoping import may_change, viewer_now

REVOCABLE: dict[str, tuple[type[Source], Callable[..., object]]] = {
    "token": (Token, revoke.revoke_token),
    "right": (ExtraRight, extra.end),
    "bearer": (Bearer, revoke.revoke_bearer),
    "phone": (Phone, revoke.revoke_phone),
    "staff": (StaffMember, revoke.revoke_staff),
    "provider": (CareProvider, revoke.revoke_provider),
}
DOORS_A_PAGE = 50


class RevokeForm(forms.Form):
    """Why; and a tick, so that nobody revokes by a slip."""

    reason = forms.ChoiceField(label=gettext_lazy("Why"), choices=Revocation.Reason.choices)
    sure = forms.BooleanField(label=gettext_lazy("Yes, revoke it now"))


def page(request: HttpRequest, target: str, pk: int) -> HttpResponse:
    """Show the exposure and ask (GET), or revoke and show the exposure that is left (POST)."""
    if not _may(request, target):
        raise PermissionDenied
    if target not in REVOCABLE:
        raise Http404
    model, verb = REVOCABLE[target]
    what = get_object_or_404(model.objects.all(), pk=pk)
    now = timezone.now()
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    own = may_change(what)
    if request.method == "POST" and not own:
        raise PermissionDenied
    revoked = is_revoked(what, at=now, by=request.user)
    form = RevokeForm(request.POST or None, initial={"reason": _usual(target)})
    if form.is_valid() and not revoked:
        verb(**{target: what}, reason=form.cleaned_data["reason"], at=now, actor=request.user)
        messages.success(request, _("Revoked. Locks learn it from the next phone that has synchronised."))
        return redirect("admin:revoke", target=target, pk=pk)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Revoke"),
        "what": what,
        "back": reverse(f"admin:{what._meta.label_lower.replace('.', '_')}_change", args=[pk]),
        "kind": what._meta.verbose_name,
        "revoked": revoked,
        "own": own,
        "keeps_sign_in": isinstance(what, StaffMember) and _keeps_sign_in(what, request.user),
        "form": form,
        "passages": _passages_of(what),
        **_exposed(what, request.GET.get("p", ""), at=now),
    }
    return TemplateResponse(request, "admin/nyckelfri/revoke.html", context)


def _may(request: HttpRequest, target: str) -> bool:
    """Who may: a right given at once is ended by whoever gives them, a provider never by its own people."""
    if target == "right":
        return request.user.has_perm("access.give_extraright")
    if target == "provider" and viewer_now() is not None:
        return False
    return request.user.has_perm("access.add_revocation")


def _usual(target: str) -> str:
    usual = {"right": Revocation.Reason.RIGHT_ENDED, "provider": Revocation.Reason.ASSIGNMENT_ENDED}
    return usual.get(target, Revocation.Reason.LOST)


def is_revoked(what: Source, *, at: datetime, by: User) -> bool:
    """Return whether nothing is left of it for `by` to revoke; after a new enrolment a person is again."""
    if isinstance(what, CareProvider):
        return not what.active
    if isinstance(what, StaffMember):
        open_still = what.user is not None and what.user.is_active and not _keeps_sign_in(what, by)
        return not what.bearers.filter(revoked_at__isnull=True).exists() and not open_still
    if isinstance(what, ExtraRight):
        return what.withdrawn_at is not None or what.ends_at <= at
    return what.revoked_at is not None


def _passages_of(what: Source) -> str:
    """Return where the passages of what is revoked are searched; empty where they cannot be told apart."""
    names: dict[type[Source], str] = {
        Token: "token",
        Phone: "phone",
        StaffMember: "staff_id",
        CareProvider: "provider",
    }
    name = names.get(type(what))
    return f"{reverse('admin:passages_search')}?{name}={what.pk}" if name else ""


def _keeps_sign_in(staff: StaffMember, by: User) -> bool:
    return staff.user is not None and staff.user.is_active and not revoke.may_close(staff.user, by)


def _exposed(what: Source, number: str, *, at: datetime) -> dict[str, Any]:
    """Return one page of the exposure, with who will carry the news to each lock."""
    doors = Paginator(exposed_until(what, at=at), DOORS_A_PAGE).get_page(number)
    ids = [row["binding"] for row in doors]
    exposed = exposure(what, at=at, binding_ids=ids)
    carriers = couriers(ids, besides=what, at=at) if ids else {}
    return {
        "page": doors,
        "doors": doors.paginator.count,
        "until": exposed[0].until if exposed and doors.number == 1 else None,
        "informed": sum(one.lock_knows for one in exposed),
        "lines": [(one, carriers.get(one.binding.pk, [])) for one in exposed],
    }
