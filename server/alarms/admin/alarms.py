"""Alarms in the administration: the list, the page that raises one, and the page that follows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from server.alarms.admin.picture import lasted, picture_of, with_all
from server.alarms.domain import answering
from server.alarms.domain.ending import end
from server.alarms.domain.offering import ranking
from server.alarms.domain.raising import raise_alarm
from server.alarms.models import Alarm, AlarmCall, AlarmOffer
from server.alarms.queries import open_alarms
from server.alarms.rules import in_words
from server.config.rownumbers import row_number
from server.people.models import StaffMember, User
from server.problems import Problem
from server.tenancy.admin_base import ReadOnlyAdmin

MOST_CHOICES = 15
"""People to choose from by hand: the nearest; whoever is further down is not the one to send."""


class RaiseForm(forms.Form):
    """One field."""

    alarm_code = forms.CharField(
        label=_("Alarm code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"}),
    )


class EndForm(forms.Form):
    """How it ended."""

    why = forms.ChoiceField(
        label=_("How it ended"),
        choices=[(why.value, why.label) for why in Alarm.Why if why != Alarm.Why.EXPIRED],
        widget=forms.RadioSelect,
        initial=Alarm.Why.HANDLED,
    )


def in_words_of(problem: Problem) -> str:
    """Return what went wrong in the reader's language."""
    said = problem.as_dict()
    return str(said["message_sv" if get_language() == "sv" else "message_en"])


@admin.register(Alarm)
class AlarmAdmin(ReadOnlyAdmin):
    """Alarms: those who may add raise them and see them through, others look."""

    change_list_template = "admin/nyckelfri/alarms/change_list.html"
    list_display = ["raised_at", "client", "state", "taken_by", "to_door", "why"]
    list_filter = ["state", "why", "taken_by__provider"]
    list_select_related = ["client", "taken_by"]
    search_fields = ["client__alarm_code", "taken_by__name"]
    date_hierarchy = "raised_at"
    empty_hint = _("Raise an alarm with an alarm code, or connect the alarm system.")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Raising an alarm is for those whose role says so."""
        return request.user.has_perm("alarms.add_alarm")

    @admin.display(description=_("alarm to door"))
    def to_door(self, alarm: Alarm) -> str:
        """How long it took, by the lock's log."""
        if alarm.arrived_at is None or alarm.arrival_uncertain:
            return "–"
        return lasted(alarm.arrived_at - alarm.raised_at)

    def get_urls(self) -> list[URLPattern]:
        """Add the parts of the alarm's page."""
        wrap = self.admin_site.admin_view
        own = [
            path("<int:pk>/picture/", wrap(self.picture_view), name="alarms_alarm_picture"),
            path("<int:pk>/end/", wrap(self.end_view), name="alarms_alarm_end"),
            path("<int:pk>/assign/", wrap(self.assign_view), name="alarms_alarm_assign"),
            path("<int:pk>/renew/", wrap(self.renew_view), name="alarms_alarm_renew"),
        ]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Ask for an alarm code (GET), or raise the alarm and go to its page (POST)."""
        if not self.has_add_permission(request) or getattr(request.user, "municipality_id", None) is None:
            raise PermissionDenied
        form = RaiseForm(request.POST or None)
        if form.is_valid():
            try:
                raised = raise_alarm(
                    alarm_code=form.cleaned_data["alarm_code"].strip(),
                    at=timezone.now(),
                    actor=_person(request),
                )
            except Problem as problem:
                form.add_error("alarm_code", in_words_of(problem))
            else:
                if not raised.is_new:
                    messages.info(request, _("The alarm was open already."))
                return redirect(_page(raised.alarm.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Raise an alarm"),
            "opts": self.model._meta,
            "form": form,
            "open": with_all(open_alarms()).order_by("raised_at")[:50],
        }
        return TemplateResponse(request, "admin/nyckelfri/alarms/raise.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Follow one alarm."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        alarm, at = self._alarm(object_id), timezone.now()
        decides = self._decides(request) and alarm.is_open
        context = {
            **self.admin_site.each_context(request),
            **picture_of(alarm, at=at),
            "title": _("Alarm"),
            "opts": self.model._meta,
            "decides": decides,
            "end_form": EndForm(),
            "others": _others(alarm) if decides else [],
        }
        response = TemplateResponse(request, "admin/nyckelfri/alarms/alarm.html", context)
        add_never_cache_headers(response)
        return response

    def picture_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Answer the part of the page that changes while an alarm runs."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        alarm = self._alarm(pk)
        context = {
            **picture_of(alarm, at=timezone.now()),
            "decides": self._decides(request) and alarm.is_open,
        }
        response = TemplateResponse(request, "admin/nyckelfri/alarms/picture.html", context)
        add_never_cache_headers(response)
        return response

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End the alarm."""
        form = EndForm(request.POST or None)
        if not form.is_valid():
            return self._decide(request, pk, None)
        why = form.cleaned_data["why"]
        return self._decide(
            request, pk, lambda actor: end(alarm_id=pk, why=why, at=timezone.now(), actor=actor)
        )

    def assign_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send somebody by hand."""
        chosen = request.POST.get("staff", "")
        staff = get_object_or_404(StaffMember.objects.all(), pk=row_number(chosen))
        return self._decide(
            request,
            pk,
            lambda actor: answering.assign(alarm_id=pk, staff=staff, at=timezone.now(), actor=actor),
        )

    def renew_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give the right anew."""
        return self._decide(
            request, pk, lambda actor: answering.renew(alarm_id=pk, at=timezone.now(), actor=actor)
        )

    def _decide(
        self, request: HttpRequest, pk: int, verb: Callable[[User], Any] | None
    ) -> HttpResponseRedirect:
        """Do what was asked by somebody who may, and go back to the alarm."""
        if not self._decides(request):
            raise PermissionDenied
        self._alarm(pk)
        if request.method == "POST" and verb is not None:
            try:
                verb(_person(request))
            except Problem as problem:
                messages.error(request, in_words_of(problem))
        return redirect(_page(pk))

    def _alarm(self, pk: int | str) -> Alarm:
        alarm: Alarm = get_object_or_404(with_all(Alarm.objects.all()), pk=row_number(pk))
        return alarm

    @staticmethod
    def _decides(request: HttpRequest) -> bool:
        return request.user.has_perm("alarms.change_alarm")


