"""The one door through the append-only guard: what names a person is taken out of entries, which all stay.

An audit entry is never edited and never deleted. But a person's data may not be kept for ever because
somebody once corrected the spelling of a name. So values under named keys of `before` and `after` are
replaced, and nothing else of an entry: not who, when, what, on which object or why. That it was done is an
entry itself.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from server.audit import actions
from server.audit.domain import record
from server.audit.door import door_open
from server.audit.models import AuditEntry
from server.people.models import User

REDACTED = actions.register("audit.redacted", _("personal data taken out of the audit trail"))
PIECE = 500


@transaction.atomic
def redact(
    *,
    target: Any,
    object_type: str,
    object_ids: Collection[str],
    keys: Collection[str],
    put: str,
    actor: User | None = None,
) -> int:
    """Put `put` in place of what stands under `keys` in the entries about these objects; returns how many.

    `target` is what the entry about it is recorded on. Twice is harmless: what says `put` already is left.
    """
    plain: models.QuerySet[AuditEntry] = models.QuerySet(AuditEntry)  # not the guarded one: this is the door
    own = target.municipality_id
    about = plain.filter(municipality=own, object_type=object_type, object_id__in=object_ids)
    changed = []
    for entry in about.order_by("pk").iterator(PIECE):
        before, after = _without(entry.before, keys, put), _without(entry.after, keys, put)
        if (before, after) != (entry.before, entry.after):
            entry.before, entry.after = before, after
            changed.append(entry)
    with door_open():
        plain.bulk_update(changed, ["before", "after"], batch_size=PIECE)
    if changed:
        record(action=REDACTED, target=target, actor=actor, after={"entries": len(changed)})
    return len(changed)


def _without(said: dict[str, Any], keys: Collection[str], put: str) -> dict[str, Any]:
    return {key: put if key in keys and value not in ("", None) else value for key, value in said.items()}
