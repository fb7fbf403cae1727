"""The page where a withdrawal is recorded: whose care would stand without entry, and from when it holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.care.admin.parts import attempt, demand, in_words
from server.care.domain.consents import AT_ONCE, NOTICE, keep, start_of, withdraw
from server.care.models import Consent
from server.care.ways_in import consequences
from server.problems import Problem
from server.tenancy.moments import within_reach
from server.tenancy.scoping import viewer_now

USUAL_WAIT = timedelta(days=14)


class WithdrawForm(forms.Form):
    """From when, and a tick so that nobody does it by a slip."""

    latest = forms.DateField(
        label=gettext_lazy("At the latest from"),
        required=False,
        validators=[within_reach],
        widget=AdminDateWidget(attrs={"type": "date"}),
    )
    at_once = forms.BooleanField(
        label=gettext_lazy("At once, although somebody is left without a way in"), required=False
    )
    sure = forms.BooleanField(label=gettext_lazy("Yes, the consent is withdrawn"))


def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show whom it concerns and ask (GET), or record the withdrawal (POST)."""
    user = demand(request, "care.view_consent", "care.withdraw_consent")
    consent = get_object_or_404(Consent.objects.select_related("client", "property", "owner"), pk=pk)
    if not may_withdraw(request, consent):
        raise PermissionDenied
    now = timezone.now()
    concerned = consequences(consent, at=now)
    may_at_once = user.has_perm(AT_ONCE) and concerned.stranded > 0
    form = WithdrawForm(request.POST or None, initial={"latest": timezone.localdate(now + USUAL_WAIT)})
    if not may_at_once:
        del form.fields["at_once"]
    if not concerned.stranded:
        del form.fields["latest"]
    if form.is_valid():
        day, at_once = form.cleaned_data.get("latest"), form.cleaned_data.get("at_once", False)
        try:
            latest = start_of(day) if day else None
            done = withdraw(consent=consent, at=now, latest=latest, at_once=at_once, actor=user)
        except Problem as problem:
            form.add_error("latest" if "latest" in form.fields else None, in_words(problem))
        else:
            messages.success(request, _said(done))
            return redirect("admin:care_consent_change", pk)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Withdraw the consent"),
        "consent": consent,
        "concerned": concerned,
        "form": form,
        "earliest": timezone.localdate(now + NOTICE + timedelta(days=1)),
        "narrow": viewer_now() is not None,
    }
    return TemplateResponse(request, "admin/nyckelfri/care/withdraw.html", context)


def keep_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a withdrawal back that has not taken effect."""
    user = demand(request, "care.view_consent", "care.withdraw_consent")
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    consent = get_object_or_404(Consent.objects.all(), pk=pk)
    if not may_withdraw(request, consent):
        raise PermissionDenied
    attempt(
        request,
        lambda: keep(consent=consent, at=timezone.now(), actor=user),
        _("The withdrawal is taken back. The consent holds as before."),
    )
    return redirect("admin:care_consent_change", pk)


def may_withdraw(request: HttpRequest, consent: Consent) -> bool:
    """Return whether this person may; a provider's own people only for their clients, not for owners."""
    narrow = viewer_now() is not None
    return request.user.has_perm("care.withdraw_consent") and (not narrow or consent.client_id is not None)


def is_over(consent: Consent, at: datetime) -> bool:
    """Return whether the consent has ended, by its own day or by a withdrawal."""
    return any(end is not None and end <= at for end in (consent.valid_to, consent.withdrawn_at))


def _said(consent: Consent) -> str:
    assert consent.withdrawn_at is not None  # noqa: S101  it was withdrawn a moment ago
    moment = date_format(timezone.localtime(consent.withdrawn_at), "DATETIME_FORMAT")
    if consent.withdrawal_waits:
        return _("Recorded. It takes effect when everybody has another way in, at the latest %(when)s.") % {
            "when": moment
        }
    return _("Recorded. The consent ended %(when)s.") % {"when": moment}
