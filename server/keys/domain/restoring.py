"""After a back-up was restored: the server has gone back in time, and no lock or phone has.

Locks refuse bulletin numbers they have seen, so numbers are left out. Tokens issued after the back-up are
unknown here and could not be revoked, so all tokens die and those that are due are issued anew. A manifest
that came into force after the back-up is lost with its keys: the next one leaves versions and the names of
keys out (`propose`). What phones say they hold names rows that others have taken since: SECRET_KEY has to be
changed, which makes every phone ask for everything and sign in again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.keys.domain.following import follow
from server.locks.domain.bulletins import skip_numbers
from server.people.models import User
from server.tenancy.models import Municipality
from server.tenancy.scoping import whole_municipality

RESTORED = actions.register("keys.restored", _("back-up restored: numbers left out, rights issued anew"))

NUMBERS_LEFT_OUT = 100_000
"""More bulletins than any lock is made between two back-ups, and far fewer than there are numbers."""


@whole_municipality()
def after_restore(*, municipality: Municipality, at: datetime, actor: User | None = None) -> int:
    """Do what a restored back-up needs; returns at how many locks. Must run in the municipality's scope."""
    with transaction.atomic():
        held = Municipality.objects.select_for_update(no_key=True).get(pk=municipality.pk)
        held.tokens_not_before = at.replace(microsecond=0) + timedelta(seconds=1)
        held.save(update_fields=["tokens_not_before"])
        record(action=RESTORED, target=held, actor=actor, after={"left_out": NUMBERS_LEFT_OUT})
    locks = skip_numbers(held, by=NUMBERS_LEFT_OUT, at=at)
    follow(held, at=at)
    return locks
