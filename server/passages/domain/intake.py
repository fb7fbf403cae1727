"""Taking logs in: sealed batches, from any courier, in any order, any number of times.

A batch is opened and verified, then weighed against the lock's history. What continues it is stored at once,
each passage exactly once; what runs ahead is held until the hole is filled; what contradicts it is an alarm.
A receipt covers only the contiguous, verified prefix. Everything of one upload happens in one transaction,
under locks on the log positions concerned, so two couriers with the same batch cannot disturb each other. A
courier can withhold (the lock then sends the same entries with the next one), but not change, invent or
reorder: sealing, signature and chain each say so, under a code of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from server.locks.domain.bulletins import build_bulletins
from server.passages import intake_queries as queries
from server.passages.domain.deviations import about_log, open_deviations
from server.passages.domain.history import HELD, REJECTED, STORED, Verdict
from server.passages.domain.opening import Opened, Opener, RejectedError, digest_of
from server.passages.domain.settling import Run
from server.passages.models import Deviation, SealedBatch
from server.people.models import Phone
from server.tenancy.models import Municipality

KNOWN = "known"
HELD_FULL = "held_full"
MAX_REFUSED_A_DAY = 200
"""Per courier: enough to show that somebody interferes, and not a way to fill the server."""
MAX_HELD_BATCHES = 64
MAX_HELD_BYTES = 256 * 1024
"""Per lock: a hole that nobody fills must not fill the server."""


@dataclass(frozen=True)
class Result:
    """What became of one document: stored, known, held or rejected, and why."""

    status: str
    code: str = ""
    new_passages: int = 0


@dataclass(frozen=True)
class Courier:
    """Who hands in: an enrolled phone, or (None) an installer without one."""

    municipality: Municipality
    phone: Phone | None

    @property
    def municipality_id(self) -> int:
        """Whose locks the logs must be of."""
        return int(self.municipality.pk)


def take_in(*, documents: Sequence[bytes], courier: Phone | Courier, at: datetime) -> list[Result]:
    """Take in sealed documents handed in by `courier`; returns one result each, in the same order.

    Must run in the courier's scope.
    """
    if isinstance(courier, Phone):
        courier = Courier(courier.municipality, courier)
    results: dict[bytes, Result] = {}
    opened = _open_all(documents, courier, results, at)
    if opened:
        weighed, touched = _weigh_all(opened, courier, at)
        results |= weighed
        # After the commit: bindings are locked last and alone, so that nothing here can deadlock on them.
        build_bulletins(courier.municipality, touched, at=at)
    answered: set[bytes] = set()
    in_order = []
    for digest in map(digest_of, documents):
        again = digest in answered and results[digest].status == STORED
        in_order.append(Result(KNOWN, results[digest].code) if again else results[digest])
        answered.add(digest)
    return in_order


def _open_all(
    documents: Sequence[bytes], courier: Courier, results: dict[bytes, Result], at: datetime
) -> list[Opened]:
    """Open what is new; known and unusable documents go straight to `results`."""
    by_digest = {digest_of(document): document for document in documents}
    known = queries.batches_by_digest(by_digest)
    opener = Opener(courier.municipality_id)
    opened, refused = [], []
    for digest, document in by_digest.items():
        if digest in known:
            results[digest] = _as_before(known[digest])
            continue
        try:
            opened.append(opener.open(document))
        except RejectedError as error:
            results[digest] = Result(REJECTED, error.code)
            refused.append((digest, error))
    _remember_refused(refused, courier, at)
    return opened


def _as_before(batch: SealedBatch) -> Result:
    status = {SealedBatch.Status.STORED: KNOWN}.get(SealedBatch.Status(batch.status), batch.status)
    return Result(status, batch.code)


def _remember_refused(refused: Sequence[tuple[bytes, RejectedError]], courier: Courier, at: datetime) -> None:
    """Note who brought what could not be used; the bytes themselves are noise and not kept."""
    room = MAX_REFUSED_A_DAY - queries.refused_since(courier.phone, at - timedelta(days=1)) if refused else 0
    SealedBatch.objects.bulk_create(
        [
            SealedBatch(
                municipality_id=courier.municipality_id,
                digest=digest,
                document=b"",
                courier=courier.phone,
                received_at=at,
                processed_at=at,
                status=SealedBatch.Status.REJECTED,
                code=error.code,
                lock=error.lock,
            )
            for digest, error in refused[: max(room, 0)]
        ],
        ignore_conflicts=True,
    )
    open_deviations(
        about_log(Deviation.Kind.TAMPER, error.lock, at=at) for _digest, error in refused if error.lock
    )


@transaction.atomic
def _weigh_all(
    opened: Sequence[Opened], courier: Courier, at: datetime
) -> tuple[dict[bytes, Result], set[int]]:
    """Return results by digest, and the bindings whose bulletin has a newer receipt to bring."""
    run = Run(municipality=courier.municipality, at=at)
    run.hold(opened)
    results: dict[bytes, Result] = {}
    # Somebody else may have handed in the very same bytes while we waited for the positions.
    known = queries.batches_by_digest([one.digest for one in opened])
    fresh = []
    for one in opened:
        if one.digest in known:
            results[one.digest] = _as_before(known[one.digest])
        else:
            fresh.append(one)
    held = {bytes(row.digest): row for row in queries.held_batches(run.histories)}
    opener = Opener(courier.municipality_id)
    waiting = _reopened(held, opener)
    verdicts = run.weigh([*fresh, *waiting])
    _bound_held(verdicts, waiting, fresh)
    rows = _store_batches(fresh, verdicts, courier, at)
    stored = run.settle({digest: row.pk for digest, row in (held | rows).items()})
    _note_released(held, verdicts, at)
    for one in fresh:
        verdict, count = verdicts[one.digest], stored[one.digest]
        again = verdict.status == STORED and not count
        results[one.digest] = Result(KNOWN if again else verdict.status, verdict.code, count)
    return results, run.touched


def _reopened(held: dict[bytes, SealedBatch], opener: Opener) -> list[Opened]:
    """Open what waits; what cannot be opened now (its key is away) waits on and stands in nobody's way."""
    waiting = []
    for row in held.values():
        with suppress(RejectedError):
            waiting.append(opener.open(bytes(row.document)))
    return waiting


