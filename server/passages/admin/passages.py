"""Admin pages of passages, batches and gaps."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from server.passages.admin import proof, search, visits
from server.passages.labels import KINDS, describe
from server.passages.models import LogGap, Passage, PassageCount, SealedBatch
from server.tenancy.admin_base import ReadOnlyAdmin
from server.tenancy.scoping import viewer_now


class KindFilter(admin.SimpleListFilter):
    """Passages of one kind, named in plain words."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Every kind the protocol knows."""
        return list(KINDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Passage]) -> QuerySet[Passage]:
        """Only the chosen kind."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


NUMBERS = frozenset({"epoch", "seq", "detail", "batch", "entry_hash_hex"})
"""What tells where in a lock's log a passage stands."""


@admin.register(Passage)
class PassageAdmin(ReadOnlyAdmin):
    """What happened at the doors, and when it became known."""

    list_display = ["happened_at", "known_at", "what", "door", "person", "provider", "lock", "seq"]
    list_select_related = ["lock", "binding__door", "bearer__staff", "provider"]
    list_filter = [
        ("happened_at", admin.DateFieldListFilter),
        KindFilter,
        "opened_before_known_revocation",
        "time_uncertain",
        "provider",
    ]
    search_fields = [
        "lock__name",
        "binding__door__address",
        "binding__door__clients__alarm_code",
        "bearer__staff__name",
    ]
    empty_hint = _("Passages come home with the phones. The live page shows them as they arrive.")

    def get_urls(self) -> list[URLPattern]:
        """Add searching."""
        view = self.admin_site.admin_view
        own = [
            path("search/", view(search.page), name="passages_search"),
            path("search/export/", view(search.export), name="passages_export"),
            path("visits/", view(visits.page), name="passages_visits"),
            path("visits/export/", view(visits.export), name="passages_visits_export"),
            path("proof/<int:pk>/", view(proof.page), name="passages_proof"),
            path("proof/<int:pk>/export/", view(proof.export), name="passages_proof_export"),
        ]
        return [*own, *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Leave numbers out where they would tell how often others came by."""
        shown: list[Any] = list(super().get_list_display(request))
        return [name for name in shown if name != "seq"] if viewer_now() is not None else shown

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The same on a passage's own page."""
        shown = super().get_fields(request, obj)
        return [name for name in shown if name not in NUMBERS] if viewer_now() is not None else shown

    @admin.display(description=_("what"), ordering="kind")
    def what(self, passage: Passage) -> str:
        """The event in plain words."""
        return describe(passage.kind, passage.reason, str(passage.detail.get("command", "")))

    @admin.display(description=_("door"), ordering="binding__door__address")
    def door(self, passage: Passage) -> str:
        """Where."""
        return str(passage.binding.door) if passage.binding else "–"

    @admin.display(description=_("staff member"), ordering="bearer__staff__name")
    def person(self, passage: Passage) -> str:
        """Who."""
        return passage.bearer.staff.name if passage.bearer else "–"


@admin.register(SealedBatch)
class SealedBatchAdmin(ReadOnlyAdmin):
    """Sealed logs as phones handed them in."""

    list_display = ["received_at", "status", "code", "lock", "epoch", "first_seq", "last_seq", "courier"]
    list_select_related = ["lock", "courier"]
    list_filter = [("received_at", admin.DateFieldListFilter), "status"]
    ordering = ["-pk"]
    search_fields = ["lock__name", "courier__label", "code"]
    empty_hint = _("Logs appear here when a phone that has been at a lock reaches the server.")


@admin.register(PassageCount)
class PassageCountAdmin(ReadOnlyAdmin):
    """What is left of passages older than they may be."""

    list_display = ["month", "door", "provider", "what", "count", "before_known_revocation"]
    list_select_related = ["door", "provider"]
    list_filter = ["month", "provider"]
    search_fields = ["door__address"]
    empty_hint = _("Passages become counts when they are older than the municipality keeps them.")

    @admin.display(description=_("what"), ordering="kind")
    def what(self, line: PassageCount) -> str:
        """The kind in plain words."""
        return describe(line.kind, "")


@admin.register(LogGap)
class LogGapAdmin(ReadOnlyAdmin):
    """Numbers missing in a log."""

    list_display = ["lock", "epoch", "first_seq", "last_seq", "signed", "noticed_at", "closed_at"]
    list_select_related = ["lock"]
    list_filter = ["signed", ("closed_at", admin.EmptyFieldListFilter)]
    search_fields = ["lock__name"]
    empty_hint = _("No gaps: every number in every log is accounted for.")
