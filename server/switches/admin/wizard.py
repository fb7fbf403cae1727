"""Choosing, previewing and confirming a switch: three pages at one address; only the last writes."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from server.config.csvfile import csv_file
from server.people.models import CareProvider, User
from server.switches import queries
from server.switches.admin.carrying import DraftLostError, pack, unpack
from server.switches.admin.forms import ChooseForm, TeamsForm
from server.switches.domain.drafts import Draft, facts_of
from server.switches.domain.picture import Fate, Preview
from server.switches.domain.preview import preview
from server.switches.domain.switching import SwitchRefusedError, decide_switch
from server.switches.rules import area_of
from server.switches.tasks import renew_soon

DETAILED = 20
"""Up to so many clients are shown door by door; more have that in the file."""


def page(request: HttpRequest) -> HttpResponse:
    """Answer the step that the form names."""
    if not request.user.has_perm("switches.add_providerswitch"):
        raise PermissionDenied
    return _later_step(request) if request.POST.get("step", "choose") != "choose" else _first_step(request)


def _first_step(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        start = {"codes": request.GET.get("code", ""), "from_provider": request.GET.get("from")}
        return _choose(request, ChooseForm(initial=start, now=timezone.now()))
    form = ChooseForm(request.POST, request.FILES, now=timezone.now())
    return _teams(request, form.draft()) if form.is_valid() else _choose(request, form)


def _later_step(request: HttpRequest) -> HttpResponse:
    step = request.POST["step"]
    try:
        draft = unpack(request.POST.get("draft", ""), user_id=_user(request).pk)
    except DraftLostError:
        messages.error(request, _("What you chose is too old. Choose again."))
        return redirect("admin:switches_providerswitch_add")
    if step == "teams" or not draft.teams:
        return _teams(request, draft, request.POST if step == "teams" else None)
    if step == "csv":
        return _as_file(draft)
    return _confirm(request, draft) if step == "confirm" else _preview(request, draft)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
    return request.user


def _render(request: HttpRequest, step: int, **context: Any) -> TemplateResponse:
    page_context = {
        **admin.site.each_context(request),
        "title": _("New provider switch"),
        "step": step,
        "steps": [_("Clients and instant"), _("Teams"), _("Preview")],
        **context,
    }
    return TemplateResponse(request, f"admin/nyckelfri/switches/step_{step}.html", page_context)


def _choose(request: HttpRequest, form: ChooseForm) -> HttpResponse:
    return _render(request, 1, form=form)


def _names(draft: Draft) -> dict[str, Any]:
    providers = CareProvider.objects.in_bulk([draft.from_provider, draft.to_provider])
    return {"source": providers[draft.from_provider], "target": providers[draft.to_provider]}


def _teams(request: HttpRequest, draft: Draft, data: Any = None) -> HttpResponse:
    few = list(queries.teams_to_choose(draft.to_provider)[:2])
    if not few:
        messages.error(request, _("%(target)s has no team yet. Add one first.") % _names(draft))
        return redirect("admin:switches_providerswitch_add")
    if len(few) == 1:  # nothing to choose between
        return _preview(request, replace(draft, teams={"": few[0].pk}))
    facts = facts_of(draft, now=timezone.now())
    areas = sorted({area_of(client) for client in facts.clients.values()})
    form = TeamsForm(data, provider_id=draft.to_provider, areas=areas)
    if form.is_bound and form.is_valid():
        return _preview(request, replace(draft, teams=form.teams()))
    packed = pack(draft, user_id=_user(request).pk)
    count = len(draft.clients)
    return _render(request, 2, form=form, draft=packed, chosen=draft, count=count, **_names(draft))


def _preview(request: HttpRequest, draft: Draft, refused: SwitchRefusedError | None = None) -> HttpResponse:
    now = timezone.now()
    shown = preview(draft, now=now)
    draft = replace(draft, stands=shown.stands)
    planned = [
        (client.plan.client.alarm_code, shown.planned[client.plan.client.pk])
        for client in shown.clients
        if client.plan.client.pk in shown.planned
    ]
    return _render(
        request,
        3,
        chosen=draft,
        draft=pack(draft, user_id=_user(request).pk),
        form_key=str(uuid.uuid4()),
        shown=shown,
        cards=_cards(shown),
        warnings=shown.warning_counts(),
        planned=planned,
        detailed=len(shown.clients) <= DETAILED,
        refused=refused,
        now=now,
        **_names(draft),
    )


def _cards(shown: Preview) -> list[tuple[str, int, str, str]]:
    """Return (tone, number, what, note) of the figures on top."""
    fates, learn = shown.fates, shown.must_learn
    late = [line for line in learn if line.learns_at is None or line.learns_at > shown.at]
    beyond = fates[Fate.CUT] + fates[Fate.REVOKED]
    expected = _("%(late)s are not expected to before the instant") % {"late": len(late)} if learn else ""
    always = [
        ("info", len(shown.clients), _("clients"), ""),
        ("info", fates[Fate.EXPIRES], _("keys end by themselves"), _("before the instant, or at it")),
        (
            "warn" if beyond else "ok",
            beyond,
            _("keys reach beyond"),
            _("cut to the instant; their locks are told"),
        ),
        ("warn" if late else "ok", len(learn), _("locks must hear of it"), expected),
        ("ok" if shown.born else "bad", shown.born, _("rights are born"), _("doors × shifts, 48 hours on")),
    ]
    sometimes = [
        ("info", fates[Fate.KEPT], _("keys are kept"), _("for other clients behind the same doors")),
        ("info", shown.never, _("rights never issued"), _("doors × shifts of the old provider")),
    ]
    return [*always, *(one for one in sometimes if one[1])]


def _confirm(request: HttpRequest, draft: Draft) -> HttpResponse:
    if request.POST.get("sure") != "yes":
        messages.error(request, _("Tick that you have read the preview."))
        return _preview(request, draft)
    key = request.POST.get("form_key", "")[:36]
    try:
        switch = decide_switch(draft=draft, form_key=key, at=timezone.now(), actor=_user(request))
    except SwitchRefusedError as error:
        return _preview(request, draft, error)
    renew_soon()
    messages.success(request, _("The switch is decided. Keys are being cut and issued."))
    return redirect("admin:switches_providerswitch_change", switch.pk)


def _as_file(draft: Draft) -> HttpResponse:
    shown = preview(draft, now=timezone.now())
    heads = [
        _("alarm code"),
        _("door"),
        _("lock"),
        _("keys that end by themselves"),
        _("keys cut"),
        _("keys revoked"),
        _("keys kept"),
        _("kept for"),
        _("alive without contact until"),
        _("lock expected to learn"),
        _("first right of the new provider"),
        _("warnings"),
    ]
    return csv_file(name="utforarbyte-forhandsvisning", head=heads, rows=_rows(shown))


def _rows(shown: Preview) -> Any:
    for client in shown.clients:
        said = "; ".join(str(one.title) for one in client.warnings)
        code = client.plan.client.alarm_code
        if not client.doors:
            yield [code, *[""] * 10, said]
        for line in client.doors:
            born = min((one.opens_from for one in line.born), default=None)
            yield [
                code,
                line.door,
                line.binding.lock if line.binding else "",
                *(line.fates[fate] for fate in (Fate.EXPIRES, Fate.CUT, Fate.REVOKED, Fate.KEPT)),
                ", ".join(line.kept_for),
                line.alive_until,
                line.learns_at,
                born,
                said,
            ]
