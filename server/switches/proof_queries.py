"""What the proof of a switch is read from: when keys ended, what locks know, when locks left doors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Subquery

from server.access.models import Token
from server.locks.models import Binding, Bulletin


def last_expiry(binding_ids: Collection[int], provider_id: int, *, until: datetime) -> dict[int, datetime]:
    """Return when the last of a provider's keys that end by `until` ended, by binding id."""
    rows = Token.objects.filter(binding__in=binding_ids, provider=provider_id, expires__lte=until)
    return dict(
        rows.order_by().values("binding").annotate(last=Max("expires")).values_list("binding", "last")
    )


def locks_left(binding_ids: Collection[int]) -> dict[int, datetime]:
    """Return when locks are known to have left their doors, by the id of the binding that ended.

    A lock that is being moved has its old binding, and takes its keys, until it confirms the new one.
    """
    ended = Binding.objects.filter(pk__in=binding_ids, ends_at__isnull=False)
    after = Binding.objects.filter(lock=OuterRef("lock"), starts_at=OuterRef("ends_at"))
    rows = ended.annotate(
        moves=Exists(after.exclude(pk=OuterRef("pk"))),
        confirmed=Subquery(after.exclude(pk=OuterRef("pk")).values("commissioned_at")[:1]),
        given_up=Subquery(after.exclude(pk=OuterRef("pk")).values("ends_at")[:1]),
    )
    found = {}
    for pk, at, moves, confirmed, given_up in rows.values_list(
        "pk", "ends_at", "moves", "confirmed", "given_up"
    ):
        known = at if not moves else confirmed or given_up
        if known is not None:
            found[pk] = max(at, known)
    return found


def clocks_lost(binding_ids: Collection[int]) -> dict[int, datetime | None]:
    """Return bindings whose lock does not know the time, with the newest time it has been told, if any."""
    told = Bulletin.objects.filter(binding=OuterRef("pk"), known_at__isnull=False).order_by("-seq")
    lost = Binding.objects.filter(
        pk__in=binding_ids, ends_at__isnull=True, lock__status__clock_uncertain=True
    ).annotate(told=Subquery(told.values("created_at")[:1]))
    return dict(lost.values_list("pk", "told"))


def known_bulletins(binding_ids: Collection[int], *, since: datetime) -> dict[int, list[Bulletin]]:
    """Return bulletins since `since` that locks are known to have, without documents, oldest first."""
    found: dict[int, list[Bulletin]] = defaultdict(list)
    rows = Bulletin.objects.filter(
        binding__in=binding_ids, created_at__gte=since, known_at__isnull=False
    ).only("binding_id", "seq", "created_at", "known_at")
    for row in rows.order_by("seq"):
        found[row.binding_id].append(row)
    return found


def bulletin_documents(bulletin_ids: Collection[int]) -> dict[int, bytes]:
    """Return signed documents by bulletin id."""
    rows = Bulletin.objects.filter(pk__in=bulletin_ids).values_list("pk", "document")
    return {pk: bytes(document) for pk, document in rows}
