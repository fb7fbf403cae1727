"""Which bulletins have to be looked at: those somebody noted, and a stretch of all of them in turn.

Whoever changes what a bulletin says notes its binding in the same transaction (`note_news`), so the sweep's
work follows what changed and not how many locks there are. Beside that every sweep looks at a stretch of the
bindings in order, and comes round to each within the hour: that makes new what has grown old, drops what no
longer matters, and is the net under whatever was not noted.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.core.cache import cache
from django.db.models import QuerySet

from server.locks.domain.bulletins import build_among
from server.locks.models import Binding, BulletinDue
from server.locks.queries import open_bindings, shut_out_rights
from server.tenancy.models import Municipality

SWEEPS_A_ROUND = 120
"""One every thirty seconds: once round in an hour."""
LEAST_STRETCH = 50
MOST_NOTES = 5000
"""Notes taken in one sweep; what is left waits half a minute."""


def note_news(bindings: Collection[int] | QuerySet[Binding]) -> None:
    """Note that the bulletins of these bindings may have to say something new; call it in the transaction."""
    wanted = bindings if isinstance(bindings, QuerySet) else Binding.unscoped.filter(pk__in=bindings)
    rows = wanted.filter(ends_at__isnull=True).values_list("pk", "municipality_id")
    BulletinDue.unscoped.bulk_create(
        BulletinDue(binding_id=pk, municipality_id=municipality) for pk, municipality in rows
    )


def build_news(municipality: Municipality, *, at: datetime) -> int:
    """Make the bulletins that are due among those noted and the next stretch; returns how many."""
    return (
        build_noted(municipality, at=at)
        + _build_for_shut_out(municipality, at=at)
        + build_next_stretch(municipality, at=at)
    )


def _build_for_shut_out(municipality: Municipality, *, at: datetime) -> int:
    """Look where somebody has a service right and may serve no more; such rights last an hour, so few."""
    theirs = shut_out_rights(expires_after=at).filter(municipality=municipality).values("binding")
    return build_among(
        municipality,
        list(open_bindings(municipality.pk).filter(pk__in=theirs).values_list("pk", flat=True)),
        at=at,
    )


def build_noted(municipality: Municipality, *, at: datetime) -> int:
    """Look at what was noted. The notes are read before the facts, so no later note is taken for done."""
    notes = BulletinDue.unscoped.filter(municipality=municipality).order_by("pk")
    found = dict(notes.values_list("pk", "binding_id")[:MOST_NOTES])
    if not found:
        return 0
    still_open = open_bindings(municipality.pk).filter(pk__in=set(found.values()))
    made = build_among(municipality, sorted(still_open.values_list("pk", flat=True)), at=at)
    BulletinDue.unscoped.filter(pk__in=list(found)).delete()
    return made


def build_next_stretch(municipality: Municipality, *, at: datetime) -> int:
    """Look at the next bindings in order. Where it stands is remembered; if that is lost it begins anew."""
    bindings = open_bindings(municipality.pk).order_by("pk")
    length = max(LEAST_STRETCH, -(-bindings.count() // SWEEPS_A_ROUND))
    place = f"locks.bulletins.place:{municipality.pk}"
    after = cache.get(place, 0)
    stretch = list(bindings.filter(pk__gt=after).values_list("pk", flat=True)[:length])
    made = build_among(municipality, stretch, at=at)
    cache.set(place, stretch[-1] if len(stretch) == length else 0, timeout=None)
    return made
