"""Facts that bulletins are made of, and whether doors' locks are live: constant numbers of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max, OuterRef, QuerySet, Subquery

from server.access.consents import hand_counts_allowed
from server.access.models import Token
from server.locks.models import (
    Binding,
    BindingGroup,
    Bulletin,
    FirmwareRelease,
    LockStatus,
    LogPosition,
    ServiceRight,
)
from server.locks.rules import NotLive, why_not_live
from server.passages.models import Deviation
from server.people.roles import Role
from server.tenancy.scoping import whole_municipality


@dataclass
class BulletinFacts:
    """By binding id, what stands in a bulletin."""

    newest: dict[int, Bulletin] = field(default_factory=dict)
    """Without documents."""
    revoked: dict[int, list[Token]] = field(default_factory=dict)
    """Revoked tokens that may still matter, without documents."""
    shut_out: dict[int, list[bytes]] = field(default_factory=dict)
    """Ids of live service rights of people who may serve no more."""
    groups: dict[int, list[BindingGroup]] = field(default_factory=dict)
    positions: dict[int, LogPosition] = field(default_factory=dict)
    """By lock id: the newest epoch's."""
    clock_ppm: dict[int, int | None] = field(default_factory=dict)
    """By lock id."""
    manifests: dict[int, int] = field(default_factory=dict)
    """The version of the manifest that a lock's log confirms, by lock id."""
    hand_counts: set[int] = field(default_factory=set)
    """Doors where openings by hand may be counted."""


def newest_bulletins(binding_ids: Collection[int]) -> dict[int, Bulletin]:
    """Return the newest bulletin, without its document, of each binding that has one, by binding id."""
    latest = Bulletin.unscoped.filter(binding=OuterRef("binding")).order_by("-seq").values("seq")[:1]
    rows = Bulletin.unscoped.filter(binding__in=binding_ids, seq=Subquery(latest)).defer("document")
    return {row.binding_id: row for row in rows}


def live_revocations(binding_ids: Collection[int], *, expires_after: datetime) -> dict[int, list[Token]]:
    """Return revoked tokens that end after `expires_after`, newest revocation first, by binding id."""
    rows = (
        Token.unscoped.filter(binding__in=binding_ids, revoked_at__isnull=False, expires__gt=expires_after)
        .only("token_id", "binding_id", "grp", "issued_at", "expires", "revoked_at")
        .order_by("-revoked_at", "-pk")
    )
    found: dict[int, list[Token]] = defaultdict(list)
    for row in rows:
        found[row.binding_id].append(row)
    return found


def shut_out_rights(*, expires_after: datetime) -> QuerySet[ServiceRight]:
    """Return live service rights of installers whose account was shut, or who are installers no more."""
    rows: QuerySet[ServiceRight] = ServiceRight.unscoped.filter(expires__gt=expires_after)
    return rows.exclude(installer__is_active=True, installer__role=Role.INSTALLER)


def bulletin_facts(bindings: Iterable[Binding], *, expires_after: datetime, at: datetime) -> BulletinFacts:
    """Return everything the bulletins of `bindings` are made of, as of `at`, in a handful of queries."""
    by_id = {binding.pk: binding for binding in bindings}
    lock_ids = {binding.lock_id for binding in by_id.values()}
    groups: dict[int, list[BindingGroup]] = defaultdict(list)
    for group in BindingGroup.unscoped.filter(binding__in=by_id).order_by("grp"):
        groups[group.binding_id].append(group)
    positions: dict[int, LogPosition] = {}
    for position in LogPosition.unscoped.filter(lock__in=lock_ids, acked_seq__gt=0).order_by("epoch"):
        positions[position.lock_id] = position
    shut_out: dict[int, list[bytes]] = defaultdict(list)
    ended = shut_out_rights(expires_after=expires_after).filter(binding__in=by_id).order_by("pk")
    for binding, token_id in ended.values_list("binding_id", "token_id"):
        shut_out[binding].append(bytes(token_id))
    status = list(
        LockStatus.unscoped.filter(lock__in=lock_ids).only("lock_id", "clock_ppm", "manifest_version")
    )
    return BulletinFacts(
        newest=newest_bulletins(by_id),
        revoked=live_revocations(by_id, expires_after=expires_after),
        shut_out=shut_out,
        groups=groups,
        positions=positions,
        clock_ppm={one.lock_id: one.clock_ppm for one in status},
        manifests={one.lock_id: one.manifest_version for one in status},
        hand_counts=hand_counts_allowed({binding.door_id for binding in by_id.values()}, at=at),
    )


