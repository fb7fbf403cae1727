"""What the locks have logged in the last weeks: chained entries, receipts, and what each last told of itself.

The entries are the protocol's own and chained from the epoch's beginning, so every log is whole and verifies.
The keys that were used then are long gone, so no token rows stand behind them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from protocol import log, receipt
from protocol.entries import Entry, EntryType, Granted, OutcomeDetail, Refused
from protocol.messages import Command, OutcomeCode
from protocol.reasons import Reason
from server.city.world import World
from server.locks.models import Binding, LockStatus, LogPosition
from server.passages.domain.attribution import Directory, Reader
from server.passages.domain.rows import COLUMNS
from server.passages.models import Passage
from server.people.models import Bearer
from server.tenancy.bulk import insert_rows
from server.tenancy.domain import keyring
from server.tenancy.models import RoleKey

DAYS = 21
EPOCH = 1
REFUSED_SHARE = 0.02
TROUBLE_SHARE = 0.006
SILENT_SHARE, LOW_SHARE, UNCERTAIN_SHARE = 0.01, 0.03, 0.004
ROWS_AT_ONCE = 20_000
"""Passages made and stored together."""


@dataclass(frozen=True)
class Use:
    """Somebody at a door."""

    at: datetime
    bearer: Bearer
    provider: int
    refused: bool


@dataclass
class LockLog:
    """One lock's log while it is written."""

    binding: Binding
    battery: int
    entries: list[tuple[Entry, datetime]] = field(default_factory=list)
    """With the instant when each became known."""

    def add(
        self, at: datetime, known_at: datetime, what: tuple[int, tuple[Any, ...]], cti: bytes | None = None
    ) -> Entry:
        """Append an entry; the clock never goes back."""
        second = int(at.timestamp())
        if self.entries:
            second = max(second, self.entries[-1][0].time)
        kind, detail = what
        entry = Entry(len(self.entries) + 1, second, kind, cti, detail)
        self.entries.append((entry, known_at))
        return entry


def make_logs(world: World) -> None:
    """Write every lock's log of the last weeks, its receipt and its status."""
    luck = world.luck.stream("logs")
    uses = _uses(world, luck)
    bearers = {bytes(one.fingerprint): (one.pk, one.staff.provider_id) for one in world.bearers.values()}
    writer = _Writer(world, bearers)
    for door_id, binding in world.bindings.items():
        writer.write(_written(world, luck, binding, uses.get(door_id, [])))
    writer.flush()
    world.store.add(writer.positions)
    world.store.add(writer.statuses)


def _uses(world: World, luck: random.Random) -> dict[int, list[Use]]:
    """Return who came to which door: to an apartment with a lock, and a minute before through its gates."""
    uses: dict[int, list[Use]] = defaultdict(list)
    crews = {team: [world.bearers[one.pk] for one in members] for team, members in world.team_members.items()}
    doors = len(world.bindings) / max(1, len(world.clients))
    visits = world.size.passages_a_client / (2 * max(doors, 0.5))
    for client in world.clients:
        team = world.team_of[client.pk]
        crew = crews.get(team.pk)
        assert client.door is not None  # noqa: S101  made with one
        for _visit in range(int(visits + luck.random()) if crew else 0):
            at = world.at - timedelta(minutes=luck.randint(20, DAYS * 24 * 60))
            refused = luck.random() < REFUSED_SHARE
            use = Use(at, luck.choice(crew or []), team.provider_id, refused)
            uses[client.door.pk].append(use)
            for gate in world.ways[client.door.pk]:
                uses[gate.pk].append(Use(at - timedelta(minutes=1), use.bearer, use.provider, refused=False))
    return uses


def _written(world: World, luck: random.Random, binding: Binding, uses: list[Use]) -> LockLog:
    silent = luck.random() < SILENT_SHARE
    low = luck.random() < LOW_SHARE
    made = LockLog(binding, battery=luck.randint(5, 19) if low else luck.randint(25, 100))
    bound = binding.starts_at + timedelta(seconds=30)
    made.add(bound, bound, (EntryType.BOUND, (bytes(binding.binding_id), 1)))
    quiet_since = world.at - timedelta(days=luck.randint(9, 20)) if silent else world.at
    for use in sorted(uses, key=lambda one: one.at):
        if use.at < quiet_since:
            _enter(made, luck, use, known_at=min(world.at, use.at + timedelta(minutes=luck.randint(1, 300))))
    if low:
        last = made.entries[-1][1]
        made.add(last, last, (EntryType.LOW_BATTERY, (made.battery,)))
    return made


