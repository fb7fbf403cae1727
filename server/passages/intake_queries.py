"""What taking logs in reads, for any number of locks in a constant number of queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from server.access.models import Token
from server.locks.models import Binding, LockStatus, LogPosition
from server.passages.models import LogGap, Passage, SealedBatch
from server.people.models import Bearer, Phone

Epoch = tuple[int, int]
"""Lock and log epoch."""
Key = tuple[int, int, int]
"""Lock, log epoch, number."""


@dataclass(frozen=True)
class Whose:
    """Who and what a passage belongs to; ids, None where unknown."""

    binding: int | None = None
    token: int | None = None
    bearer: int | None = None
    provider: int | None = None


@dataclass(frozen=True)
class KnownToken:
    """What the server knows of a token id seen in a log."""

    pk: int
    bearer: int
    provider: int
    binding: int
    lock: int
    phone: bytes
    """Fingerprint of the key that it was issued for."""
    revoked_at: datetime | None = None


def batches_by_digest(digests: Collection[bytes]) -> dict[bytes, SealedBatch]:
    """Return the batches known already, without documents."""
    rows = SealedBatch.objects.filter(digest__in=digests).defer("document")
    return {bytes(row.digest): row for row in rows}


def refused_since(courier: Phone | None, moment: datetime) -> int:
    """Return how many batches of a phone, or of installers without one, were refused since `moment`."""
    return SealedBatch.objects.filter(
        courier=courier, status=SealedBatch.Status.REJECTED, received_at__gt=moment
    ).count()


def hold_positions(epochs: Collection[Epoch]) -> dict[Epoch, LogPosition]:
    """Lock the rows of these log positions in a fixed order and return them with their locks."""
    wanted = Q()
    for lock, epoch in epochs:
        wanted |= Q(lock=lock, epoch=epoch)
    ordered = LogPosition.objects.filter(wanted).order_by("lock", "epoch")
    list(ordered.select_for_update(no_key=True).values_list("pk", flat=True))
    return {(row.lock_id, row.epoch): row for row in ordered.select_related("lock")}


def held_batches(epochs: Collection[Epoch]) -> list[SealedBatch]:
    """Return the batches that wait for what came before them, with documents."""
    wanted = Q()
    for lock, epoch in epochs:
        wanted |= Q(lock=lock, epoch=epoch)
    rows = SealedBatch.objects.filter(wanted, status=SealedBatch.Status.HELD)
    return list(rows.order_by("lock", "epoch", "first_seq", "pk"))


def stored_hash(epoch: Epoch, seq: int) -> bytes | None:
    """Return the chain hash stored with a passage, None where the passage is not stored."""
    found = Passage.objects.filter(lock=epoch[0], epoch=epoch[1], seq=seq)
    digest = found.values_list("entry_hash", flat=True).first()
    return bytes(digest) if digest is not None else None


def stored_link(epoch: Epoch, seq: int) -> tuple[bytes, bytes] | None:
    """Return the entry of a number and the chain hash after it, None where the passage is not stored."""
    found = Passage.objects.filter(lock=epoch[0], epoch=epoch[1], seq=seq)
    row = found.values_list("entry_bytes", "entry_hash").first()
    return (bytes(row[0]), bytes(row[1])) if row is not None else None


def erased(epoch: Epoch, first: int, last: int) -> set[int]:
    """Return the numbers of a range, all taken in once, that are neither stored nor in a gap any more."""
    passages = Passage.objects.filter(lock=epoch[0], epoch=epoch[1], seq__range=(first, last))
    gone = set(range(first, last + 1)).difference(passages.values_list("seq", flat=True))
    if not gone:
        return gone
    gaps = LogGap.objects.filter(lock=epoch[0], epoch=epoch[1], closed_at__isnull=True)
    for start, end in gaps.filter(first_seq__lte=last, last_seq__gte=first).values_list(
        "first_seq", "last_seq"
    ):
        gone.difference_update(range(max(start, first), min(end, last) + 1))
    return gone


def known_tokens(token_ids: Collection[bytes]) -> dict[bytes, KnownToken]:
    """Return what is known of token ids, by token id."""
    rows = Token.objects.filter(token_id__in=token_ids).values_list(
        "token_id",
        "pk",
        "bearer_id",
        "provider_id",
        "binding_id",
        "binding__lock_id",
        "bearer__fingerprint",
        "revoked_at",
    )
    return {
        bytes(token_id): KnownToken(pk, bearer, provider, binding, lock, bytes(phone), revoked_at)
        for token_id, pk, bearer, provider, binding, lock, phone, revoked_at in rows
    }


def known_phones(fingerprints: Collection[bytes]) -> dict[bytes, tuple[int, int]]:
    """Return (bearer, provider) by the fingerprint of the phone's key."""
    rows = Bearer.objects.filter(fingerprint__in=fingerprints)
    return {
        bytes(fingerprint): (pk, provider)
        for fingerprint, pk, provider in rows.values_list("fingerprint", "pk", "staff__provider_id")
    }


