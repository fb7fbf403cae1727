"""The page where something is done with a lock: what it means is said first, then it is asked, then done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from server.config.rest.fields import encode_bytes
from server.config.rownumbers import row_number
from server.locks.domain.batteries import battery_changed
from server.locks.domain.commission import confirm, move_lock
from server.locks.domain.leaving import cancel_commissioning, remove_lock, retire_lock
from server.locks.models import Binding, Lock
from server.locks.order_queries import load_site
from server.locks.overview import LockPage, lock_page
from server.passages.domain.handling import report
from server.passages.models import Deviation
from server.people.models import User
from server.places.models import Door
from server.problems import Problem


@dataclass(frozen=True)
class Verb:
    """Something that can be done with a lock."""

    slug: str
    title: str | Promise
    means: str | Promise
    """What follows from it."""
    button: str | Promise
    done: str | Promise
    do: Callable[..., Any]
    permission: str = "locks.change_lock"
    dangerous: bool = False


def _dead(lock: Lock, page: LockPage, **by: Any) -> None:
    if page.door is None:
        raise Problem("lock_not_mounted")
    report(kind=Deviation.Kind.DEAD_LOCK, door=page.door, source="reported_in_administration", **by)


def _cancel(lock: Lock, page: LockPage, **by: Any) -> None:
    if page.pending is None:
        raise Problem("commissioning_not_pending")
    cancel_commissioning(binding=page.pending, **by)


def _confirm(lock: Lock, page: LockPage, **by: Any) -> None:
    if page.pending is None:
        raise Problem("commissioning_not_pending")
    confirm(binding=page.pending, **by)


VERBS = {
    verb.slug: verb
    for verb in (
        Verb(
            "dead",
            _("The lock is dead"),
            _(
                "A deviation is opened and a repair ordered at once. The deviation closes by itself when the "
                "lock has worked again."
            ),
            _("Report the lock dead"),
            _("Reported. A repair is ordered."),
            _dead,
            permission="passages.change_deviation",
        ),
        Verb(
            "battery",
            _("Batteries changed"),
            _(
                "A lock without power loses its clock. It goes on working within narrow bounds, marked in "
                "its log, until a phone with coverage opens it and brings fresh time. The level is shown "
                "again when the lock tells it."
            ),
            _("The batteries are changed"),
            _("Noted. The clock counts as uncertain until the lock's log says otherwise."),
            lambda lock, page, **by: battery_changed(lock=lock, **by),
        ),
        Verb(
            "confirmed",
            _("The lock has confirmed"),
            _(
                "Say this when the lock has taken its commissioning in. Keys are issued for the door from "
                "then on. The lock's own log says it too, but no phone can fetch that before there are keys."
            ),
            _("The lock took it in"),
            _("Confirmed. Keys are issued for the door from now on."),
            _confirm,
        ),
        Verb(
            "cancel",
            _("Take the commissioning back"),
            _(
                "For a lock that never took its commissioning in. A lock that was to be moved is taken into "
                "use again at the door it came from, unless another lock sits there now."
            ),
            _("Take it back"),
            _("Taken back."),
            _cancel,
        ),
        Verb(
            "remove",
            _("Take down to stock"),
            _(
                "The door is left without a lock: nobody opens it with a phone from now on, and phones lose "
                "their keys to it at their next synchronisation. The lock can be commissioned again, at any "
                "door."
            ),
            _("The lock is taken down"),
            _("Noted. The door has no lock now."),
            lambda lock, page, **by: remove_lock(lock=lock, **by),
            dangerous=True,
        ),
        Verb(
            "retire",
            _("Retire for good"),
            _(
                "This cannot be undone: a retired lock can never be commissioned again. Its door is left "
                "without a lock, its keys are revoked, its log and history stay."
            ),
            _("Retire the lock for good"),
            _("The lock is retired."),
            lambda lock, page, **by: retire_lock(lock=lock, **by),
            dangerous=True,
        ),
    )
}
MOVE = Verb(
    "move",
    _("Move to another door"),
    _(
        "The old door's keys are of no use from the moment the lock takes its new commissioning in: it "
        "gets a new binding and a new advert key, and refuses them. On the server the old binding ends at "
        "once."
    ),
    _("Move the lock here"),
    _("Moved on the server. Hand the lock its package, then confirm."),
    move_lock,
)


def offered(request: HttpRequest, lock: Lock, page: LockPage) -> list[Verb]:
    """Return what this person can do with the lock as it is."""
    mounted = lock.state == Lock.State.MOUNTED and page.here is not None
    possible = {
        "dead": mounted and not any(one.kind == Deviation.Kind.DEAD_LOCK for one in page.deviations),
        "battery": lock.state != Lock.State.RETIRED,
        "confirmed": page.pending is not None,
        "cancel": page.pending is not None,
        "move": lock.state != Lock.State.RETIRED and page.pending is None,
        "remove": mounted and page.pending is None,
        "retire": lock.state != Lock.State.RETIRED,
    }
    every = [*list(VERBS.values())[:2], MOVE, *list(VERBS.values())[2:]]
    return [verb for verb in every if possible[verb.slug] and request.user.has_perm(verb.permission)]


class SureForm(forms.Form):
    """A tick, so that nobody does it by a slip."""

    sure = forms.BooleanField(label=_("Yes, this is what I want"))


def page(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """Say what it means and ask (GET), or do it (POST)."""
    chosen = MOVE if verb == MOVE.slug else VERBS.get(verb)
    if chosen is None:
        raise Http404
    if not request.user.has_perm(chosen.permission) or not request.user.has_perm("locks.view_lock"):
        raise PermissionDenied
    lock = get_object_or_404(Lock.objects.all(), pk=pk)
    return _move(request, lock) if chosen is MOVE else _ordinary(request, lock, chosen)


def _ordinary(request: HttpRequest, lock: Lock, verb: Verb) -> HttpResponse:
    what = lock_page(lock, at=timezone.now(), with_passages=False)
    said = request.POST if request.method == "POST" else None
    form = SureForm(said) if verb.dangerous else forms.Form(said)
    if form.is_valid():
        try:
            verb.do(lock, what, at=timezone.now(), actor=_actor(request))
            messages.success(request, str(verb.done))
        except Problem as problem:
            messages.error(request, words(problem))
        back = request.GET.get("next", "")
        if url_has_allowed_host_and_scheme(back, allowed_hosts=None):  # from the day's work, and back to it
            return redirect(back)
        return redirect("admin:locks_lock_change", lock.pk)
    return _asked(request, lock, verb, {"form": form, "page": what})


def _move(request: HttpRequest, lock: Lock) -> HttpResponse:
    query = request.GET.get("q", "").strip()[:60]
    context: dict[str, Any] = {
        "page": lock_page(lock, at=timezone.now(), with_passages=False),
        "query": query,
        "hits": _free_doors(query),
    }
    door = _door(request.POST.get("door") or request.GET.get("door"))
    if door is not None:
        context["door"] = door
        context["blocks"] = load_site([door], at=timezone.now()).blocks(door, lock_id=lock.pk)
    if request.method == "POST" and door is not None:
        try:
            context["binding"] = move_lock(lock=lock, door=door, at=timezone.now(), actor=_actor(request))
            context["package"] = _package(context["binding"])
        except Problem as problem:
            context["refused"] = words(problem)
    return _asked(request, lock, MOVE, context)


def _door(number: str | None) -> Door | None:
    if not number:
        return None
    rows = Door.objects.select_related("property__owner", "municipality")
    found: Door = get_object_or_404(rows, pk=row_number(number))
    return found


def _free_doors(query: str) -> list[Door]:
    if not query:
        return []
    taken = Binding.objects.filter(ends_at__isnull=True).values("door")
    rows = Door.objects.filter(address__icontains=query).exclude(pk__in=taken)
    return list(rows.select_related("property").order_by("address", "kind", "number")[:20])


def _package(binding: Binding) -> str:
    return encode_bytes(bytes(binding.commission_document or b""))


def _asked(request: HttpRequest, lock: Lock, verb: Verb, context: dict[str, Any]) -> HttpResponse:
    shown = {**admin.site.each_context(request), "title": verb.title, "lock": lock, "verb": verb, **context}
    return TemplateResponse(request, "admin/nyckelfri/locks/verb.html", shown)


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    return request.user


def words(problem: Problem) -> str:
    """Return a problem in the active language, with who is concerned."""
    said = problem.as_dict()
    text = str(said["message_en"] if get_language() == "en" else said["message_sv"])
    missing = said["details"].get("missing", [])
    named = ", ".join(f"{Door.Signatory(one['signatory']).label} {one['who']}".strip() for one in missing)
    return f"{text} ({named})" if named else text
