"""The page where passages are searched, and the same as a file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.audit import actions
from server.audit.domain import record
from server.config.csvfile import csv_stream
from server.passages.labels import KINDS, describe, tone
from server.passages.models import Passage
from server.passages.search import Criteria, Line, Missing, Page, is_narrow, search
from server.people.models import CareProvider, User
from server.tenancy.moments import within_reach
from server.tenancy.policy import policy_of

EXPORTED = actions.register("passages.exported", gettext_lazy("passages exported"), needs_actor=True)

ROWS_PER_PIECE = 1000

WHY_MISSING: dict[str, str | Promise] = {
    "overwritten": gettext_lazy("The lock's memory was full: it overwrote these before any phone came by."),
    "lost": gettext_lazy("The lock has a receipt for these, but they are not in the database."),
    "awaited": gettext_lazy("Later passages have come home; these have not yet."),
    "tail": gettext_lazy("What the lock has logged since has not come home; nobody can tell how much it is."),
}


class SearchForm(forms.Form):
    """What to look for. Fields without a label of their own come from links on other pages."""

    door = forms.CharField(label=gettext_lazy("Door"), required=False, max_length=80)
    code = forms.CharField(label=gettext_lazy("Alarm code"), required=False, max_length=20)
    staff = forms.CharField(label=gettext_lazy("Staff member"), required=False, max_length=80)
    provider = forms.ChoiceField(label=gettext_lazy("Care provider"), required=False)
    start = forms.DateField(
        validators=[within_reach],
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )
    end = forms.DateField(
        validators=[within_reach],
        label=gettext_lazy("Through"),
        required=False,
        widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"),
    )
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    revoked = forms.BooleanField(label=gettext_lazy("Only opened before known revocation"), required=False)
    door_id = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    staff_id = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    phone = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)
    token = forms.IntegerField(required=False, min_value=1, max_value=2**62, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        providers = CareProvider.objects.values_list("pk", "name")
        self.fields["provider"].choices = [("", _("all")), *providers]  # type: ignore[attr-defined]
        self.fields["kind"].choices = [("", _("all")), *KINDS.items()]  # type: ignore[attr-defined]

    def criteria(self) -> Criteria:
        """Return what a valid form asks for."""
        said = self.cleaned_data
        return Criteria(
            door_text=said["door"],
            door_id=said["door_id"],
            alarm_code=said["code"].strip(),
            staff_text=said["staff"],
            staff_id=said["staff_id"],
            provider_id=int(said["provider"]) if said["provider"] else None,
            phone_id=said["phone"],
            token_id=said["token"],
            start=_midnight(said["start"]) if said["start"] else None,
            end=_midnight(said["end"] + timedelta(days=1)) if said["end"] else None,
            kind=said["kind"],
            before_known=said["revoked"],
        )


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def page(request: HttpRequest) -> HttpResponse:
    """Show a page of what was searched for."""
    if not request.user.has_perm("passages.view_passage"):
        raise PermissionDenied
    context = {**admin.site.each_context(request), "title": _("Search passages")}
    municipality = getattr(request.user, "municipality", None)
    if municipality is None:
        return TemplateResponse(request, "admin/nyckelfri/no_municipality.html", context)
    form = SearchForm(request.GET)
    found = search(form.criteria(), after=request.GET.get("after", "")) if form.is_valid() else Page()
    asked = request.GET.copy()
    asked.pop("after", None)
    context |= {
        "form": form,
        "page": found,
        "lines": [shown(line) for line in found.lines],
        "narrow": is_narrow(),
        "kept_months": policy_of(municipality).retention_months,
        "asked": asked.urlencode(),
        "older": _older(asked, found.after),
        "may_export": request.user.has_perm("passages.export_passages"),
        "may_prove": found.door is not None and request.user.has_perm("passages.prove_log"),
    }
    return TemplateResponse(request, "admin/nyckelfri/passages/search.html", context)


def _older(asked: Any, after: str) -> str:
    if not after:
        return ""
    following = asked.copy()
    following["after"] = after
    return f"{reverse('admin:passages_search')}?{following.urlencode()}"


def shown(line: Line) -> dict[str, Any]:
    """Return a line as the page and the file show it."""
    if isinstance(line, Missing):
        return {"missing": line, "why": WHY_MISSING[line.why]}
    return {
        "passage": line,
        "what": describe(line.kind, line.reason, str(line.detail.get("command", ""))),
        "tone": tone(line.kind, line.reason, before_known=line.opened_before_known_revocation),
        "door": line.binding.door if line.binding else None,
        "who": line.bearer.staff if line.bearer else None,
        "order_unknown": _order_unknown(line),
    }


def _order_unknown(passage: Passage) -> bool:
    """Say whether the key was revoked and nobody can tell if that was before or after."""
    if passage.kind != "granted" or not passage.time_uncertain or passage.opened_before_known_revocation:
        return False
    return passage.token is not None and passage.token.revoked_at is not None


def export(request: HttpRequest) -> HttpResponseBase:
    """Hand out everything that was searched for as a file; who took it is on record."""
    if not request.user.has_perm("passages.export_passages"):
        raise PermissionDenied
    municipality = getattr(request.user, "municipality", None)
    form = SearchForm(request.GET)
    if municipality is None or not form.is_valid():
        return page(request)
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    asked = {key: _on_record(key, value) for key, value in form.cleaned_data.items() if value}
    record(action=EXPORTED, target=municipality, actor=request.user, after=asked)
    pieces = partial(_piece, form.criteria(), not is_narrow())
    return csv_stream(request, name="passager", head=_head(numbered=not is_narrow()), pieces=pieces)


def _on_record(key: str, value: Any) -> str:
    """Return what the audit trail keeps of a criterion: a name searched for would stay there for ever."""
    return "…" if key == "staff" else str(value)


def _head(*, numbered: bool) -> list[str]:
    own = [
        _("happened"),
        _("became known"),
        _("time uncertain"),
        _("what"),
        _("kind"),
        _("reason"),
        _("opened before known revocation"),
        _("door"),
        _("lock"),
        _("staff member"),
        _("care provider"),
    ]
    return [*own, _("log epoch"), _("number"), _("to number")] if numbered else own


def _piece(criteria: Criteria, numbered: bool, after: str) -> tuple[Iterable[list[Any]], str]:
    found = search(criteria, after=after, size=ROWS_PER_PIECE)
    return [_cells(line, numbered=numbered) for line in found.lines], found.after


def _cells(line: Line, *, numbered: bool) -> list[Any]:
    cells: list[Any]
    if isinstance(line, Missing):
        cells = ["", _moment(line.noticed_at), "", WHY_MISSING[line.why], f"gap_{line.why}", *[""] * 6]
        return [*cells, "", line.first, line.last] if numbered else cells
    cells = [
        _moment(line.happened_at),
        _moment(line.known_at),
        _("yes") if line.time_uncertain else "",
        describe(line.kind, line.reason, str(line.detail.get("command", ""))),
        line.kind,
        line.reason,
        _("yes") if line.opened_before_known_revocation else "",
        str(line.binding.door) if line.binding else "",
        line.lock.name,
        line.bearer.staff.name if line.bearer else "",
        line.provider.name if line.provider else "",
    ]
    return [*cells, line.epoch, line.seq, line.seq] if numbered else cells


def _moment(at: datetime | None) -> str:
    return timezone.localtime(at).isoformat(sep=" ", timespec="seconds") if at is not None else ""
