"""Arrivals and departures of a provider's day: the page, and the same as a file for the business system."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.audit import actions
from server.audit.domain import record
from server.config.csvfile import csv_stream
from server.config.rownumbers import row_number
from server.passages.domain.visit_times import MARKS, PersonDay, VisitTime, times_of
from server.passages.visit_queries import staff_of_day
from server.people.models import CareProvider, User
from server.tenancy.moments import within_reach

EXPORTED = actions.register(
    "passages.visit_times_exported", gettext_lazy("arrivals and departures exported"), needs_actor=True
)
PEOPLE = 20
PEOPLE_PER_PIECE = 50
LONGEST = 31
DAY = timedelta(days=1)


class DayForm(forms.Form):
    """Whose day; the file may run through a later one."""

    provider: Any = forms.ModelChoiceField(
        label=gettext_lazy("Care provider"), queryset=None, required=False, empty_label=None
    )
    day = forms.DateField(
        validators=[within_reach],
        label=gettext_lazy("Day"),
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )
    through = forms.DateField(
        validators=[within_reach],
        label=gettext_lazy("File through"),
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )
    staff = forms.CharField(label=gettext_lazy("Staff member"), required=False, max_length=80)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["provider"].queryset = CareProvider.objects.all()  # type: ignore[attr-defined]

    def provider_or_first(self) -> CareProvider | None:
        """Return the provider asked for, else the first one that may be seen."""
        chosen: CareProvider | None = self.cleaned_data["provider"] or CareProvider.objects.first()
        return chosen

    def first_day(self) -> date:
        """Return the day asked for, else today."""
        day: date = self.cleaned_data["day"] or timezone.localdate()
        return day

    def days(self) -> int:
        """Return how many days the file holds."""
        through = self.cleaned_data["through"] or self.first_day()
        return min(max((through - self.first_day()).days + 1, 1), LONGEST)


def page(request: HttpRequest) -> HttpResponse:
    """Show a day's visits by person, with what the doors told of them."""
    if not request.user.has_perm("passages.view_visit_times"):
        raise PermissionDenied
    context = {**admin.site.each_context(request), "title": _("Arrivals and departures")}
    if getattr(request.user, "municipality", None) is None:
        return TemplateResponse(request, "admin/nyckelfri/no_municipality.html", context)
    asked = request.GET.copy()
    asked.setdefault("day", timezone.localdate().isoformat())
    form = DayForm(asked)
    provider = form.provider_or_first() if form.is_valid() else None
    context |= {"form": form, "provider": provider}
    if provider is not None:
        context |= _day(form, provider, request)
    return TemplateResponse(request, "admin/nyckelfri/passages/visits.html", context)


def _day(form: DayForm, provider: CareProvider, request: HttpRequest) -> dict[str, Any]:
    day = form.first_day()
    start, end = _bounds(day)
    staff = staff_of_day(provider, start, end)
    for word in form.cleaned_data["staff"].split():
        staff = staff.filter(name__icontains=word)
    place = row_number(request.GET.get("from"))
    people = list(staff[place : place + PEOPLE + 1])
    asked = request.GET.copy()
    asked.pop("from", None)
    asked["day"], asked["provider"] = day.isoformat(), str(provider.pk)
    return {
        "day": day,
        "people": [
            {"day": one, "rows": [row(visit) for visit in one.visits]}
            for one in times_of(people[:PEOPLE], provider=provider.pk, start=start, end=end)
        ],
        "asked": asked.urlencode(),
        "earlier": (day - DAY).isoformat(),
        "later": (day + DAY).isoformat(),
        "more": place + PEOPLE if len(people) > PEOPLE else None,
    }


def _bounds(day: date) -> tuple[datetime, datetime]:
    start = timezone.make_aware(datetime.combine(day, datetime.min.time()))
    return start, timezone.make_aware(datetime.combine(day + DAY, datetime.min.time()))


def row(one: VisitTime) -> dict[str, Any]:
    """Return a visit as the page shows it."""
    return {
        "visit": one.visit,
        "arrival": one.arrival,
        "departure": one.departure,
        "minutes": one.minutes,
        "colleague": one.colleague,
        "marks": [MARKS[mark] for mark in one.marks],
    }


def export(request: HttpRequest) -> HttpResponseBase:
    """Hand out a day's visits, or up to a month's, as a file; who took it is on record."""
    if not request.user.has_perm("passages.view_visit_times"):
        raise PermissionDenied
    form = DayForm(request.GET)
    provider = form.provider_or_first() if form.is_valid() else None
    if provider is None or getattr(request.user, "municipality", None) is None:
        return page(request)
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    first, days = form.first_day(), form.days()
    period = {"from": first.isoformat(), "days": days}
    record(action=EXPORTED, target=provider, actor=request.user, after=period)
    head = [
        _("day"),
        _("staff member"),
        _("external id"),
        _("team"),
        _("alarm code"),
        _("visit's external id"),
        _("planned start"),
        _("planned end"),
        _("arrival"),
        _("departure"),
        _("minutes"),
        _("remarks"),
    ]
    pieces = partial(_piece, provider, first, days)
    return csv_stream(request, name=f"besokstider-{first}", head=head, pieces=pieces)


def _piece(provider: CareProvider, first: date, days: int, after: str) -> tuple[Iterable[list[Any]], str]:
    """Return the rows of up to fifty people of one day, and which people and day come next."""
    ahead, place = (int(part) for part in after.split(".")) if after else (0, 0)
    start, end = _bounds(first + ahead * DAY)
    people = list(staff_of_day(provider, start, end)[place : place + PEOPLE_PER_PIECE + 1])
    found = times_of(people[:PEOPLE_PER_PIECE], provider=provider.pk, start=start, end=end)
    rows = [cells for one in found for cells in _rows(one, first + ahead * DAY)]
    if len(people) > PEOPLE_PER_PIECE:
        return rows, f"{ahead}.{place + PEOPLE_PER_PIECE}"
    return rows, f"{ahead + 1}.0" if ahead + 1 < days else ""


def _rows(one: PersonDay, day: date) -> Iterable[list[Any]]:
    for told in one.visits:
        visit = told.visit
        yield [
            day.isoformat(),
            one.staff.name,
            one.staff.external_id,
            visit.shift.team.name,
            visit.client.alarm_code,
            visit.external_id,
            _moment(visit.starts_at),
            _moment(visit.ends_at),
            _moment(told.arrival),
            _moment(told.departure),
            told.minutes,
            ", ".join(str(MARKS[mark]) for mark in told.marks),
        ]


def _moment(at: datetime | None) -> str:
    return timezone.localtime(at).isoformat(sep=" ", timespec="minutes") if at is not None else ""
