"""The live board: what a passage looks like there, and telling the boards that open it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

from server.passages.labels import BEFORE_KNOWN, describe, tone
from server.passages.models import Passage

IDS_PER_MESSAGE = 200
"""A burst (a phone that carried a week of logs) goes out in pieces: no message grows without bound."""


def group_of(municipality_id: int) -> str:
    """Return the name of the channel group of one municipality's boards."""
    return f"passages.{municipality_id}"


def notify_passages(municipality_id: int, passage_ids: Sequence[int]) -> None:
    """Tell the live boards about new passages once the transaction that stores them has committed.

    Only ids travel; each board reads the rows itself, within its own scope.
    """
    ids = list(passage_ids)
    if ids:
        # A plain function: what fails robustly is logged by its name, and a partial has none.
        transaction.on_commit(lambda: _send(municipality_id, ids), robust=True)


def _send(municipality_id: int, ids: list[int]) -> None:
    send = async_to_sync(get_channel_layer().group_send)
    for start in range(0, len(ids), IDS_PER_MESSAGE):
        piece = ids[start : start + IDS_PER_MESSAGE]
        send(group_of(municipality_id), {"type": "passages.new", "ids": piece})


def rows(passages: Iterable[Passage]) -> list[dict[str, Any]]:
    """Return passages as the board shows them, in the active language; times are ISO 8601 with offset."""
    return [
        {
            "id": passage.pk,
            "happened_at": passage.happened_at.isoformat(),
            "known_at": passage.known_at.isoformat(),
            "time_uncertain": passage.time_uncertain,
            "what": describe(passage.kind, passage.reason, str(passage.detail.get("command", ""))),
            "class": str(BEFORE_KNOWN) if passage.opened_before_known_revocation else "",
            "tone": tone(passage.kind, passage.reason, before_known=passage.opened_before_known_revocation),
            "door": str(passage.binding.door) if passage.binding else "",
            "lock": passage.lock.name,
            "who": passage.bearer.staff.name if passage.bearer else "",
            "provider": passage.provider.name if passage.provider else "",
        }
        for passage in passages
    ]


def latest(limit: int | None = None) -> list[dict[str, Any]]:
    """Return the passages that became known last, newest news first."""
    shown = settings.LIVE_PASSAGES_SHOWN if limit is None else limit
    return rows(_with_relations().order_by("-known_at", "-id")[:shown])


def by_ids(ids: Sequence[int]) -> list[dict[str, Any]]:
    """Return these passages, newest news first; ids outside the scope are silently not there."""
    return rows(_with_relations().filter(pk__in=ids).order_by("-known_at", "-id"))


def _with_relations() -> Any:
    """Practice is not shown: the board is about people's homes."""
    rows = Passage.objects.filter(lock__is_practice=False)
    return rows.select_related("lock", "binding__door", "bearer__staff", "provider")
