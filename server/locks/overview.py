"""What one lock's page shows: what it last told, what is missing, where it sat, what is wrong and ordered.

Rows are listed with narrow managers, so a coordinator sees the own part. What would tell when others pass a
shared gate (numbers in the log, the minute of the last contact) is for those who see the whole municipality.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max

from server.locks.models import Binding, Bulletin, Lock, LockStatus, LogPosition, WorkOrder
from server.locks.order_queries import open_orders
from server.locks.queries import LiveStatus, live_status
from server.passages.labels import describe, tone
from server.passages.models import Deviation, LogGap, Passage, SealedBatch
from server.passages.withheld_queries import Withheld, withheld
from server.places.models import Door
from server.tenancy.scoping import viewer_now

RECENT = 8
BINDINGS_SHOWN = 20


@dataclass(frozen=True)
class Backlog:
    """How far a lock's log is receipted, and what is known to wait; the lock alone knows what came since."""

    epoch: int
    acked: int
    receipted_at: datetime | None
    known_to_exist: int
    """The highest number that the lock itself has named in what phones brought."""
    held: int
    """Sealed batches that wait for what came before them."""

    @property
    def waiting(self) -> int:
        """How many entries are known to exist and not receipted."""
        return max(self.known_to_exist - self.acked, 0)


@dataclass(frozen=True)
class BatteryChange:
    """A change of batteries as an installer reported it, beside what the lock's log says."""

    at: datetime
    seen_in_log: bool
    contradicted: bool
    """The lock has been heard from since, and its log shows no restart."""


@dataclass(frozen=True)
class Row:
    """One passage in plain words."""

    passage: Passage
    words: str
    tone: str


@dataclass
class LockPage:
    """Everything on the page."""

    status: LockStatus | None
    here: Binding | None
    door: Door | None
    live: LiveStatus | None
    history: list[Binding]
    newest_bulletin: int | None
    known_bulletin: int | None
    deviations: list[Deviation]
    orders: list[WorkOrder]
    whole: bool
    """Whether the viewer sees the whole municipality."""
    backlog: Backlog | None = None
    gaps: list[LogGap] = field(default_factory=list)
    withheld: list[Withheld] = field(default_factory=list)
    battery_change: BatteryChange | None = None
    passages: list[Row] = field(default_factory=list)

    @property
    def pending(self) -> Binding | None:
        """The binding that waits for the lock's confirmation."""
        return self.here if self.here is not None and self.here.commissioned_at is None else None


def lock_page(lock: Lock, *, at: datetime, with_passages: bool) -> LockPage:
    """Return what is to be shown of one lock, in a constant number of queries."""
    rows = Binding.objects.filter(lock=lock).select_related("door__property")
    history = list(rows.defer("commission_document", "lock_record").order_by("-starts_at")[:BINDINGS_SHOWN])
    here = next((row for row in history if row.ends_at is None), None)
    status = LockStatus.objects.filter(lock=lock).first()
    whole = viewer_now() is None
    newest, known = _bulletins(here)
    page = LockPage(
        status=status,
        here=here,
        door=here.door if here else None,
        live=live_status([here.door_id], at=at)[here.door_id] if here else None,
        history=history,
        newest_bulletin=newest,
        known_bulletin=known,
        deviations=list(Deviation.objects.filter(lock=lock, closed_at__isnull=True).select_related("door")),
        orders=list(open_orders().filter(lock=lock).select_related("door", "installer")),
        whole=whole,
        battery_change=_battery_change(status),
    )
    if whole:
        page.backlog = _backlog(lock)
        page.withheld = withheld(lock, at=at)
        page.gaps = list(LogGap.objects.filter(lock=lock, closed_at__isnull=True)[:RECENT])
    if with_passages:
        page.passages = _recent(lock)
    return page


def _bulletins(here: Binding | None) -> tuple[int | None, int | None]:
    """Return the newest bulletin's number and the newest the lock is known to have."""
    if here is None:
        return None, None
    rows = Bulletin.objects.filter(binding=here)
    newest: int | None = rows.aggregate(found=Max("seq"))["found"]
    known: int | None = rows.filter(known_at__isnull=False).aggregate(found=Max("seq"))["found"]
    return newest, known


def _backlog(lock: Lock) -> Backlog | None:
    position = LogPosition.objects.filter(lock=lock).order_by("-epoch").first()
    if position is None:
        return None
    held = SealedBatch.objects.filter(
        lock=lock, epoch=position.epoch, status=SealedBatch.Status.HELD
    ).values_list("last_seq", flat=True)
    named = [last for last in held if last is not None]
    outcome = (
        Passage.objects.filter(lock=lock, epoch=position.epoch, kind="outcome")
        .order_by("-seq")
        .values_list("detail", flat=True)
        .first()
    )
    offered = (outcome or {}).get("offered")
    told = max([position.acked_seq, *named, *(offered[1:] if offered else [])])
    return Backlog(position.epoch, position.acked_seq, position.receipted_at, told, len(held))


def _battery_change(status: LockStatus | None) -> BatteryChange | None:
    if status is None or status.battery_changed_at is None:
        return None
    seen = (status.boot or 0) > (status.battery_changed_boot or 0)
    heard = status.last_contact_at is not None and status.last_contact_at > status.battery_changed_at
    return BatteryChange(status.battery_changed_at, seen, heard and not seen)


def _recent(lock: Lock) -> list[Row]:
    rows = Passage.objects.filter(lock=lock).select_related("bearer__staff", "provider", "binding__door")
    return [
        Row(
            row,
            describe(row.kind, row.reason, str(row.detail.get("command", ""))),
            tone(row.kind, row.reason),
        )
        for row in rows.order_by("-epoch", "-seq")[:RECENT]
    ]
