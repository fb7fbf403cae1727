"""What follows at once for keys when something about clients changed, without a round over the whole city."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from server.access.domain.issue import issue_for_clients
from server.care.models import CareAssignment, Shift
from server.people.push import poke_staff
from server.tenancy.models import Manifest, Municipality
from server.tenancy.scoping import whole_municipality

MOST_AT_ONCE = 200
"""Clients; a change that concerns more is left to the next round over the municipality, within a minute."""
SOON = timedelta(hours=1)


@whole_municipality()
def renew_keys(*, municipality: Municipality, clients: Collection[int], at: datetime) -> None:
    """Issue and revoke now what these clients concern, and have the phones of those on shift fetch it."""
    if not clients or len(clients) > MOST_AT_ONCE or not _has_keys(municipality):
        return
    issue_for_clients(municipality=municipality, client_ids=clients, at=at)
    teams = CareAssignment.objects.filter(client__in=clients).values("team")
    on_shift = Shift.objects.filter(team__in=teams, starts_at__lt=at + SOON, ends_at__gt=at)
    poke_staff(on_shift.values_list("staff_id", flat=True))


def _has_keys(municipality: Municipality) -> bool:
    """Return whether anything can have been issued at all: clients may be entered before there are keys."""
    return Manifest.unscoped.filter(municipality=municipality).exists()
