"""The page "give a right at once": who, which doors, until when; below it what is running, with "end now"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from server.access.domain import extra
from server.access.duties import LONGEST
from server.access.models import ExtraRight
from server.access.queries import running_extras
from server.care.models import Client
from server.people.models import StaffMember, Team, User
from server.problems import Problem
from server.tenancy.moments import within_reach

USUALLY = timedelta(hours=8)
HALF_HOUR = 30
ROWS_A_PAGE = 50
REASONS = [
    (reason.value, reason.label)
    for reason in (
        ExtraRight.Reason.BORROWED,
        ExtraRight.Reason.SUBSTITUTE,
        ExtraRight.Reason.PLAN_LATE,
        ExtraRight.Reason.OTHER,
    )
]


def half_hour_after(moment: datetime) -> datetime:
    """Return the next whole half hour in local time."""
    local = timezone.localtime(moment).replace(second=0, microsecond=0)
    return local + timedelta(minutes=HALF_HOUR - local.minute % HALF_HOUR)


def clock_input() -> forms.DateTimeInput:
    """Return an input that the browser helps to fill in."""
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class GiveForm(forms.Form):
    """Who, where, until when; the rest is filled in as it usually is."""

    staff = forms.ModelChoiceField(label=gettext_lazy("Who"), queryset=StaffMember.unscoped.none())
    team = forms.ModelChoiceField(
        label=gettext_lazy("The doors of which team"), queryset=Team.unscoped.none(), required=False
    )
    alarm_code = forms.CharField(
        label=gettext_lazy("or of one client (alarm code)"), max_length=20, required=False
    )
    until = forms.DateTimeField(label=gettext_lazy("Until"), widget=clock_input(), validators=[within_reach])
    reason = forms.ChoiceField(label=gettext_lazy("Why"), choices=REASONS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for name, rows in (("staff", StaffMember.objects.all()), ("team", Team.objects.all())):
            field: Any = self.fields[name]
            field.queryset = rows
            field.widget = AutocompleteSelect(ExtraRight._meta.get_field(name), admin.site)
            field.widget.choices = field.choices

    def clean(self) -> dict[str, Any]:
        """Exactly one of team and client; the client is looked for among those that may be seen."""
        said: dict[str, Any] = super().clean() or {}
        code = said.get("alarm_code", "").strip()
        if bool(code) == bool(said.get("team")):
            raise forms.ValidationError(_("Choose a team, or give one client's alarm code."))
        said["client"] = Client.objects.filter(alarm_code=code).first() if code else None
        if code and said["client"] is None:
            self.add_error("alarm_code", _("There is no client with this alarm code."))
        return said


def page(request: HttpRequest) -> HttpResponse:
    """Ask (GET), or give the right (POST)."""
    if not request.user.has_perm("access.give_extraright"):
        raise PermissionDenied
    now = timezone.now()
    form = GiveForm(request.POST or None, initial=_usual(request, now))
    if form.is_valid() and _give(request, form, now):
        return redirect("admin:access_give")
    rows = Paginator(running_extras(at=now), ROWS_A_PAGE).get_page(request.GET.get("p"))
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Give a right at once"),
        "form": form,
        "page": rows,
        "longest": int(LONGEST[ExtraRight.Kind.ADHOC].total_seconds() // 3600),
    }
    return TemplateResponse(request, "admin/nyckelfri/access/give.html", context)


def _usual(request: HttpRequest, now: datetime) -> dict[str, Any]:
    """Return the sensible defaults: eight hours, and the only team there is."""
    teams = list(Team.objects.values_list("pk", flat=True)[:2])
    return {
        "staff": request.GET.get("staff"),
        "team": teams[0] if len(teams) == 1 else None,
        "until": half_hour_after(now + USUALLY - timedelta(minutes=HALF_HOUR)),
        "reason": ExtraRight.Reason.BORROWED,
    }


def _give(request: HttpRequest, form: GiveForm, now: datetime) -> bool:
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    said = form.cleaned_data
    try:
        right = extra.give(
            kind=ExtraRight.Kind.ADHOC,
            staff=said["staff"],
            provider=said["staff"].provider,
            team=said["team"],
            client=said["client"],
            starts_at=now,
            ends_at=said["until"],
            reason=said["reason"],
            at=now,
            actor=request.user,
        )
    except Problem as problem:
        form.add_error(None, words_of(problem))
        return False
    words = {"name": right.staff, "time": timezone.localtime(right.ends_at).strftime("%H:%M")}
    messages.success(
        request, _("%(name)s opens until %(time)s. A phone that is online has it already.") % words
    )
    return True


def words_of(problem: Problem) -> str:
    """Return a problem in the language of the page."""
    said = problem.as_dict()
    return str(said["message_en"] if get_language() == "en" else said["message_sv"])


@require_POST
def end_page(request: HttpRequest, pk: int) -> HttpResponse:
    """End a right now. Giving it again undoes that, so nothing is asked."""
    if not request.user.has_perm("access.give_extraright"):
        raise PermissionDenied
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    right = get_object_or_404(ExtraRight.objects.select_related("staff"), pk=pk)
    extra.end(right=right, at=timezone.now(), actor=request.user, reason="ended_by_hand")
    messages.success(request, _("Ended: %(right)s.") % {"right": right})
    return redirect("admin:access_give")
