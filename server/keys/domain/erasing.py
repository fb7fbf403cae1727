"""Erasing private halves that nothing needs any more.

A key that signs no more is erased at once: what it signed is verified with its public half. The sealing key
opens what locks seal to it, so its private half stays until no log sealed to it can come any more. Back-ups
of the database hold an erased key, sealed, for as long as they are kept.
"""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.keys.queries import sealing_waits_for
from server.tenancy import keepers
from server.tenancy.models import Municipality, RoleKey

ERASED = actions.register("keys.erased", _("private half of an old key erased"))


def erase_due(municipality: Municipality, *, at: datetime) -> int:
    """Erase what is due in one municipality; returns how many. Must run in its scope.

    The private half goes first and the row is told after: a second try at what is gone is harmless.
    """
    rows = RoleKey.objects.filter(
        municipality=municipality, superseded_at__isnull=False, erased_at__isnull=True
    )
    due = [key for key in rows.order_by("pk") if _is_due(key, at)]
    for key in due:
        keepers.erase(key)
        key.erased_at = at
        key.save(update_fields=["sealed_private_key", "erased_at"])
        record(action=ERASED, target=key, after={"kid": bytes(key.kid).hex()})
    return len(due)


def _is_due(key: RoleKey, at: datetime) -> bool:
    if key.role != RoleKey.Role.SEALING:
        return True
    return key.retired_at is not None and sealing_waits_for(key).is_over(at)