def _others(alarm: Alarm) -> list[tuple[StaffMember, list[str]]]:
    """Return whom the patrol could send instead, nearest first."""
    nearest = ranking(alarm, at=timezone.now())
    chosen = [(person, in_words(one.grounds)) for one, person in nearest if person.pk != alarm.taken_by_id]
    return chosen[:MOST_CHOICES]


def _page(pk: int) -> str:
    return reverse("admin:alarms_alarm_change", args=[pk])


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    return request.user


@admin.register(AlarmOffer)
class AlarmOfferAdmin(ReadOnlyAdmin):
    """Who was asked, and what was answered."""

    list_display = ["offered_at", "alarm", "staff", "rank", "answer", "answered_at"]
    list_filter = ["answer", "by_hand", "staff__provider"]
    list_select_related = ["alarm__client", "staff"]
    search_fields = ["staff__name", "alarm__client__alarm_code"]
    date_hierarchy = "offered_at"
    empty_hint = _("Offers are made by themselves when an alarm is raised.")


@admin.register(AlarmCall)
class AlarmCallAdmin(ReadOnlyAdmin):
    """What alarm systems called about."""

    list_display = ["at", "system", "external_id", "alarm"]
    list_filter = ["system"]
    list_select_related = ["system", "alarm__client"]
    search_fields = ["external_id", "alarm__client__alarm_code"]
    date_hierarchy = "at"
    empty_hint = _("Calls come from alarm systems that are connected.")
