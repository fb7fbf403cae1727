"""Verifying what a sync brought and merging it into what the vault holds; pure, all or nothing per item.

Nothing is kept that does not hold under the manifest, and the manifest itself must hold under the pinned
roots and never goes back. One spoilt item is left out and counted, and the cursor is then not moved, so that
the next sync asks for everything again: a single bad byte must not shut staff out of forty other doors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from mobile.engine import bearerkey
from mobile.engine.answers import RightOffer, SyncAnswer
from mobile.engine.content import Content, DoorRecord, LockInfo, Right, Trust
from mobile.engine.errors import ServerError
from mobile.engine.state import DoorKind
from protocol import bulletin, lockrecord, manifest, suites, token
from protocol.errors import ProtocolError, SignatureError
from protocol.keys import HolderKey
from protocol.lockrecord import LockRecord
from protocol.manifest import Manifest, Role, RootSet

KEEP_EXPIRED = 12 * 3600
"""An expired token is kept this long (seconds): the lock's own "expired" helps more than "no right"."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The content after a sync, and what changed."""

    content: Content
    new_rights: int
    removed_rights: int
    spoilt: int


def trusted(trust: Trust) -> Manifest:
    """The manifest in force. Raises ServerError server_not_trusted if it does not hold under its roots."""
    try:
        return manifest.verify(trust.manifest, RootSet(trust.roots, trust.threshold))
    except ProtocolError as error:
        raise ServerError("server_not_trusted") from error


def renewed(trust: Trust, candidate: bytes | None) -> tuple[Trust, Manifest]:
    """The trust after the server sent ``candidate``: never another municipality's, never an older one.

    Raises ServerError server_not_trusted. The same manifest once more, also signed anew, is no news.
    """
    current = trusted(trust)
    if candidate is None or candidate == trust.manifest:
        return trust, current
    try:
        if manifest.verify(candidate, current.roots) == current:
            return trust, current
        new = manifest.accept(candidate, current)
    except ProtocolError as error:
        raise ServerError("server_not_trusted") from error
    return Trust(new.roots.keys, new.roots.threshold, candidate), new


def merge(content: Content, answer: SyncAnswer, *, clock_offset: int) -> Merged:
    """Return the content after ``answer``. Raises ServerError server_not_trusted; then nothing is kept."""
    trust, signers = renewed(content.trust, answer.manifest)
    holder = bearerkey.holder_of(content.identity)
    rights = _kept(content, answer)
    removed = len(content.rights) - len(rights)
    locks, spoilt, new_rights = dict(content.locks), 0, 0
    for offer in answer.rights:
        try:
            right, lock = _accept(offer, locks.get(offer.binding), signers, holder)
        except ProtocolError:
            spoilt += 1
            continue
        new_rights += right.token_id not in content.rights
        rights[right.token_id], locks[lock.binding] = right, lock
    spoilt += _take_bulletins(answer.bulletins, locks, signers)
    held = {right.binding for right in rights.values()}
    merged = replace(
        content,
        trust=trust,
        cursor=answer.cursor if not spoilt else None,
        synced_at=answer.server_time,
        clock_offset=clock_offset,
        shift=answer.shift,
        visits=answer.visits,
        alarms=answer.alarms,
        doors=_doors(content, answer, locks),
        locks={binding: lock for binding, lock in locks.items() if binding in held},
        rights=rights,
        support=answer.support,
    )
    return Merged(merged, new_rights, removed, spoilt)


def onto(now: Content, merged: Content) -> Content:
    """Lay the merged content over what the vault holds ``now``: taps may have been made meanwhile.

    Nothing is laid over a vault whose session has changed since: a signed-out phone gets no rights back.
    """
    if now.session != merged.session:
        return now
    left_unlocked = now.left_unlocked & set(merged.doors)
    return replace(merged, history=now.history, left_unlocked=left_unlocked, practised=now.practised)


