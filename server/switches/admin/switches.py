"""The list of provider switches, the page of one with its proof, and taking it back."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from server.config.csvfile import csv_file
from server.config.rownumbers import row_number
from server.people.models import User
from server.switches.admin import wizard
from server.switches.domain.proof import Proof, is_watched, neighbours_of, proof_of, still_alive
from server.switches.domain.switching import SwitchRefusedError
from server.switches.domain.undoing import cancel_switch
from server.switches.models import ProviderSwitch, SwitchedDoor
from server.switches.tasks import renew_soon
from server.tenancy.admin_base import ReadOnlyAdmin
from server.tenancy.scoping import viewer_now

CLIENTS_A_PAGE = 50


class StateFilter(admin.SimpleListFilter):
    """Planned, done or taken back: worked out from the instant, never stored."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, Any]]:
        """Return the states."""
        return list(ProviderSwitch.State.choices)

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the list."""
        now, state = timezone.now(), self.value()
        if state == ProviderSwitch.State.CANCELLED:
            return queryset.filter(cancelled_at__isnull=False)
        if state == ProviderSwitch.State.PLANNED:
            return queryset.filter(cancelled_at__isnull=True, at__gt=now)
        if state == ProviderSwitch.State.DONE:
            return queryset.filter(cancelled_at__isnull=True, at__lte=now)
        return queryset


@admin.register(ProviderSwitch)
class ProviderSwitchAdmin(ReadOnlyAdmin):
    """Switches that concern the viewer, with their proof."""

    list_display = ["at", "from_provider", "to_provider", "client_count", "state", "planned_by"]
    list_display_links = ["at"]
    list_select_related = ["from_provider", "to_provider", "planned_by"]
    list_filter = [StateFilter, "from_provider", "to_provider"]
    search_fields = ["from_provider__name", "to_provider__name", "clients__client__alarm_code"]
    date_hierarchy = "at"
    empty_hint = gettext_lazy("Begin with “New provider switch”: nothing is changed before you confirm.")

    @admin.display(description=gettext_lazy("state"))
    def state(self, switch: ProviderSwitch) -> str:
        """The state in words."""
        return str(ProviderSwitch.State(switch.state_at(timezone.now())).label)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The patrol and administrators plan switches."""
        return request.user.has_perm("switches.add_providerswitch")

    def get_urls(self) -> list[URLPattern]:
        """Add the proof's file, its live part and taking back."""
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/proof.csv", view(self.as_file), name="switches_proof_file"),
            path("<int:pk>/part/", view(self.part), name="switches_proof_part"),
            path("<int:pk>/cancel/", view(self.cancel), name="switches_cancel"),
        ]
        return [*own, *super().get_urls()]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Choose, preview and confirm."""
        return wizard.page(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the switch with its proof."""
        switch = self._switch(request, object_id)
        context = {**self._proof(request, switch), "title": _("Provider switch")}
        return TemplateResponse(request, "admin/nyckelfri/switches/switch.html", context)

    def part(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the part of the page that changes as locks learn."""
        switch = self._switch(request, pk)
        context = self._proof(request, switch)
        return TemplateResponse(request, "admin/nyckelfri/switches/proof.html", context)

    def as_file(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the proof as CSV."""
        switch = self._switch(request, pk)
        at = timezone.now()
        proof = proof_of(switch, at=at)
        heads = [
            _("alarm code"),
            _("door"),
            _("lock"),
            _("why"),
            _("last right died"),
            _("bulletin"),
            _("keys alive"),
            _("alive until"),
            _("kept for"),
            _("as of"),
        ]
        return csv_file(name=f"utforarbyte-{switch.pk}-bevis", head=heads, rows=self._rows(switch, proof, at))

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a planned switch back."""
        switch = self._switch(request, pk)
        if not request.user.has_perm("switches.change_providerswitch"):
            raise PermissionDenied
        if request.method != "POST":
            return redirect("admin:switches_providerswitch_change", pk)
        assert isinstance(request.user, User)  # noqa: S101  admin_view lets nobody else in
        try:
            cancel_switch(switch=switch, at=timezone.now(), actor=request.user)
        except SwitchRefusedError as error:
            said = "; ".join(f"{code}: {why}" for code, why in error.details[:20])
            messages.error(request, f"{error.why} {said}")
        else:
            renew_soon()
            messages.success(request, _("The switch is taken back. Every assignment is as it was."))
        return redirect("admin:switches_providerswitch_change", pk)

    def _switch(self, request: HttpRequest, pk: str | int) -> ProviderSwitch:
        if not request.user.has_perm("switches.view_providerswitch"):
            raise PermissionDenied
        rows = ProviderSwitch.objects.select_related(
            "from_provider", "to_provider", "planned_by", "cancelled_by", "municipality"
        )
        switch: ProviderSwitch = get_object_or_404(rows, pk=row_number(pk))
        return switch

    def _proof(self, request: HttpRequest, switch: ProviderSwitch) -> dict[str, Any]:
        at = timezone.now()
        state = switch.state_at(at)
        proof = proof_of(switch, at=at)
        everything = "print" in request.GET
        pages = Paginator(proof.clients, max(len(proof.clients), 1) if everything else CLIENTS_A_PAGE)
        return {
            **self.admin_site.each_context(request),
            "opts": self.model._meta,
            "switch": switch,
            "state": state,
            "state_label": ProviderSwitch.State(state).label,
            "now": at,
            "proof": proof,
            "causes": _causes(proof),
            "page": pages.get_page(request.GET.get("p")),
            "everything": everything,
            "neighbours": neighbours_of(switch),
            "alive": still_alive(switch, proof, at=at) if state == ProviderSwitch.State.DONE else [],
            "watched": is_watched(switch, at=at) and not everything,
            "sees_codes": _sees_codes(switch),
            "may_cancel": state == ProviderSwitch.State.PLANNED
            and request.user.has_perm("switches.change_providerswitch"),
        }

    @staticmethod
    def _rows(switch: ProviderSwitch, proof: Proof, at: Any) -> Any:
        sees_codes = _sees_codes(switch)
        for client in proof.clients:
            code = client.client.client.alarm_code
            for one in client.doors:
                death = one.death
                lock = one.door.binding.lock if one.door.binding is not None else ""
                yield [
                    code,
                    one.door.door,
                    lock,
                    one.door.Cause(death.cause).label,
                    death.at,
                    death.bulletin_seq,
                    death.alive,
                    death.alive_until,
                    ", ".join(death.kept_for) if sees_codes else len(death.kept_for),
                    at,
                ]


def _causes(proof: Proof) -> list[tuple[str, int]]:
    return [(str(SwitchedDoor.Cause(cause).label), count) for cause, count in proof.causes.most_common()]


def _sees_codes(switch: ProviderSwitch) -> bool:
    """Return whether the viewer may know the old provider's other clients by their codes."""
    viewer = viewer_now()
    return viewer is None or viewer.provider == switch.from_provider_id
