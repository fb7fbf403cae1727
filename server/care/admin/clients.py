"""Admin pages of clients: one page that shows all of one, hospital stays, deaths, and metal keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from server.care.admin.parts import attempt, demand, person
from server.care.domain import clients as verbs
from server.care.domain.consents import settle
from server.care.metal_keys import facts_of, judge, ready
from server.care.missing import areas
from server.care.models import Client
from server.care.overview import overview
from server.places.admin import ORIGIN
from server.problems import Problem
from server.tenancy.admin_base import TenantAdmin

PAUSE, KEYS = "care.pause_client", "care.record_metal_keys"
MOST_AT_ONCE = 100
"""Clients that one action on a list may stop: more is a slip."""
PER_PAGE = 25

Verb = Callable[..., Client]
ORDERS: dict[str, tuple[Verb, str, str | Promise]] = {
    # what a button says: the verb, the permission it takes, and what is said afterwards
    "pause": (
        verbs.pause,
        PAUSE,
        gettext_lazy("Paused. Keys to the door are taken back; undo brings them back."),
    ),
    "resume": (verbs.resume, PAUSE, gettext_lazy("The pause is taken back. Keys are issued again.")),
    "end": (verbs.end, PAUSE, gettext_lazy("Ended. Keys to the door are taken back; it can be undone.")),
    "revive": (verbs.revive, PAUSE, gettext_lazy("The end is taken back. Everything is as before.")),
    "keys_out": (verbs.hand_out_keys, KEYS, gettext_lazy("Recorded: metal keys are with the providers.")),
    "keys_back": (verbs.return_keys, KEYS, gettext_lazy("Recorded: the metal keys have gone back.")),
}


@admin.register(Client)
class ClientAdmin(TenantAdmin):
    """Clients by alarm code."""

    list_display = ["alarm_code", "door", "paused_at", "ended_at", "metal_keys"]
    list_select_related = ["door"]
    list_filter = [
        ("paused_at", admin.EmptyFieldListFilter),
        ("ended_at", admin.EmptyFieldListFilter),
        "metal_keys",
        "door__property__area",
    ]
    search_fields = ["alarm_code", "external_id", "door__address", "door__number"]
    autocomplete_fields = ["door"]
    fieldsets = [(None, {"fields": ["alarm_code", "door", "paused_at", "ended_at"]}), ORIGIN]
    change_form_template = "admin/nyckelfri/care/client_change_form.html"
    actions = ["pause", "resume", "end", "revive"]
    empty_hint = gettext_lazy("Add a client by alarm code and choose the apartment door. Never enter a name.")

    def get_urls(self) -> list[URLPattern]:
        """Add what the buttons do, and the list of metal keys."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/do/<str:order>/", view(self.carry_out), name="care_client_do"),
            path("metal-keys/", view(self.metal_keys), name="care_client_metal_keys"),
        ]
        return [*own, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Client]:
        """Fetch the door's property along: the client's page shows it."""
        rows: QuerySet[Client] = super().get_queryset(request)
        return rows.select_related("municipality", "door__property__owner")

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kw: Any) -> Any:
        """Put everything about the client above the form."""
        client, user, now = context.get("original"), person(request), timezone.now()
        if client is not None:
            context = {
                **context,
                "overview": overview(client, user=user, at=now),
                "paused": client.paused_at is not None and client.paused_at <= now,
                "ended": client.ended_at is not None and client.ended_at <= now,
                "may_pause": user.has_perm(PAUSE),
                "may_record_keys": user.has_perm(KEYS),
            }
        return super().render_change_form(request, context, *args, **kw)

    def carry_out(self, request: HttpRequest, pk: int, order: str) -> HttpResponse:
        """Do what a button on the client's page says."""
        if order not in ORDERS:
            raise Http404
        verb, permission, done = ORDERS[order]
        user = demand(request, "care.view_client", permission)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        client = get_object_or_404(Client.objects.all(), pk=pk)
        now = timezone.now()
        if (
            attempt(request, lambda: verb(client=client, at=now, actor=user), str(done))
            and order == "keys_out"
        ):
            settle(municipality=client.municipality, at=now)
        if request.POST.get("to") == "metal_keys":
            return redirect("admin:care_client_metal_keys")
        return redirect("admin:care_client_change", pk)

    def metal_keys(self, request: HttpRequest) -> HttpResponse:
        """List clients whose metal keys may go back now, each with what was looked at."""
        user = demand(request, "care.view_client")
        now, area = timezone.now(), request.GET.get("area", "")
        rows = ready(now).select_related("door__property").order_by("door__address", "alarm_code")
        if area:
            rows = rows.filter(door__property__area=area)
        page = Paginator(rows, PER_PAGE).get_page(request.GET.get("p"))
        facts = facts_of(list(page), at=now)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Metal keys that may go back"),
            "page": page,
            "page_query": urlencode({"area": area}) + "&",
            "lines": [(client, judge(facts[client.pk])) for client in page],
            "area": area,
            "areas": areas(),
            "may_record": user.has_perm(KEYS),
        }
        return TemplateResponse(request, "admin/nyckelfri/care/metal_keys.html", context)

    def has_pause_permission(self, request: HttpRequest) -> bool:
        """Say who may pause and end: actions on the list ask by this name."""
        return request.user.has_perm(PAUSE)

    @admin.action(description=gettext_lazy("Pause (hospital stay)"), permissions=["pause"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Client]) -> None:
        """Pause those chosen."""
        _stop_all(request, chosen, verbs.pause)

    @admin.action(description=gettext_lazy("Take the pause back"), permissions=["pause"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Client]) -> None:
        """Take their pauses back."""
        _stop_all(request, chosen, verbs.resume)

    @admin.action(description=gettext_lazy("End care (death, moved)"), permissions=["pause"])
    def end(self, request: HttpRequest, chosen: QuerySet[Client]) -> None:
        """End the care of those chosen."""
        _stop_all(request, chosen, verbs.end)

    @admin.action(description=gettext_lazy("Take the end back"), permissions=["pause"])
    def revive(self, request: HttpRequest, chosen: QuerySet[Client]) -> None:
        """Take their ends back."""
        _stop_all(request, chosen, verbs.revive)


def _stop_all(request: HttpRequest, chosen: QuerySet[Client], verb: Verb) -> None:
    user = person(request)
    if not user.has_perm(PAUSE):
        raise PermissionDenied
    clients = list(chosen[: MOST_AT_ONCE + 1])
    if len(clients) > MOST_AT_ONCE:
        messages.error(request, _("At most %(most)d at once.") % {"most": MOST_AT_ONCE})
        return
    done = 0
    for client in clients:
        try:
            verb(client=client, at=timezone.now(), actor=user)
        except Problem:
            continue  # it is so already; the number below says how many were changed
        done += 1
    said = ngettext("%(count)d client changed.", "%(count)d clients changed.", done) % {"count": done}
    messages.success(request, said)
