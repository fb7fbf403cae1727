"""What the checker goes by: the locks' stores and the server's database, and nothing that an actor said."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from lockagent.lockfolder import open_folder
from lockagent.records import Damage
from protocol.entries import Entry, EntryType, Granted, OutcomeDetail, Refused
from protocol.messages import Command, OutcomeCode
from protocol.reasons import reason

PASSAGE_KINDS = frozenset(
    {EntryType.GRANTED, EntryType.REFUSED, EntryType.OUTCOME, EntryType.RELOCKED, EntryType.HAND}
)
"""What happened at the door; the other entries are about the lock itself."""


@dataclass(frozen=True)
class LockEvidence:
    """One lock's log as it lies in its store, its chain checked."""

    lock_id: bytes
    epoch: int
    acked: int
    entries: tuple[Entry, ...]

    def passages(self) -> Iterator[Entry]:
        """The entries about the door."""
        return (entry for entry in self.entries if entry.kind in PASSAGE_KINDS)


@dataclass(frozen=True)
class Opening:
    """A grant to open, and what came of it."""

    lock_id: bytes
    at: int
    request: tuple[bytes, bytes]
    """(phone fingerprint, request id)"""
    outcome: OutcomeCode | None


@dataclass(frozen=True)
class ServerPassage:
    """A passage as the server stored it."""

    lock_id: bytes
    epoch: int
    seq: int
    entry: bytes


@dataclass(frozen=True)
class ServerEvidence:
    """What the server's database holds."""

    passages: tuple[ServerPassage, ...]
    doors: dict[bytes, tuple[str, str]]
    """Lock id -> (kind, label) of its door."""
    outages: tuple[tuple[int, int], ...]
    """(stopped, started again) as the audit trail has them, seconds since 1970 UTC."""


def read_lock(folder: Path) -> LockEvidence:
    """Read one stopped lock's store and check its chain from the first entry to the last.

    Booting a store mends what is damaged in it: so a copy is read, and damage is no empty log but an error.
    """
    with TemporaryDirectory() as scratch:
        lock = open_folder(Path(shutil.copytree(folder, Path(scratch) / "lock")))
        try:
            boot = lock.store.boot()
            lock_id = lock.secrets.identity.lock_id
        finally:
            lock.close()
    if boot.state.damage is not Damage.NONE:
        raise ValueError(f"the store in {folder} is damaged: {boot.state.damage.name.lower()}")
    entries = tuple(Entry.decode(record.entry) for record in boot.records)
    if [entry.seq for entry in entries] != list(range(1, len(entries) + 1)):
        raise ValueError(f"the log in {folder} does not start at 1 or has a hole")
    return LockEvidence(lock_id, boot.state.epoch, boot.state.acked, entries)


def openings(lock: LockEvidence) -> list[Opening]:
    """Every grant to open in the lock's log with its outcome."""
    outcomes = {
        detail.granted_seq: OutcomeCode(detail.outcome)
        for detail in (
            OutcomeDetail.parse(entry.detail) for entry in lock.entries if entry.kind == EntryType.OUTCOME
        )
    }
    found = []
    for entry in lock.entries:
        if entry.kind != EntryType.GRANTED:
            continue
        granted = Granted.parse(entry.detail)
        if granted.command == Command.OPEN:
            request = (granted.phone, granted.request_id)
            found.append(Opening(lock.lock_id, entry.time, request, outcomes.get(entry.seq)))
    return found


def refusals(lock: LockEvidence) -> list[str]:
    """The reason slugs of every refusal in the lock's log."""
    found = (Refused.parse(entry.detail) for entry in lock.entries if entry.kind == EntryType.REFUSED)
    return [known.slug if (known := reason(one.reason)) else str(one.reason) for one in found]


def read_server() -> ServerEvidence:
    """Read the database of the settings in force; Django must be set up."""
    from server.audit.models import AuditEntry  # noqa: PLC0415 - only importable once Django is set up
    from server.locks.models import Binding  # noqa: PLC0415
    from server.passages.models import Passage  # noqa: PLC0415

    rows = Passage.unscoped.values_list("lock__lock_id", "epoch", "seq", "entry_bytes")
    bindings = Binding.unscoped.select_related("lock", "door").filter(ends_at__isnull=True)
    trail = AuditEntry.unscoped.filter(action__in=["server.started", "server.stopped"]).order_by("at", "id")
    return ServerEvidence(
        passages=tuple(
            ServerPassage(bytes(lock), epoch, seq, bytes(entry)) for lock, epoch, seq, entry in rows
        ),
        doors={bytes(one.lock.lock_id): (one.door.kind, str(one.door)) for one in bindings},
        outages=tuple(_outages(trail.values_list("action", "at"))),
    )


def _outages(trail: Iterable[tuple[str, datetime]]) -> Iterator[tuple[int, int]]:
    stopped: datetime | None = None
    for action, at in trail:
        if action == "server.stopped":
            stopped = at
        elif stopped is not None:
            yield int(stopped.astimezone(UTC).timestamp()), int(at.astimezone(UTC).timestamp())
            stopped = None
