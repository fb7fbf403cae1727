"""The page where emergency rights are reviewed, the oldest first: justified or not, one press each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from server.access.admin.giving import ROWS_A_PAGE, words_of
from server.access.domain.break_glass import review
from server.access.models import ExtraRight
from server.access.queries import unreviewed
from server.people.models import User
from server.problems import Problem


class VerdictForm(forms.Form):
    """Which right, and what is thought of it."""

    right = forms.IntegerField(min_value=1, max_value=2**63 - 1)
    verdict = forms.ChoiceField(choices=ExtraRight.Verdict.choices)


def page(request: HttpRequest) -> HttpResponse:
    """List what waits (GET), or take a verdict (POST)."""
    if not request.user.has_perm("access.review_extraright"):
        raise PermissionDenied
    form = VerdictForm(request.POST or None)
    if form.is_valid():
        right = get_object_or_404(
            ExtraRight.objects.select_related("staff", "client"), pk=form.cleaned_data["right"]
        )
        _take(request, right, form.cleaned_data["verdict"])
        return redirect("admin:access_review")
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Review emergency rights"),
        "page": Paginator(unreviewed(), ROWS_A_PAGE).get_page(request.GET.get("p")),
        "verdicts": ExtraRight.Verdict.choices,
    }
    return TemplateResponse(request, "admin/nyckelfri/access/review.html", context)


def _take(request: HttpRequest, right: ExtraRight, verdict: str) -> None:
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    try:
        review(right=right, verdict=verdict, at=timezone.now(), actor=request.user)
        messages.success(request, _("Reviewed: %(right)s.") % {"right": right})
    except Problem as problem:
        messages.error(request, words_of(problem))