def open_bindings(municipality_id: int) -> QuerySet[Binding]:
    """Return the municipality's bindings that have not ended."""
    rows: QuerySet[Binding] = Binding.unscoped.filter(municipality=municipality_id, ends_at__isnull=True)
    return rows


def lock_for_update(binding_ids: Collection[int]) -> list[Binding]:
    """Lock the bindings' rows in a fixed order (no deadlocks) and return them with lock and door.

    The lock leaves the key alone: rows that refer to a binding may be inserted meanwhile.
    """
    ordered = Binding.unscoped.filter(pk__in=binding_ids).order_by("pk")
    list(ordered.select_for_update(no_key=True).values_list("pk", flat=True))
    return with_lock_and_door(binding_ids)


def with_lock_and_door(binding_ids: Collection[int]) -> list[Binding]:
    """Return the bindings with lock and door, without the documents of their commissioning."""
    rows = Binding.unscoped.filter(pk__in=binding_ids).defer("commission_document", "lock_record")
    return list(rows.select_related("lock", "door").order_by("pk"))


def mark_known(binding_id: int, *, up_to_seq: int, at: datetime) -> None:
    """Note that the lock has taken in bulletin `up_to_seq`, and with it the manifest of any before.

    It need not have taken each of them, but an older one's news stand in every later one until it has.
    """
    taken = Bulletin.unscoped.filter(binding=binding_id, seq__lte=up_to_seq)
    taken.filter(known_at__isnull=True).update(known_at=at)
    brought = taken.aggregate(newest=Max("manifest_version"))["newest"] or 0
    LockStatus.unscoped.filter(lock__bindings=binding_id, manifest_version__lt=brought).update(
        manifest_version=brought
    )


def newest_releases() -> list[FirmwareRelease]:
    """Return the newest firmware release of each model that is not withdrawn, without the images."""
    rows = FirmwareRelease.objects.filter(withdrawn_at=None).defer("image").order_by("model", "version")
    return list({row.model: row for row in rows}.values())


def outdated_bulletins(*, created_before: datetime) -> QuerySet[Bulletin]:
    """Return old bulletins that are not their binding's newest."""
    latest = Bulletin.unscoped.filter(binding=OuterRef("binding")).order_by("-seq").values("seq")[:1]
    rows: QuerySet[Bulletin] = Bulletin.unscoped.filter(
        created_at__lt=created_before, seq__lt=Subquery(latest)
    )
    return rows


@dataclass(frozen=True)
class LiveStatus:
    """Whether the lock of one door can be relied on."""

    binding: Binding | None
    status: LockStatus | None
    reasons: tuple[NotLive, ...]

    @property
    def is_live(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


@whole_municipality()
def live_status(door_ids: Collection[int], *, at: datetime) -> dict[int, LiveStatus]:
    """Return for every door whether its lock is live, in two queries; must run in a municipality's scope."""
    rows = Binding.objects.filter(door__in=door_ids, ends_at__isnull=True).select_related("lock__status")
    bindings = {row.door_id: row for row in rows.defer("commission_document", "lock_record")}
    dead = Deviation.objects.filter(
        door__in=door_ids, kind=Deviation.Kind.DEAD_LOCK, closed_at__isnull=True
    ).values_list("door_id", "lock_id")
    reported = set(dead)
    found = {}
    for door in door_ids:
        binding = bindings.get(door)
        status: LockStatus | None = getattr(binding.lock, "status", None) if binding else None
        is_dead = binding is not None and bool({(door, binding.lock_id), (door, None)} & reported)
        reasons = why_not_live(binding, status, reported_dead=is_dead, at=at)
        found[door] = LiveStatus(binding, status, tuple(reasons))
    return found