def _kept(content: Content, answer: SyncAnswer) -> dict[bytes, Right]:
    """The rights held so far that stay: an answer to an empty cursor is everything there is."""
    gone = set(answer.removed_rights)
    if content.cursor is None:
        gone |= set(content.rights) - {offer.token_id for offer in answer.rights}
    oldest = answer.server_time - KEEP_EXPIRED
    return {key: right for key, right in content.rights.items() if key not in gone and right.expires > oldest}


def _doors(content: Content, answer: SyncAnswer, locks: Mapping[bytes, LockInfo]) -> dict[str, DoorRecord]:
    """The doors as described; where a lock's signed record says another kind, the signed one counts."""
    before = () if content.cursor is None else content.doors.values()
    doors = {door.id: door for door in (*before, *answer.doors)}
    for gone in answer.removed_doors:
        doors.pop(gone, None)
    return {door_id: _of_signed_kind(door, locks.get(door.binding)) for door_id, door in doors.items()}


def _of_signed_kind(door: DoorRecord, lock: LockInfo | None) -> DoorRecord:
    if lock is None or lock.kind == door.kind or lock.kind not in set(DoorKind):
        return door
    return replace(door, kind=DoorKind(lock.kind))


def _accept(
    offer: RightOffer, held: LockInfo | None, signers: Manifest, holder: HolderKey
) -> tuple[Right, LockInfo]:
    """Verify token, lock record and bulletin of one right; ProtocolError if any of them does not hold."""
    unverified = token.parse(offer.token)
    key = signers.verify_key(Role.TOKEN, unverified.kid)
    if key is None:
        raise SignatureError("token is signed by an unknown key")
    claims = unverified.verify(key, holder)
    record = lockrecord.verify(offer.lock_record, signers)
    if not claims.binding == record.binding == offer.binding or claims.token_id != offer.token_id:
        raise ProtocolError("token, lock record and right are not about the same")
    if not suites.of_key(holder.key_type).among(record.suites):
        raise ProtocolError("the lock does not know keys of this type")
    lock = _lock(record, held, *verified_bulletin(offer.bulletin, record.binding, signers))
    right = Right(
        claims.token_id, claims.binding, offer.token, claims.not_before, claims.expires, int(claims.scope)
    )
    return right, lock


def verified_bulletin(data: bytes, binding: bytes, signers: Manifest) -> tuple[bytes, int]:
    """Return (the bulletin, its number) once it holds and is for ``binding``; else raise ProtocolError."""
    news, _ = bulletin.parse(data).verify(signers)
    if news.binding != binding:
        raise ProtocolError("bulletin is for another binding")
    return data, news.seq


def _lock(record: LockRecord, held: LockInfo | None, news: bytes, seq: int) -> LockInfo:
    """The newest of what is held and what came; neither record nor bulletin ever goes back."""
    fresh = LockInfo(
        binding=record.binding,
        lock_id=record.lock_id,
        static_public=record.static_public,
        adv_keys=record.adv_keys,
        issued_at=record.issued_at,
        bulletin=news,
        bulletin_seq=seq,
        kind=record.door_kind.name.lower(),
    )
    if held is None:
        return fresh
    newest = fresh if fresh.issued_at >= held.issued_at else held
    if held.bulletin_seq > seq:
        return replace(newest, bulletin=held.bulletin, bulletin_seq=held.bulletin_seq)
    return replace(newest, bulletin=news, bulletin_seq=seq)


def _take_bulletins(
    offered: tuple[tuple[bytes, bytes], ...], locks: dict[bytes, LockInfo], signers: Manifest
) -> int:
    """Put newer bulletins beside the locks that are held; return how many did not hold."""
    spoilt = 0
    for binding, data in offered:
        lock = locks.get(binding)
        if lock is None:
            continue
        try:
            news, seq = verified_bulletin(data, binding, signers)
        except ProtocolError:
            spoilt += 1
            continue
        if seq > lock.bulletin_seq:
            locks[binding] = replace(lock, bulletin=news, bulletin_seq=seq)
    return spoilt


def adv_keys(locks: Mapping[bytes, LockInfo]) -> list[tuple[bytes, bytes]]:
    """(binding, adv_key) pairs for recognising adverts: current and next key of every lock held."""
    return [(lock.binding, key) for lock in locks.values() for key in lock.adv_keys]
