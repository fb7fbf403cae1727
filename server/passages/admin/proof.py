"""The page that says whether a door's log is complete for a period, and the file that proves it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from protocol.statement import Missing, OnlyIssuer
from server.passages.domain.completeness import Examination, Stretch, TooLongError, examine
from server.passages.domain.proving import prove
from server.people.models import User
from server.places.models import Door
from server.tenancy.domain.keyring import KeyMissingError, root_set
from server.tenancy.moments import within_reach
from server.tenancy.scoping import viewer_now

USUAL = timedelta(days=30)
DAY = timedelta(days=1)


class PeriodForm(forms.Form):
    """From the first day through the last."""

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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """Return the period [start, end); the last thirty days where nothing is said."""
        said = self.cleaned_data
        end = _midnight(said["end"]) + DAY if said.get("end") else now
        start = _midnight(said["start"]) if said.get("start") else end - USUAL
        return start, end


@dataclass(frozen=True)
class Point:
    """One thing that is proven, or is not."""

    text: str
    tone: str = ""


def _midnight(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what is proven of the door's log in the period, and what is not."""
    door = _door(request, pk)
    form = PeriodForm(request.GET)
    now = timezone.now()
    examined, problem = _examined(door, form, now)
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": _("Is this log complete?"),
        "door": door,
        "form": form,
        "examined": examined,
        "problem": problem,
        "asked": request.GET.urlencode(),
    }
    if examined is not None:
        context |= {
            "proven": _proven(examined),
            "unproven": _unproven(examined),
            "verdict": _verdict(examined),
            "fingerprint": root_set(door.municipality).fingerprint.hex(),
        }
    return TemplateResponse(request, "admin/nyckelfri/passages/proof.html", context)


def export(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand out the file; who took it is on record."""
    door = _door(request, pk)
    form = PeriodForm(request.GET)
    examined, _problem = _examined(door, form, timezone.now())
    if examined is None:
        return page(request, pk)
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    try:
        file = prove(examined, actor=request.user)
    except KeyMissingError:
        return page(request, pk)
    name = f"loggbevis-{door.pk}-{examined.start:%Y%m%d}-{examined.end:%Y%m%d}.cbor"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(file, content_type="application/cbor", headers=headers)


def _door(request: HttpRequest, pk: int) -> Door:
    """Return the door, for those who may see all of its log; numbers tell of everybody who came."""
    if not request.user.has_perm("passages.prove_log") or viewer_now() is not None:
        raise PermissionDenied
    door: Door = get_object_or_404(Door.objects.select_related("municipality"), pk=pk)
    return door


def _examined(door: Door, form: PeriodForm, now: datetime) -> tuple[Examination | None, str]:
    if not form.is_valid():
        return None, _("Choose a period by its first and last day.")
    start, end = form.period(now)
    try:
        return examine(door=door, start=start, end=min(end, max(now, start + DAY)), at=now), ""
    except TooLongError:
        return None, _("The period is empty or too long. Choose at most a year, or less at a busy gate.")


def _verdict(examined: Examination) -> Point:
    if not examined.stretches:
        return Point(_("Nothing has come home from this door for the period."), "warn")
    if examined.complete:
        return Point(
            _("Complete: nothing is missing and nothing of the period can still be on its way."), "ok"
        )
    if all(one.tight for one in examined.stretches):
        return Point(
            _("Nothing is missing of what has come home; what the lock logged last may still be on its way."),
            "ok",
        )
    return Point(_("Not complete: see below what is missing and why."), "bad")


WHOLE = gettext_lazy("%(lock)s, log epoch %(epoch)s: numbers %(first)s–%(last)s, numbered and chained.")
BROKEN = gettext_lazy("%(lock)s, log epoch %(epoch)s: numbers %(first)s–%(last)s, chained beside the gaps.")
LOST_LOG = gettext_lazy(
    "%(lock)s lost its log after number %(last)s: what was not told then will never come."
)
TAIL = gettext_lazy(
    "What the lock logged after number %(last)s (%(since)s) has not come home; nobody can tell how much."
)


def _proven(examined: Examination) -> list[Point]:
    points = []
    for one in examined.stretches:
        said = {"lock": one.binding.lock.name, "first": one.first, "last": one.last, "epoch": one.span.epoch}
        points.append(Point(str(BROKEN if one.missing else WHOLE) % said))
        points.append(Point(_signed(one)))
        points.append(Point(_("Receipted through number %(number)s.") % {"number": one.received}))
        if one.followed:
            points.append(Point(_("An entry after the period is there: none of it is left in the lock.")))
    return points


def _signed(stretch: Stretch) -> str:
    count = len(stretch.heads)
    return ngettext(
        "%(count)s batch under the lock's own signature.",
        "%(count)s batches under the lock's own signature.",
        count,
    ) % {"count": count}


WHY_MISSING = {
    Missing.OVERWRITTEN: gettext_lazy(
        "Numbers %(first)s–%(last)s were overwritten in a full memory; the lock signed it."
    ),
    Missing.LOST: gettext_lazy(
        "Numbers %(first)s–%(last)s are lost here: the lock holds a receipt for them."
    ),
    Missing.AWAITED: gettext_lazy("Numbers %(first)s–%(last)s have not come home yet."),
}
WHY_UNSIGNED = {
    OnlyIssuer.NOT_KEPT: gettext_lazy(
        "Numbers %(first)s–%(last)s rest on our word: they came home before the locks' signatures were kept."
    ),
    OnlyIssuer.ERASED_BESIDE: gettext_lazy(
        "Numbers %(first)s–%(last)s rest on our word: older entries of the same signed batch are erased."
    ),
}


def _unproven(examined: Examination) -> list[Point]:
    points = [point for one in examined.stretches for point in _weaknesses(one)]
    if examined.start < examined.kept_from:
        kept = {"moment": timezone.localtime(examined.kept_from).strftime("%Y-%m-%d")}
        points.append(
            Point(_("Before %(moment)s there are counts only: passages are erased by then.") % kept, "warn")
        )
    if not examined.bindings:
        points.append(Point(_("No lock was mounted on this door in the period."), "warn"))
    return points


def _weaknesses(stretch: Stretch) -> list[Point]:
    points = [
        Point(str(WHY_MISSING[Missing(one.why)]) % {"first": one.first, "last": one.last}, "bad")
        for one in stretch.missing
    ]
    points += [
        Point(str(WHY_UNSIGNED[OnlyIssuer(one.why)]) % {"first": one.first, "last": one.last}, "warn")
        for one in stretch.only_issuer
    ]
    if stretch.awaited:
        first, last = stretch.awaited
        points.append(Point(str(WHY_MISSING[Missing.AWAITED]) % {"first": first, "last": last}, "warn"))
    if stretch.span.uncertain:
        uncertain = ngettext(
            "%(count)s entry has an uncertain time: not before what it says.",
            "%(count)s entries have an uncertain time: not before what they say.",
            stretch.span.uncertain,
        )
        points.append(Point(uncertain % {"count": stretch.span.uncertain}, "warn"))
    if stretch.ended and not stretch.followed:
        ended = {"lock": stretch.binding.lock.name, "last": stretch.received}
        points.append(Point(str(LOST_LOG) % ended, "bad"))
    elif not stretch.followed:
        points.append(Point(_tail(stretch), "info"))
    return points


def _tail(stretch: Stretch) -> str:
    last = stretch.last_moment
    since = timezone.localtime(last).strftime("%Y-%m-%d %H:%M") if last else "–"
    return str(TAIL) % {"last": max(stretch.last, stretch.received), "since": since}
