"""Telling phones that there is news: a message without content, upon which the phone makes its ordinary sync.

A poke only saves a wait. One that is lost on the way to the phone's websocket (a channel layer that is full
or down) is counted all the same, and the websocket looks at the count every so often; a phone without a
websocket asks by itself. So a lost poke costs less than a minute, and none stops or undoes what was decided.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.db import transaction
from django.db.models import F

from server.people.models import Bearer, PhoneContact

SYNC = {"type": "phone.sync"}
BUDGET_S = 5.0
"""The longest that the one who decided waits for pokes to be sent; who is left learns at the next round."""
AT_ONCE = 50
COUNTED_AT_ONCE = 500

log = structlog.get_logger(__name__)


def group_of(phone_id: int) -> str:
    """Return the name of the channel group of one phone's websockets."""
    return f"phone.{phone_id}"


def poke_phones(phone_ids: Iterable[int]) -> None:
    """Have these phones sync, once the transaction that made the news has committed."""
    phones = sorted(set(phone_ids))
    if phones:
        transaction.on_commit(lambda: _poke(phones), robust=True)


def poke_staff(staff_ids: Iterable[int]) -> None:
    """Have every phone sync on which one of these people is a bearer, once the transaction has committed.

    Ids are of the caller's choosing, whatever scope it runs in: a poke says nothing to anybody.
    """
    staff = sorted(set(staff_ids))
    if staff:
        transaction.on_commit(lambda: _poke_staff(staff), robust=True)


def _poke_staff(staff: list[int]) -> None:
    # A bearer revoked a moment ago is among those who must hear of it, so only the phone's own end counts.
    phones = Bearer.unscoped.filter(staff__in=staff, phone__revoked_at__isnull=True).values_list("phone_id")
    _poke(sorted({phone for (phone,) in phones}))


def _poke(phones: list[int]) -> None:
    for start in range(0, len(phones), COUNTED_AT_ONCE):
        piece = phones[start : start + COUNTED_AT_ONCE]
        PhoneContact.unscoped.filter(phone__in=piece).update(pokes=F("pokes") + 1)
    done = async_to_sync(_send)(phones)
    if done < len(phones):
        log.warning("pokes_left_out", phones=len(phones), sent=done)


async def _send(phones: list[int]) -> int:
    """Send to as many as the budget allows; returns to how many."""
    layer, done = get_channel_layer(), 0
    try:
        async with asyncio.timeout(BUDGET_S):
            for start in range(0, len(phones), AT_ONCE):
                piece = phones[start : start + AT_ONCE]
                await asyncio.gather(*(layer.group_send(group_of(phone), SYNC) for phone in piece))
                done += len(piece)
    except TimeoutError:
        return done
    return done
