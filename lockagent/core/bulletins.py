"""What a lock does with a bulletin: verify, never go back, and read the receipt inside."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lockagent.core.journal import Journal
from lockagent.core.memory import Binding
from protocol import bulletin, manifest, receipt, seal
from protocol.bulletin import Bulletin
from protocol.errors import ProtocolError
from protocol.manifest import Manifest
from protocol.reasons import Reason


class BulletinRefusedError(Exception):
    """A bulletin was not taken in."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.slug)
        self.reason = reason


def examine(data: bytes, held: Binding, lock_id: bytes, seal_private: bytes) -> Binding:
    """Return what the lock would know after taking a bulletin in; BulletinRefusedError says why not."""
    try:
        unverified = bulletin.parse(data)
    except ProtocolError:
        raise BulletinRefusedError(Reason.BULLETIN_INVALID) from None
    body = unverified.body
    if body.binding != held.bulletin.binding or body.lock_id != lock_id:
        raise BulletinRefusedError(Reason.BULLETIN_WRONG_BINDING)
    if body.seq <= held.bulletin.seq:
        raise BulletinRefusedError(Reason.BULLETIN_OLD)
    try:
        news, roles = unverified.verify(held.manifest)
        adv_keys = held.adv_keys
        if news.secrets is not None:
            adv_keys = seal.open_adv_keys(news.secrets, seal_private, news.binding, news.seq)
    except ProtocolError:
        raise BulletinRefusedError(_why(body, held.manifest)) from None
    newer = roles is not held.manifest
    manifest_bytes = news.manifest if newer and news.manifest is not None else held.manifest_bytes
    return Binding(roles, manifest_bytes, news, data, adv_keys)


def only_a_receipt(old: Bulletin, new: Bulletin) -> bool:
    """Whether the new bulletin changes nothing that a person reading the log would want to see there."""
    return (old.settings, old.revoked, old.grp_not_before, old.not_before, old.manifest, new.secrets) == (
        new.settings,
        new.revoked,
        new.grp_not_before,
        new.not_before,
        new.manifest,
        None,
    )


class ReceiptVerdict(Enum):
    """What a receipt is to this lock."""

    FREES = "frees"
    IGNORED = "ignored"
    """Older than what the lock has, unreadable, or about entries it no longer holds."""
    ALARM = "alarm"
    """Correctly signed and about another history than this lock's."""


@dataclass(frozen=True)
class ReceiptReading:
    """A receipt as this lock reads it; epoch and number are for the alarm entry."""

    verdict: ReceiptVerdict
    epoch: int = 0
    seq: int = 0


def read_receipt(data: bytes | None, roles: Manifest, lock_id: bytes, journal: Journal) -> ReceiptReading:
    """Compare a receipt with the log."""
    try:
        read = receipt.verify(data or b"", roles)
    except ProtocolError:
        return ReceiptReading(ReceiptVerdict.IGNORED)
    if read.lock_id != lock_id or (read.epoch, read.seq) <= (journal.epoch, journal.acked):
        return ReceiptReading(ReceiptVerdict.IGNORED)
    if read.epoch > journal.epoch or read.seq > journal.head:
        return ReceiptReading(ReceiptVerdict.ALARM, read.epoch, read.seq)
    held = journal.hash_after(read.seq)
    if held is None:
        return ReceiptReading(ReceiptVerdict.IGNORED)
    verdict = ReceiptVerdict.FREES if held == read.hash else ReceiptVerdict.ALARM
    return ReceiptReading(verdict, read.epoch, read.seq)


def _why(body: Bulletin, roles: Manifest) -> Reason:
    """Tell a bad manifest inside a bulletin from a bad bulletin."""
    if body.manifest is not None:
        try:
            brought = manifest.verify(body.manifest, roles.roots)
        except ProtocolError:
            return Reason.MANIFEST_INVALID
        if brought.municipality != roles.municipality:
            return Reason.MANIFEST_INVALID
    return Reason.BULLETIN_INVALID
