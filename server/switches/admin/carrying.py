"""A draft on its way from page to page: signed, so that nobody can put something else into it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core import signing

from server.switches.domain.drafts import Draft

SALT = "switches.draft"
GOOD_FOR = timedelta(hours=12)


class DraftLostError(ValueError):
    """The draft is too old, or was changed on the way."""


def pack(draft: Draft, *, user_id: int) -> str:
    """Return the draft as text for a hidden field."""
    values = {
        "user": user_id,
        "from": draft.from_provider,
        "to": draft.to_provider,
        "clients": list(draft.clients),
        "at": draft.at.isoformat() if draft.at else None,
        "teams": dict(draft.teams),
        "stands": {str(client): stand for client, stand in draft.stands.items()},
    }
    return signing.dumps(values, salt=SALT, compress=True)


def unpack(text: str, *, user_id: int) -> Draft:
    """Return the draft; raises `DraftLostError`."""
    try:
        values: dict[str, Any] = signing.loads(text, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature as error:
        raise DraftLostError from error
    if values["user"] != user_id:
        raise DraftLostError
    return Draft(
        values["from"],
        values["to"],
        tuple(values["clients"]),
        datetime.fromisoformat(values["at"]) if values["at"] else None,
        values["teams"],
        {int(client): [tuple(row) for row in stand] for client, stand in values["stands"].items()},
    )