def _store_batches(
    fresh: Sequence[Opened], verdicts: dict[bytes, Verdict], courier: Courier, at: datetime
) -> dict[bytes, SealedBatch]:
    """Remember the batches; the sealed bytes only where they are still needed, as evidence or to be read."""
    rows = SealedBatch.objects.bulk_create(
        SealedBatch(
            municipality_id=courier.municipality_id,
            digest=one.digest,
            document=b"" if verdict.status == STORED else one.document,
            courier=courier.phone,
            received_at=at,
            processed_at=None if verdict.status == HELD else at,
            status=verdict.status,
            code=verdict.code,
            lock=one.lock,
            epoch=one.body.epoch,
            first_seq=one.body.first,
            last_seq=one.body.last,
        )
        for one in fresh
        if (verdict := verdicts[one.digest]).code != HELD_FULL
    )
    return {bytes(row.digest): row for row in rows}


def _bound_held(verdicts: dict[bytes, Verdict], waiting: Sequence[Opened], fresh: Sequence[Opened]) -> None:
    """Refuse to hold more than is bearable; the lock keeps what it has no receipt for."""
    count: dict[int, int] = defaultdict(int)
    size: dict[int, int] = defaultdict(int)
    for one in [*waiting, *fresh]:
        if verdicts[one.digest].status != HELD:
            continue
        count[one.lock.pk] += 1
        size[one.lock.pk] += len(one.document)
        if count[one.lock.pk] > MAX_HELD_BATCHES or size[one.lock.pk] > MAX_HELD_BYTES:
            verdicts[one.digest] = Verdict(REJECTED, HELD_FULL)


def _note_released(held: dict[bytes, SealedBatch], verdicts: dict[bytes, Verdict], at: datetime) -> None:
    """Update earlier batches that wait no longer."""
    for digest, row in held.items():
        verdict = verdicts.get(digest)
        if verdict is not None and verdict.status != HELD:
            SealedBatch.objects.filter(pk=row.pk).update(
                status=verdict.status,
                code=verdict.code,
                processed_at=at,
                document=b"" if verdict.status == STORED else bytes(row.document),
            )
