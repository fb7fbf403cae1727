"""Making the file that proves an examination to somebody who does not trust us: `protocol.evidence`."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from protocol import evidence, receipt, statement
from protocol.evidence import Evidence, Run, Statement
from protocol.identity import LockIdentity
from protocol.keys import SigningKey
from protocol.log import genesis
from protocol.receipt import Receipt
from protocol.statement import Claim, Claims, OnlyIssuer, Range
from server.audit import actions
from server.audit.domain import record
from server.passages import proof_queries as queries
from server.passages.domain.completeness import Examination, Stretch, kept_numbers, runs
from server.people.models import User
from server.tenancy.domain import keyring
from server.tenancy.models import RoleKey
from server.tenancy.queries import newest_manifest
from server.tenancy.scoping import whole_municipality

PROVEN = actions.register("passages.proven", _("proof of a log exported"), needs_actor=True)


@whole_municipality()
def prove(examined: Examination, *, actor: User | None) -> bytes:
    """Return the file: claims signed now, the manifest, and the evidence for every stretch."""
    municipality = examined.door.municipality
    key = keyring.signing_key(municipality.pk, RoleKey.Role.RECEIPT)
    claims, proofs = [], []
    for stretch in examined.stretches:
        claim, proof = _prove(stretch, key, examined.at)
        claims.append(claim)
        proofs.append(proof)
    said = Claims(
        door=str(examined.door)[: statement.MAX_TEXT],
        made_at=_seconds(examined.at),
        start=_seconds(examined.start),
        end=_seconds(examined.end),
        kept_from=_seconds(examined.kept_from),
        stretches=tuple(claims),
    )
    manifest = bytes(newest_manifest(municipality.pk).document)
    if actor is not None:
        period = {"from": examined.start.isoformat(), "to": examined.end.isoformat()}
        record(action=PROVEN, target=examined.door, actor=actor, after=period)
    return evidence.encode(Statement(statement.sign(said, key), manifest, tuple(proofs)))


def _prove(stretch: Stretch, key: SigningKey, at: datetime) -> tuple[Claim, Evidence]:
    lock = stretch.binding.lock
    identity = LockIdentity(
        static_public=bytes(lock.static_public_key),
        log_public=bytes(lock.log_public_key),
        seal_public=bytes(lock.seal_public_key),
        protocol_version=lock.protocol_version,
        suites=lock.suites,
    )
    chained, unlinked = _chained(stretch)
    first = max([stretch.first, *(number + 1 for number in unlinked)])
    last = chained[-1] if chained else None
    proof = Evidence(
        identity=identity,
        runs=tuple(chained),
        heads=tuple(head.encode() for head in stretch.heads if head.first not in unlinked),
        receipt=_receipt(stretch, key, at),
    )
    claim = Claim(
        lock_id=bytes(lock.lock_id),
        binding=bytes(stretch.binding.binding_id),
        epoch=stretch.span.epoch,
        first=first,
        last=stretch.last,
        end=_hash_after(chained, stretch.last) if last is not None else bytes(32),
        received=stretch.received if proof.receipt is not None else 0,
        ended=stretch.ended,
        missing=tuple(one for one in stretch.missing if one.last >= first),
        only_issuer=(*stretch.only_issuer, *_beside(chained, stretch)),
        evidence=proof.digest,
    )
    return claim, proof


def _beside(chained: list[Run], stretch: Stretch) -> list[Range]:
    """Name entries below the stretch, there for the sake of whole batches, that no head reaches."""
    reached = [number for head in stretch.heads for number in (head.last, *kept_numbers(head))]
    found = []
    for run in chained:
        last = min(run.last, stretch.first - 1)
        if run.first <= last and not any(run.first <= end <= run.last for end in reached):
            found.append(Range(run.first, last, OnlyIssuer.ERASED_BESIDE))
    return found


def _chained(stretch: Stretch) -> tuple[list[Run], set[int]]:
    """Return the runs of entries, and the numbers whose place in the chain cannot be shown any more.

    The first entry that erasure left within a batch has nothing to be linked to: its own hash then begins
    the run of those that follow.
    """
    lock, epoch = stretch.binding.lock, stretch.span.epoch
    known = {head.first: head.h_start for head in stretch.heads}
    gaps = [head.gap for head in stretch.heads if head.gap is not None]
    known |= {gap.last + 1: gap.hash for gap in gaps}
    known |= {one.entry.seq: one.hash_before for gap in gaps for one in gap.kept}
    known[1] = genesis(bytes(lock.lock_id), epoch)
    chained, unlinked = [], set()
    for first, last in runs(stretch.stored):
        rows = list(queries.entries(lock.pk, epoch, first, last))
        if first in known:
            chained.append(Run(first, known[first], tuple((entry, digest) for _n, entry, digest in rows)))
        else:
            unlinked.add(first)
            rest = tuple((entry, digest) for _n, entry, digest in rows[1:])
            chained.append(Run(first + 1, rows[0][2], rest))
    return chained, unlinked


def _hash_after(chained: list[Run], number: int) -> bytes:
    for run in chained:
        if run.first <= number <= run.last:
            return run.entries[number - run.first][1]
        if number == run.first - 1:
            return run.h_start
    return bytes(32)


def _receipt(stretch: Stretch, key: SigningKey, at: datetime) -> bytes | None:
    """Return the receipt as it stands, signed now: the key of the one the lock got may be retired."""
    position = stretch.position
    if position is None or position.acked_seq == 0:
        return None
    held = Receipt(
        bytes(stretch.binding.lock.lock_id),
        position.epoch,
        position.acked_seq,
        bytes(position.acked_hash),
        _seconds(at),
    )
    return receipt.sign(held, key)


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
