"""The page "substitute this morning": name, team, hours; then a card to print with all a phone asks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.access.admin.giving import USUALLY, clock_input, half_hour_after, words_of
from server.access.domain.substitutes import HandOver, let_in
from server.access.models import ExtraRight
from server.people.enrolment_link import offer
from server.people.models import StaffMember, Team, User
from server.problems import Problem
from server.tenancy.moments import within_reach

NEEDED = ("access.give_extraright", "people.add_staffmember", "care.add_shift")


class SubstituteForm(forms.Form):
    """A new name, or somebody who has been here before; the team; the hours."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Never a personal identity number."),
    )
    staff = forms.ModelChoiceField(
        label=gettext_lazy("or somebody from before"),
        queryset=StaffMember.unscoped.none(),
        required=False,
    )
    team = forms.ModelChoiceField(label=gettext_lazy("Team"), queryset=Team.unscoped.none())
    starts_at = forms.DateTimeField(
        label=gettext_lazy("From"), widget=clock_input(), validators=[within_reach]
    )
    ends_at = forms.DateTimeField(
        label=gettext_lazy("Until"), widget=clock_input(), validators=[within_reach]
    )
    new_sign_in = forms.BooleanField(
        label=gettext_lazy("Make a new sign-in, the old one is forgotten"), required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for name, rows in (("staff", StaffMember.objects.all()), ("team", Team.objects.all())):
            field: Any = self.fields[name]
            field.queryset = rows
            field.widget = AutocompleteSelect(ExtraRight._meta.get_field(name), admin.site)
            field.widget.choices = field.choices
        self.fields["name"].widget.attrs["autofocus"] = True

    def clean(self) -> dict[str, Any]:
        """Either a name or a person."""
        said: dict[str, Any] = super().clean() or {}
        if bool(said.get("name", "").strip()) == bool(said.get("staff")):
            raise forms.ValidationError(_("Write a name, or choose somebody who has worked here before."))
        return said


def page(request: HttpRequest) -> HttpResponse:
    """Ask (GET), or let the person in and show the card this once (POST)."""
    if not request.user.has_perms(NEEDED):
        raise PermissionDenied
    now = timezone.now()
    form = SubstituteForm(request.POST or None, initial=_usual(now))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Substitute this morning"),
        "form": form,
    }
    done = _let_in(request, form, now) if form.is_valid() else None
    if done is not None:
        context |= _card(request, done)
    response = TemplateResponse(request, "admin/nyckelfri/access/substitute.html", context)
    add_never_cache_headers(response)
    return response


def _usual(now: datetime) -> dict[str, Any]:
    """Return the defaults: from now, eight hours, and the only team there is."""
    teams = list(Team.objects.values_list("pk", flat=True)[:2])
    return {
        "team": teams[0] if len(teams) == 1 else None,
        "starts_at": half_hour_after(now) - timedelta(minutes=30),
        "ends_at": half_hour_after(now) - timedelta(minutes=30) + USUALLY,
    }


def _let_in(request: HttpRequest, form: SubstituteForm, now: datetime) -> HandOver | None:
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    said = form.cleaned_data
    try:
        return let_in(
            team=said["team"],
            starts_at=said["starts_at"],
            ends_at=said["ends_at"],
            at=now,
            actor=request.user,
            name=said["name"].strip(),
            staff=said["staff"],
            new_sign_in=said["new_sign_in"],
        )
    except Problem as problem:
        form.add_error(None, words_of(problem))
        return None


def _card(request: HttpRequest, done: HandOver) -> dict[str, Any]:
    shown = offer(request=request, municipality=done.staff.municipality, code=done.plain_code)
    return {"done": done, "offer": shown}