@dataclass(frozen=True)
class Bindings:
    """The bindings of some locks."""

    by_id: dict[bytes, int]
    periods: dict[int, list[tuple[int, datetime, datetime | None]]]
    """By lock, oldest first: (binding, from, to)."""

    def at(self, lock: int, moment: datetime) -> int | None:
        """Return where the lock was at `moment`, or where it is now when it was at no door of ours then."""
        periods = self.periods.get(lock, [])
        then = [pk for pk, start, end in periods if start <= moment and (end is None or moment < end)]
        now = [pk for pk, _start, end in periods if end is None]
        return next(reversed(then or now), None)


def bindings_of(locks: Collection[int]) -> Bindings:
    """Return the locks' bindings, ended ones too."""
    found = Bindings({}, {})
    rows = Binding.objects.filter(lock__in=locks).order_by("starts_at", "pk")
    for pk, binding_id, lock, start, end in rows.values_list(
        "pk", "binding_id", "lock_id", "starts_at", "ends_at"
    ):
        found.by_id[bytes(binding_id)] = pk
        found.periods.setdefault(lock, []).append((pk, start, end))
    return found


def bound_before(locks: Collection[int]) -> dict[Epoch, list[tuple[int, int]]]:
    """Return (number, binding) of every stored `bound` entry, in order, by lock and epoch."""
    found: dict[Epoch, list[tuple[int, int]]] = {}
    rows = Passage.objects.filter(lock__in=locks, kind="bound", binding__isnull=False).order_by(
        "epoch", "seq"
    )
    for lock, epoch, seq, binding in rows.values_list("lock_id", "epoch", "seq", "binding_id"):
        found.setdefault((lock, epoch), []).append((seq, binding))
    return found


def grants(epoch: Epoch, seqs: Collection[int]) -> dict[int, Whose]:
    """Return whose the stored granted entries of these numbers were."""
    if not seqs:
        return {}
    rows = Passage.objects.filter(lock=epoch[0], epoch=epoch[1], seq__in=seqs, kind="granted")
    return {
        seq: Whose(binding, token, bearer, provider)
        for seq, binding, token, bearer, provider in rows.values_list(
            "seq", "binding_id", "token_id", "bearer_id", "provider_id"
        )
    }


def statuses(locks: Collection[int]) -> dict[int, LockStatus]:
    """Return what the locks last told about themselves, by lock."""
    return {row.lock_id: row for row in LockStatus.objects.filter(lock__in=locks)}


def open_gaps(locks: Collection[int]) -> list[LogGap]:
    """Return gaps not filled yet."""
    return list(LogGap.objects.filter(lock__in=locks, closed_at__isnull=True))


def stored_in(gap: LogGap) -> int:
    """Return how many numbers of a gap are stored after all."""
    return Passage.objects.filter(
        lock=gap.lock_id, epoch=gap.epoch, seq__gte=gap.first_seq, seq__lte=gap.last_seq
    ).count()


def newest_epochs(locks: Collection[int]) -> dict[int, int]:
    """Return the highest log epoch known of each lock, by lock."""
    found: dict[int, int] = {}
    for lock, epoch in LogPosition.objects.filter(lock__in=locks).values_list("lock_id", "epoch"):
        found[lock] = max(found.get(lock, 0), epoch)
    return found
