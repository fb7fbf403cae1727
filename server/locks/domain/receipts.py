"""Receipts: the server's signed word that it holds a lock's log up to a number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from protocol import receipt
from protocol.receipt import Receipt
from server.locks.domain.news import note_news
from server.locks.models import Binding, LogPosition
from server.tenancy.domain import keyring
from server.tenancy.models import RoleKey


def sign_receipts(positions: Sequence[LogPosition], *, municipality_id: int, at: datetime) -> None:
    """Sign what the positions say now (contiguous and verified up to there) and store it.

    The positions need their lock fetched along; their rows must be locked by the caller's transaction.
    """
    if not positions:
        return
    key = keyring.signing_key(municipality_id, RoleKey.Role.RECEIPT)
    for position in positions:
        position.receipt = receipt.sign(
            Receipt(
                lock_id=bytes(position.lock.lock_id),
                epoch=position.epoch,
                seq=position.acked_seq,
                hash=bytes(position.acked_hash),
                time=int(at.timestamp()),
            ),
            key,
        )
        position.receipted_at = at
    note_news(Binding.unscoped.filter(lock__in=[position.lock_id for position in positions]))
    LogPosition.unscoped.bulk_update(positions, ["acked_seq", "acked_hash", "receipt", "receipted_at"])