def _enter(made: LockLog, luck: random.Random, use: Use, *, known_at: datetime) -> None:
    phone = bytes(use.bearer.fingerprint)
    request, cti = luck.randbytes(8), luck.randbytes(8)
    if use.refused:
        reason = luck.choice((Reason.EXPIRED, Reason.NOT_YET_VALID, Reason.NEED_UPDATE))
        detail = Refused(reason, Command.OPEN, request, phone, 1).detail()
        made.add(use.at, known_at, (EntryType.REFUSED, detail), cti)
        return
    said = Granted(Command.OPEN, request, phone, 1, 1).detail()
    granted = made.add(use.at, known_at, (EntryType.GRANTED, said), cti)
    outcome = OutcomeCode.MOVED
    if luck.random() < TROUBLE_SHARE:
        outcome = luck.choice((OutcomeCode.JAM, OutcomeCode.TIMEOUT, OutcomeCode.BY_HAND))
    detail = OutcomeDetail(granted.seq, outcome, made.battery).detail()
    made.add(use.at + timedelta(seconds=2), known_at, (EntryType.OUTCOME, detail))


class _Writer:
    """Turns logs into rows as the intake does, and stores them."""

    def __init__(self, world: World, bearers: dict[bytes, tuple[int, int]]) -> None:
        self.world = world
        self.bearers = bearers
        self.key = keyring.signing_key(world.municipality.pk, RoleKey.Role.RECEIPT)
        self.luck = world.luck.stream("statuses")
        self.rows: list[tuple[Any, ...]] = []
        self.positions: list[LogPosition] = []
        self.statuses: list[LockStatus] = []
        self.stored = 0

    def write(self, made: LockLog) -> None:
        """Chain one lock's entries and keep their rows for storing."""
        lock, binding = made.binding.lock, made.binding
        directory = Directory({}, self.bearers, {bytes(binding.binding_id): binding.pk}, {})
        reader = Reader(lock=lock.pk, directory=directory, binding=binding.pk, clock_uncertain=False)
        digest = log.genesis(bytes(lock.lock_id), EPOCH)
        for entry, known_at in made.entries:
            encoded = entry.encode()
            digest = log.link(digest, encoded)
            self.rows.append((*self._columns(lock.pk, entry, known_at, reader), encoded, digest, None))
        self._note(made, digest)
        if len(self.rows) >= ROWS_AT_ONCE:
            self.flush()

    def _columns(self, lock: int, entry: Entry, known_at: datetime, reader: Reader) -> tuple[Any, ...]:
        whose, said = reader.read(entry)
        return (
            self.world.municipality.pk,
            lock,
            EPOCH,
            entry.seq,
            whose.binding,
            said["happened_at"],
            known_at,
            said["time_uncertain"],
            said["kind"],
            said["reason"],
            entry.token_id,
            whose.token,
            whose.bearer,
            whose.provider,
            said["detail"],
        )

    def _note(self, made: LockLog, digest: bytes) -> None:
        last, known_at = made.entries[-1]
        lock = made.binding.lock
        signed = receipt.sign(
            receipt.Receipt(bytes(lock.lock_id), EPOCH, last.seq, digest, int(known_at.timestamp())), self.key
        )
        self.positions.append(
            LogPosition(
                lock=lock,
                epoch=EPOCH,
                acked_seq=last.seq,
                acked_hash=digest,
                receipt=signed,
                receipted_at=known_at,
            )
        )
        spoken = last.seq > 1
        self.statuses.append(
            LockStatus(
                lock=lock,
                last_contact_at=known_at,
                last_passage_at=datetime.fromtimestamp(last.time, known_at.tzinfo) if spoken else None,
                battery_percent=made.battery if spoken else None,
                battery_at=known_at if spoken else None,
                clock_uncertain=self.luck.random() < UNCERTAIN_SHARE,
                clock_offset_s=self.luck.randint(-40, 5),
                clock_ppm=self.luck.randint(-30, 30),
                bulletin_seq=1,
                boot=self.luck.randint(1, 4),
            )
        )

    def flush(self) -> None:
        """Store the rows that wait."""
        insert_rows(Passage, COLUMNS, self.rows)
        self.stored += len(self.rows)
        self.rows = []
        name = str(Passage._meta.verbose_name_plural)
        self.world.store.counts[Passage._meta.label] = self.stored
        self.world.store.tell(f"{name}: {self.stored}")
