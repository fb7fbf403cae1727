"""What the start page shows, counted anew for everybody in a small municipality and once a minute in a city.

Counting all that needs attention among tens of thousands of locks and clients takes half a second. The page
says when it was counted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.utils.translation import get_language

from server.config.attention import cards_for
from server.config.charts import charts_for
from server.locks.models import Lock
from server.people.models import User
from server.tenancy.scoping import whole_municipality

A_CITY = 5000
"""So many locks, and counts are remembered."""
REMEMBERED_S = 60


def board_for(user: User, *, at: datetime) -> dict[str, Any]:
    """Return cards, charts and when they were counted; must run in the person's scope."""
    if user.municipality_id is None or not _is_city():
        return _count(user, at)
    sees = (user.municipality_id, user.is_superuser, user.role, user.provider_id, user.owner_id)
    place = ":".join(map(str, ("config.board", *sees, get_language())))
    known: dict[str, Any] | None = cache.get(place)
    if known is None:
        known = _count(user, at)
        cache.set(place, known, REMEMBERED_S)
    return known


def _count(user: User, at: datetime) -> dict[str, Any]:
    return {"cards": cards_for(user, at=at), "charts": charts_for(user, at=at), "now": at}


@whole_municipality()
def _is_city() -> bool:
    return bool(Lock.objects.order_by("pk").values_list("pk")[A_CITY : A_CITY + 1])
