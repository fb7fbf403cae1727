"""Turning accepted entries into passage rows, and what they tell of their locks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from protocol.entries import Entry, EntryType
from server.locks.models import LockStatus
from server.passages import intake_queries as queries
from server.passages.domain.attribution import Directory, Reader
from server.passages.domain.history import Accepted, History
from server.passages.intake_queries import Epoch, Key

COLUMNS = (
    "municipality",
    "lock",
    "epoch",
    "seq",
    "binding",
    "happened_at",
    "known_at",
    "time_uncertain",
    "kind",
    "reason",
    "cti",
    "token",
    "bearer",
    "provider",
    "detail",
    "entry_bytes",
    "entry_hash",
    "batch",
)


class Event(NamedTuple):
    """What one entry says that somebody may have to act on; ids, None where unknown."""

    epoch: Epoch
    seq: int
    binding: int | None
    provider: int | None
    kind: str
    reason: str


@dataclass
class Told:
    """What a run's entries say of the locks themselves."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    bound: set[int] = field(default_factory=set)
    """Bindings whose lock logged that it took its commissioning in."""
    bulletins: dict[int, int] = field(default_factory=dict)
    """Newest bulletin number the lock names, by binding."""
    programs: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """What locks say of their own programs: (lock, detail), oldest first."""
    events: list[Event] = field(default_factory=list)
    """Everything a deviation may come from."""
    revoked: list[Key] = field(default_factory=list)
    """Openings after their key was revoked: did the lock know?"""


def make_rows(
    histories: Mapping[Epoch, History],
    *,
    statuses: Mapping[int, LockStatus],
    batches: Mapping[bytes, int],
    municipality_id: int,
    at: datetime,
) -> Told:
    """Return the rows of everything accepted; `batches`: primary key of the sealed batch by digest."""
    maker = _RowMaker(municipality_id, at, batches)
    entries = [one.entry for history in histories.values() for one in history.accepted.values()]
    if not entries:
        return maker.told
    locks = {lock for lock, _epoch in histories}
    bindings = queries.bindings_of(locks)
    bound = queries.bound_before(locks)
    tokens = queries.known_tokens({entry.token_id for entry in entries if entry.token_id})
    phones = queries.known_phones(_fingerprints(entries))
    for epoch, history in histories.items():
        accepted = sorted(history.accepted.values(), key=lambda one: one.entry.seq)
        if not accepted:
            continue
        status = statuses[epoch[0]]
        before = [binding for seq, binding in bound.get(epoch, []) if seq < accepted[0].entry.seq]
        # A new epoch does not say again where the lock is, and the lock may have been moved since.
        began = datetime.fromtimestamp(accepted[0].entry.time, UTC)
        reader = Reader(
            lock=epoch[0],
            directory=Directory(tokens, phones, bindings.by_id, queries.grants(epoch, _referred(accepted))),
            binding=before[-1] if before else bindings.at(epoch[0], began),
            clock_uncertain=status.clock_uncertain,
        )
        for one in accepted:
            maker.add(reader, epoch, one)
        status.clock_uncertain = reader.clock_uncertain
    return maker.told


def _fingerprints(entries: Iterable[Entry]) -> set[bytes]:
    """Return the phones that granted and refused entries name."""
    found = {entry.detail[2] for entry in entries if entry.kind == EntryType.GRANTED}
    return found | {entry.detail[3] for entry in entries if entry.kind == EntryType.REFUSED}


def _referred(accepted: list[Accepted]) -> set[int]:
    """Return numbers of granted entries that these refer to but do not bring along."""
    kinds = (EntryType.OUTCOME, EntryType.RELOCKED)
    referred = {one.entry.detail[0] for one in accepted if one.entry.kind in kinds}
    return referred - {one.entry.seq for one in accepted}


@dataclass
class _RowMaker:
    municipality_id: int
    at: datetime
    batches: Mapping[bytes, int]
    told: Told = field(default_factory=Told)

    def add(self, reader: Reader, epoch: Epoch, one: Accepted) -> None:
        """Add the row of one entry, and what it tells of its lock."""
        entry, told = one.entry, self.told
        whose, said = reader.read(entry)
        told.rows.append(
            (
                self.municipality_id,
                *epoch,
                entry.seq,
                whose.binding,
                said["happened_at"],
                self.at,
                said["time_uncertain"],
                said["kind"],
                said["reason"],
                entry.token_id,
                whose.token,
                whose.bearer,
                whose.provider,
                said["detail"],
                one.encoded,
                one.hash,
                self.batches.get(one.source.digest),
            )
        )
        told.events.append(
            Event(epoch, entry.seq, whose.binding, whose.provider, said["kind"], said["reason"])
        )
        token = reader.directory.tokens.get(entry.token_id or b"")
        ours = entry.kind == EntryType.GRANTED and whose.token is not None
        if ours and token is not None and token.revoked_at is not None:
            told.revoked.append((*epoch, entry.seq))
        if entry.kind == EntryType.BOUND and entry.detail[0] in reader.directory.bindings:
            told.bound.add(reader.directory.bindings[entry.detail[0]])
        if entry.kind == EntryType.FIRMWARE:
            told.programs.append((epoch[0], said["detail"]))
        named = said["detail"].get("bulletin_seq")
        if named and reader.binding is not None:
            told.bulletins[reader.binding] = max(named, told.bulletins.get(reader.binding, 0))
